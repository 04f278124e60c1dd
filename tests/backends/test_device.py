"""`device` of the active backend. What is set once per process is tried in a fresh one."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

from sweet_keras import backends

BACKEND = keras.backend.backend()
PRELUDE = """
    import os
    import keras
    import numpy as np
    from sweet_keras import backends
    device = backends.current().device

    def start():
        x = keras.ops.ones((512, 512))
        return keras.ops.convert_to_numpy(x @ x)

    def refused(function, *args):
        try:
            function(*args)
        except RuntimeError:
            return True
        return False
"""


def run(code, **environment):
    """Runs `code` after PRELUDE in a fresh process and returns the lines it prints."""
    program = textwrap.dedent(PRELUDE) + textwrap.dedent(code)
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_describe():
    described = backends.current().device.describe()
    assert described["framework"] == BACKEND
    assert described["version"] == sys.modules[BACKEND].__version__
    assert any(device.startswith("cpu") for device in described["devices"])
    assert described["threads"] >= 1


def test_tf32_is_switched():
    """A CPU has none: products stay what they are, and the framework says how it was set."""
    lines = run(
        """
        import sys
        for allowed in (True, False):
            device.set_tf32(allowed)
            framework = sys.modules[keras.backend.backend()]
            if framework.__name__ == "torch":
                print(framework.get_float32_matmul_precision())
            elif framework.__name__ == "jax":
                print(framework.config.jax_default_matmul_precision)
            else:
                print(framework.config.experimental.tensor_float_32_execution_enabled())
            print(float(start()[0, 0]))
        """
    )
    expected = {
        "torch": ("high", "highest"),
        "jax": ("tensorfloat32", "float32"),
        "tensorflow": ("True", "False"),
    }[BACKEND]
    assert lines == [expected[0], "512.0", expected[1], "512.0"]


@pytest.mark.parametrize("n", [0, -1, 2.0, True, "2", None])
def test_set_threads_refuses(n):
    with pytest.raises(ValueError, match="Received: n="):
        backends.current().device.set_threads(n)


def test_set_threads():
    code = """
        device.set_threads({n})
        start()
        print(device.describe()["threads"])
        print(len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else {n})
        # Afterwards it works or is refused: a call that is silently ignored would be the worst.
        device.set_threads({n})
        print(refused(device.set_threads, {n} + 1), device.describe()["threads"])
    """
    one, seven = run(code.format(n=1)), run(code.format(n=7))
    assert (one[0], seven[0]) == ("1", "7")
    assert int(seven[1]) - int(one[1]) >= 6
    after = ["False 2", "False 8"] if BACKEND == "torch" else ["True 1", "True 7"]
    assert [one[2], seven[2]] == after


def test_seeds_repeat_dropout_and_a_training_run():
    """In two processes. On JAX each layer's own seed decides, which Python's generator gives."""
    code = """
        import random
        random.seed(3)
        device.set_seed(3)
        x = keras.layers.Dropout(0.5)(np.ones((4, 50)), training=True)
        print(keras.ops.convert_to_numpy(x).ravel().tolist())

        def train(seed):
            device.set_determinism(seed)
            model = keras.Sequential([keras.layers.Dense(8, "gelu"), keras.layers.Dropout(0.5)])
            model.compile("adam", "mse")
            x = np.random.rand(32, 4)
            model.fit(x, np.random.rand(32, 8), batch_size=8, verbose=0)
            return [w.astype("float64").tolist() for w in model.get_weights()]

        print(train(7))
    """
    dropout, trained = run(code)
    again, trained_again, other = run(textwrap.dedent(code) + "print(train(8))")
    assert dropout == again
    assert trained == trained_again
    assert trained != other


def test_random_state_leads_back():
    device = backends.current().device
    dropout = keras.layers.Dropout(0.5)

    def draw():
        return keras.ops.convert_to_numpy(dropout(np.ones((4, 50)), training=True)).tolist()

    draw()
    state = device.random_state()
    seeds = [keras.ops.convert_to_numpy(variable).copy() for variable in dropout.variables]
    first, second = draw(), draw()
    assert first != second
    device.set_random_state(state)
    for variable, value in zip(dropout.variables, seeds, strict=True):
        variable.assign(value)
    assert [draw(), draw()] == [first, second]
    # What another backend saved is left alone.
    device.set_random_state({})
    assert bool(state) == (BACKEND == "torch")


@pytest.mark.skipif(BACKEND != "torch", reason="the others have no generator of their own")
@pytest.mark.parametrize("array", [np.zeros(3, "uint8"), np.zeros(5056, "float32")])
def test_a_state_of_nothing_is_refused(array):
    with pytest.raises(ValueError, match=r"`state` must hold .*Received: 'cpu', an array"):
        backends.current().device.set_random_state({"cpu": array})


def test_limit_memory_growth_without_a_gpu():
    before, variable, devices, after = run(
        """
        print(device.limit_memory_growth())
        print(os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"])
        start()
        print(*device.describe()["devices"])
        print(device.limit_memory_growth())
        """,
        XLA_PYTHON_CLIENT_PREALLOCATE="true",
    )
    if not devices.startswith("cpu"):
        pytest.skip("there is a GPU")
    # JAX cannot know that there is no GPU before it starts.
    assert (before, variable) == (("True", "false") if BACKEND == "jax" else ("False", "true"))
    assert after == "False"


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the others have no call per GPU")
def test_limit_memory_growth_sets_every_gpu(monkeypatch):
    import tensorflow as tf

    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda gpu, enable: grown.append((gpu, enable))
    )
    assert backends.current().device.limit_memory_growth() is True
    assert grown == [("GPU:0", True), ("GPU:1", True)]
