"""Steps of PyTorch that are recorded and replayed, with graphs that work on the CPU."""

import threading

import keras
import numpy as np
import pytest
from keras import ops
from keras_checks import images, numpy

import sweet_keras as sk
from sweet_keras import backends
from sweet_keras.models.skipping_optimizer import SkippingOptimizer
from sweet_keras.models.warmup_cosine import WarmupCosine

if keras.backend.backend() != "torch":
    pytest.skip("Only PyTorch has them.", allow_module_level=True)

import torch
from graphs_of_operations import GraphsOfOperations
from keras.src.random.seed_generator import draw_seed
from sweet_keras.backends.cuda_graphs.repeated_step import RepeatedStep
from sweet_keras.backends.cuda_graphs.seeds import next_seed

SHAPE = (16, 16, 1)
NETWORK = {"image_shape": SHAPE, "patch_size": 4, "head_dim": 8}


@pytest.fixture
def repeat(monkeypatch):
    """Call it, and models repeat their steps as on a GPU: it returns the list of such steps."""

    def start():
        steps = []

        def repeated(model, step):
            steps.append(RepeatedStep(model, step, GraphsOfOperations()))
            return steps[-1]

        monkeypatch.setattr(backends.current().step, "repeated", repeated)
        return steps

    return start


def autoencoder(optimizer):
    encoder = sk.SweetTemplateViT("L2H2", **NETWORK, seed=3, subnetworks=["L1H1", "L2H1"])
    mae = sk.MaskedAutoencoder(encoder, seed=2, decoder="L1H1")
    mae.build()
    mae.compile(optimizer=optimizer)
    return mae


def classifier(optimizer):
    backbone = sk.ViTBackbone("L2H2", **NETWORK, drop_path=0.3)
    model = sk.ImageClassifier(backbone, 3, dropout=0.2)
    model.compile(optimizer=optimizer)
    return model


def generator(optimizer):
    encoder = sk.SweetTemplateViT("L2H2", **NETWORK, seed=3, subnetworks=["L1H1"])
    model = sk.ImageGenerator(encoder, 3, seed=5)
    model.build()
    model.compile(optimizer=optimizer)
    return model


def rematerialized(optimizer):
    model = autoencoder(optimizer)
    sk.rematerialize(model)
    return model


def adamw(**options):
    return keras.optimizers.AdamW(WarmupCosine(1e-2, 30, 0.1), **options)


CASES = {
    "autoencoder": (autoencoder, adamw),
    "as sweet pretrain": (
        autoencoder,
        lambda: SkippingOptimizer(sk.KernelMuon(WarmupCosine(4e-3, 30, 0.1), use_ema=True)),
    ),
    "rematerialized": (rematerialized, adamw),
    "parts of a batch": (autoencoder, lambda: adamw(gradient_accumulation_steps=2)),
    "clipped": (autoencoder, lambda: adamw(global_clipnorm=0.5)),
    "choices within choices": (
        autoencoder,
        lambda: keras.optimizers.LossScaleOptimizer(adamw(gradient_accumulation_steps=2)),
    ),
    "dropout": (classifier, lambda: SkippingOptimizer(sk.KernelMuon(4e-3))),
    "generator": (generator, adamw),
    "descent": (autoencoder, lambda: keras.optimizers.SGD(WarmupCosine(0.1, 30), momentum=0.9)),
}


def batches(make, rng):
    """Ten images, and labels for those who want some."""
    data = [images(rng, 10, SHAPE)]
    return data if make in (autoencoder, rematerialized) else [*data, rng.integers(0, 3, 10)]


def train(model, data, **options):
    """Trains on batches of 4, 4 and 2 images; all that it leaves."""
    options = {"epochs": 5, "batch_size": 4, "shuffle": False, "verbose": 0, **options}
    history = model.fit(*data, **options).history
    return history, [numpy(v) for v in [*model.variables, *model.optimizer.variables]]


@pytest.mark.parametrize("case", CASES)
def test_trains_as_without(case, repeat, seed, rng):
    make, optimizer = CASES[case]
    data = batches(make, rng)

    def once():
        keras.utils.set_random_seed(seed)
        return train(make(optimizer()), data, validation_data=data)

    expected_history, expected = once()
    steps = repeat()
    history, found = once()
    tolerance = 1e-5 if case == "descent" else 0  # which multiplies by the rate first
    for name, values in expected_history.items():
        np.testing.assert_allclose(history[name], values, rtol=tolerance)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    assert len(steps) == 1
    assert len(steps[0].recorded) >= 2  # batches of 4 and of 2


def test_a_graph_for_each_subnetwork(repeat, rng):
    steps = repeat()
    train(autoencoder("adamw"), [images(rng, 4, SHAPE)], epochs=30)
    shape = (torch.Size((4, *SHAPE)), torch.uint8)
    assert steps[0].recorded == {((shape,), 0), ((shape,), 1)}


def test_a_step_that_is_not_finite_is_left_out(repeat, rng):
    repeat()
    model = autoencoder(SkippingOptimizer(keras.optimizers.AdamW(1e-3)))
    data = [images(rng, 4, SHAPE)]
    train(model, data, epochs=20)
    bias = model.decoder_layer.trainable_variables[-1]
    kept = numpy(bias)
    bias.assign(np.full(bias.shape, np.nan, "float32"))
    history, _ = train(model, data, epochs=3)
    assert np.isnan(history["loss"]).all()
    assert int(numpy(model.optimizer.skipped)) == 3
    assert int(numpy(model.optimizer.iterations)) == 20
    bias.assign(kept)
    history, _ = train(model, data, epochs=3)
    assert np.isfinite(history["loss"]).all()
    assert int(numpy(model.optimizer.iterations)) == 23


def test_goes_on_with_what_is_assigned_and_begins_anew_where_it_lies_elsewhere(repeat, rng):
    steps = repeat()
    model = autoencoder(keras.optimizers.Adam(0.0))
    model.encoder.draws_subnetworks = False
    data = [images(rng, 4, SHAPE)]

    def changes():
        variables = model.trainable_variables
        before = [numpy(v) for v in variables]
        programs = steps[-1]._programs.copy() if steps else {}
        train(model, data)
        moved = {(numpy(v) != x).any() for v, x in zip(variables, before, strict=True)}
        return moved, steps[-1]._programs != programs

    assert changes() == ({False}, True)
    model.optimizer.learning_rate = 1e-2
    assert changes() == ({True}, False)
    weight = model.trainable_variables[0]
    weight._value = torch.nn.Parameter(weight.value.detach().clone())
    assert changes() == ({True}, True)
    model.optimizer = keras.optimizers.Adam(0.0)
    assert changes() == ({False}, True)
    assert len(steps) == 1


def test_a_step_that_comes_to_choose_is_recorded_again(repeat, rng):
    steps = repeat()
    model = generator("adamw")  # has one sub-network to choose from
    model.backbone.draws_subnetworks = False
    train(model, [images(rng, 4, SHAPE), np.arange(4) % 3], epochs=1)
    model.backbone.draws_subnetworks = True  # and nobody makes the training function anew
    train(model, [images(rng, 2, SHAPE), np.arange(2)], epochs=4)
    assert {len(key) for key in steps[0].recorded} == {2}


def test_what_a_choice_returns_is_a_copy(repeat, rng):
    class Choosing(keras.optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            first, last = trainable_variables[0], trainable_variables[-1]
            value = ops.cond(
                self.iterations % 2 == 0,
                lambda: first.value.detach(),
                lambda: ops.zeros_like(first.value) + 7.0,
            )
            super().apply(grads, trainable_variables)
            last.assign(ops.zeros_like(last.value) + ops.max(value))

    def largest(epochs):
        train(model, [images(rng, 4, SHAPE)], epochs=epochs)
        first, last = (numpy(model.trainable_variables[at]) for at in (0, -1))
        return first.max(), set(last.flatten())

    steps = repeat()
    model = autoencoder(Choosing(0.0))
    model.encoder.draws_subnetworks = False
    first = numpy(model.trainable_variables[0]).max()
    assert largest(5) == (first, {first})
    assert largest(1) == (first, {7.0})
    assert steps[0].recorded


def test_other_threads_draw_by_themselves(repeat, rng):
    steps = repeat()
    model = autoencoder("adamw")
    drawn = []
    mine = keras.random.SeedGenerator(1)

    call = model.decoder_layer.call

    def draws_beside(*arguments, **options):
        thread = threading.Thread(
            target=lambda: drawn.append(numpy(keras.random.uniform((3,), seed=mine)))
        )
        thread.start()
        thread.join()
        return call(*arguments, **options)

    model.decoder_layer.call = draws_beside
    train(model, [images(rng, 4, SHAPE)], epochs=8)
    assert steps[0].recorded
    expected = keras.random.SeedGenerator(1)
    for numbers in drawn:
        np.testing.assert_array_equal(numbers, numpy(keras.random.uniform((3,), seed=expected)))


def test_what_cannot_be_recorded_is_done_as_ever(repeat, seed, rng):
    class Asking(keras.optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            rate = 0.1 if float(grads[0].sum()) > 0 else 0.2
            return super().apply([rate * grad for grad in grads], trainable_variables)

    data = [images(rng, 10, SHAPE)]
    keras.utils.set_random_seed(seed)
    _, expected = train(autoencoder(Asking(1.0)), data)
    steps = repeat()
    keras.utils.set_random_seed(seed)
    with pytest.warns(UserWarning, match=r"not repeated as CUDA graphs.*asks the device"):
        _, found = train(autoencoder(Asking(1.0)), data)
    assert not steps[0].recorded
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_numbers_are_not_computed_again(repeat, rng):
    steps = repeat()
    model = classifier("adamw")
    block = model.backbone.blocks[-1]
    call = block.call
    block.call = lambda *x, **options: keras.remat(lambda *x: call(*x, **options))(*x)
    with pytest.warns(UserWarning, match="other random numbers"):
        train(model, batches(classifier, rng))
    assert not steps[0].recorded


def test_late_subnetworks_join(repeat, rng):
    steps = repeat()
    model = autoencoder("adamw")
    late = sk.LateSubnetworks(model.encoder, start=0.5)
    train(model, [images(rng, 4, SHAPE)], epochs=12, callbacks=[late])
    first, *_, last = (step for step in steps if step.recorded)
    assert all(len(key) == 1 for key in first.recorded)
    assert all(len(key) == 2 for key in last.recorded)


@pytest.mark.parametrize("options", [{"run_eagerly": True}, {}])
def test_steps_on_a_cpu_are_those_of_keras(options):
    model = autoencoder("adamw")
    model.compile(optimizer="adamw", **options)
    model.make_train_function()
    assert not isinstance(model.train_function, RepeatedStep)


def test_next_seed_goes_on_as_that_of_keras():
    ours, theirs = (keras.random.SeedGenerator(2**31 - 3) for _ in range(2))

    def expected():
        return int(sum(draw_seed(theirs))) & 0xFFFFFFFF

    assert [next_seed(ours) for _ in range(5)] == [expected() for _ in range(5)]
    for seeds in (ours, theirs):  # as a checkpoint does
        seeds.state.assign([17, 4])
    assert [next_seed(ours) for _ in range(3)] == [expected() for _ in range(3)]
    keras.random.uniform((2,), seed=ours), keras.random.uniform((2,), seed=theirs)
    assert next_seed(ours) == expected()
    assert numpy(ours.state).tolist() == numpy(theirs.state).tolist()
