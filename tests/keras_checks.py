"""Checks that every layer and model has to pass."""

import keras
import numpy as np
import pytest


def numpy(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


def randomize(layer, rng, spread=0.3):
    """Gives every float variable random values, so that no bias is zero and no scale is one."""
    for variable in layer.variables:
        if "float" in variable.dtype:
            start = 1.0 if variable.name == "scale" else 0.0
            variable.assign(start + spread * rng.standard_normal(variable.shape))


def images(rng, count, shape):
    return rng.integers(0, 256, (count, *shape)).astype("uint8")


def smooth_images(rng):
    """64 images (8, 12, 2) of large flat areas: something that can be learned."""
    flat = rng.integers(0, 256, (64, 2, 3, 2)).repeat(4, axis=1).repeat(4, axis=2)
    return (flat * np.linspace(0.2, 1, 12)[None, None, :, None]).astype("uint8")


def check_config_round_trip(layer):
    """The configuration makes an equal layer, and has a value for every constructor argument."""
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == layer.get_config()
    data = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(data)
    assert type(again) is type(layer)
    assert keras.saving.serialize_keras_object(again)["config"] == data["config"]


def check_saving(model, inputs, tmp_path):
    """A model saved to `.keras` and loaded gives the same outputs."""
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(numpy(loaded(inputs)), numpy(model(inputs)))
    return loaded


def check_training_step(model, x, y=None):
    """One step changes every trainable variable and no other, and the loss is finite."""
    loss = "mse" if y is not None else None
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    before = [numpy(v) for v in model.trainable_variables]
    fixed = [numpy(v) for v in model.non_trainable_variables if "seed" not in v.name]
    history = model.fit(x, y, batch_size=len(x), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert (numpy(variable) != old).any(), f"{variable.path} did not change"
    after = [numpy(v) for v in model.non_trainable_variables if "seed" not in v.name]
    for new, old in zip(after, fixed, strict=True):
        np.testing.assert_array_equal(new, old)


def skip_untrainable(policy):
    """Skips training in float16 where compiled steps cannot have it: XLA on a CPU."""
    if keras.backend.backend() == "jax" and policy == "mixed_float16":
        pytest.skip("XLA on a CPU has no float16 product with float32 sums; bfloat16 it has")


def check_mixed_precision(make, inputs, reference_tolerance=0.1):
    """Runs in 16 bits, keeps float32 variables, and stays near the float32 result.

    Args:
        make: Function of a dtype policy that returns a built layer with fixed weights.
        inputs: Its input.
        reference_tolerance: Allowed error, relative to the largest output.
    """
    exact = numpy(make("float32")(inputs))
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = make(policy)
        outputs = layer(inputs)
        assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
        assert {v.dtype for v in layer.trainable_variables} == {"float32"}
        error = np.abs(numpy(keras.ops.cast(outputs, "float32")) - exact).max()
        assert error < reference_tolerance * np.abs(exact).max()
