"""Three phases on some devices, in a process of its own: losses and weights as arrays.

    python phases.py OUT.npz DEVICES MODEL_PARALLEL [PHASE …]

torch: under torchrun. TF_CONFIG and JAX_COORDINATOR_ADDRESS are read by `sk.distribute`.
"""

import os
import sys
import tempfile

VIRTUAL = 2


def virtual_devices():
    """Makes a CPU two devices, where the framework has such a thing and it is one process."""
    backend = os.environ["KERAS_BACKEND"]
    if backend == "tensorflow" and "TF_CONFIG" not in os.environ:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * VIRTUAL
        tf.config.set_logical_device_configuration(cpu, parts)
    if backend == "jax" and "JAX_COORDINATOR_ADDRESS" not in os.environ:
        flag = f"--xla_force_host_platform_device_count={VIRTUAL}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()


def optimizer(keras):
    # Key biases have no gradient but that of rounding: with a smaller epsilon Adam would make
    # whole steps of it, on one device as on two.
    return keras.optimizers.AdamW(1e-2, epsilon=1e-4)


def result(history, model):
    arrays = {name: list(map(float, values)) for name, values in history.history.items()}
    return arrays | {f"weight{i}": weight for i, weight in enumerate(model.get_weights())}


def pretrain(keras, sk, x, y):
    """Random masks, a sub-network drawn in each step, a last batch of 3 rows."""
    encoder = sk.SweetTemplateViT(
        "L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4, subnetworks=("L1H1",), seed=0
    )
    mae = sk.MaskedAutoencoder(encoder, mask_ratio=0.5, decoder="L1H1", seed=0)
    mae.build()
    mae.compile(optimizer(keras))
    history = mae.fit(x[:11], batch_size=8, epochs=2, shuffle=False, verbose=0)
    return result(history, mae)


def adapt(keras, sk, x, y):
    """Batches of 5 rows."""
    encoder = sk.SweetTemplateViT(
        "L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4, seed=0, subnetwork_rate=0.0
    )
    losses = keras.callbacks.History()
    options = {"batch_size": 5, "steps": 2, "seed": 1, "callbacks": [losses]}
    vit = sk.materialize(encoder.template(), "L1H1", adapt=x, **options)
    return {"loss": losses.history["loss"]} | vit.arrays()


def finetune(keras, sk, x, y):
    """Stochastic depth, accuracy, validation, a last batch of 3 rows."""
    shape = {"image_shape": (8, 8, 1), "patch_size": 4, "head_dim": 4}
    model = sk.ImageClassifier(sk.ViTBackbone("L1H2", drop_path=0.5, **shape), 3)
    model.compile(optimizer(keras))
    options = {"shuffle": False, "verbose": 0, "validation_data": (x, y)}
    return result(model.fit(x[:11], y[:11], batch_size=8, epochs=2, **options), model)


def linear(keras, sk, x, y):
    """A model of nothing of ours, which costs no time to compile; a last batch of 3 rows."""
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(1e-3), "mse", metrics=["mae"])
    x = x / 255.0
    options = {"shuffle": False, "verbose": 0, "validation_data": (x, y), "batch_size": 8}
    return result(model.fit(x[:11], y[:11].astype("float32"), epochs=2, **options), model)


def accumulated(keras, sk, x, y):
    """Two parts of a batch for each step, of the moving means as well."""
    return dense(keras, keras.optimizers.Adam(1e-2, gradient_accumulation_steps=2), x, y)


def scaled(keras, sk, x, y):
    """A loss that is scaled as in float16, by a scale that grows on the way."""
    inner = keras.optimizers.SGD(1e-3)
    options = {"initial_scale": 8.0, "dynamic_growth_steps": 2}
    return dense(keras, keras.optimizers.LossScaleOptimizer(inner, **options), x, y)


def dense(keras, optimizer, x, y):
    """Six steps of a layer; or that its optimizer is refused."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    x = x[:12].reshape(12, -1) / 255.0
    options = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    try:
        return result(model.fit(x, y[:12].astype("float32"), **options), model)
    except ValueError as error:
        return {"refused": int("Received" in str(error))}


def poisoned(keras, sk, x, y):
    """A row that is not finite: in the third of five batches, on one device only."""
    from rich.console import Console

    from sweet_keras.runs.directory import RunDirectory
    from sweet_keras.runs.read_log import read_log
    from sweet_keras.runs.training import Diverged, train

    x = x.reshape(len(x), -1) / 255.0

    def batches(start_step):
        for step in range(start_step, 5):
            given = x[:6] * (step + 1)
            given[1] *= float("nan") if step == 2 else 1.0
            yield given, y[:6].astype("float32")

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    with tempfile.TemporaryDirectory() as folder:  # each process has one of its own
        run, console = RunDirectory(os.path.join(folder, "run")), Console(quiet=True)
        run.start()
        options = {"steps_per_epoch": 5, "epochs": 1, "label": "", "console": console}
        try:
            train(model, run, batches, **options)
        except Diverged:
            return {"diverged": 1}
        logged = {
            name: row[name] for row in read_log(run.log) for name in ("loss", "skipped_steps")
        }
    return logged | {f"weight{i}": weight for i, weight in enumerate(model.get_weights())}


PHASES = {"pretrain": pretrain, "adapt": adapt, "finetune": finetune}
CHEAP = {"linear": linear, "poisoned": poisoned, "accumulated": accumulated, "scaled": scaled}
KNOWN = {**PHASES, **CHEAP}


def main(out, devices, model_parallel, *phases):
    virtual_devices()
    if os.environ["KERAS_BACKEND"] == "torch":
        import torch

        torch.set_num_threads(1)
    import keras
    import numpy as np

    import sweet_keras as sk

    random = np.random.default_rng(0)
    x = random.integers(0, 256, (13, 8, 8, 1)).astype("uint8")
    y = random.integers(0, 3, 13)
    arrays = {}
    with sk.distribute(devices, model_parallel=int(model_parallel)) as distribution:
        for phase in phases or PHASES:
            keras.utils.set_random_seed(3)
            for name, array in KNOWN[phase](keras, sk, x, y).items():
                arrays[f"{phase}/{name}"] = np.asarray(array, "float64")
    if distribution.is_writer:
        np.savez(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
