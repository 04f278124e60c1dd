import keras
import numpy as np
import pytest
from keras_checks import (
    check_config_round_trip,
    check_mixed_precision,
    check_saving,
    check_training_step,
    images,
    numpy,
    randomize,
)
from reference_vit import patches_of

from sweet_keras.layers.patch_embedding import PatchEmbedding

SHAPE, PATCH, DIM = (8, 12, 2), 4, 12


def make(rng=None, **options):
    options = {"pixel_mean": (100.0, 50.0), "pixel_std": (60.0, 70.0)} | options
    layer = PatchEmbedding(DIM, SHAPE, PATCH, **options)
    layer.build((None, *SHAPE))
    if rng is not None:
        randomize(layer, rng)
    return layer


@pytest.mark.parametrize("register_tokens", [0, 1, 3])
@pytest.mark.parametrize("class_token", [False, True])
def test_equals_numpy(rng, class_token, register_tokens):
    layer = make(rng, class_token=class_token, register_tokens=register_tokens, positions="learned")
    x = images(rng, 3, SHAPE)
    pixels = [patches_of((image - [100.0, 50.0]) / [60.0, 70.0], PATCH) for image in x]
    expected = pixels @ numpy(layer.kernel) + numpy(layer.bias) + numpy(layer.position_table)
    if register_tokens:
        vectors = np.broadcast_to(numpy(layer.register_vectors), (3, register_tokens, DIM))
        expected = np.concatenate([vectors, expected], axis=1)
    if class_token:
        first = np.broadcast_to(numpy(layer.class_vector), (3, 1, DIM))
        expected = np.concatenate([first, expected], axis=1)
    np.testing.assert_allclose(numpy(layer(x)), expected, atol=1e-5)
    np.testing.assert_allclose(numpy(layer(x.astype("float32"))), expected, atol=1e-5)


def test_unpatchify_is_the_inverse(rng):
    layer = make()
    x = images(rng, 3, SHAPE)
    np.testing.assert_allclose(numpy(layer.unpatchify(layer.patchify(x))), x, atol=1e-3)


@pytest.mark.parametrize("positions", ["sincos", "learned"])
def test_layer_check(rng, tmp_path, positions):
    check_config_round_trip(make(class_token=True, positions=positions, name="patches"))
    check_config_round_trip(make(register_tokens=2))
    x = images(rng, 4, SHAPE)
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, make(rng, positions=positions)(inputs))
    assert model.output_shape == (None, 6, DIM)
    assert len(model.trainable_variables) == (3 if positions == "learned" else 2)
    check_saving(model, x, tmp_path)
    check_training_step(model, x, rng.standard_normal((4, 6, DIM)).astype("float32"))
    check_mixed_precision(lambda policy: make(np.random.default_rng(0), dtype=policy), x)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (10, 8, 3)}, "multiples of `patch_size`=4. Received: .*10"),
        ({"image_shape": (8, 8)}, "`image_shape` must be three positive integers"),
        ({"positions": "cosine"}, "`positions` must be one of sincos, learned. Received: 'cosine'"),
        ({"register_tokens": -1}, "`register_tokens` must be an integer, 0 or more. Received: -1"),
        ({"pixel_std": 0.0}, "`pixel_std` must be positive"),
        ({"pixel_mean": (1.0, 2.0)}, "`pixel_mean` must be one finite number, or 3"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        PatchEmbedding(**{"embed_dim": 8, "image_shape": (8, 8, 3), "patch_size": 4} | options)


def test_other_image_shape_is_an_error(rng):
    with pytest.raises(ValueError, match=r"`images` must have the shape \(batch, 8, 12, 2\)"):
        make()(images(rng, 1, (12, 8, 2)))


def test_bytes_go_to_the_device_of_the_layer(rng):
    if keras.backend.backend() != "torch":
        pytest.skip("only on PyTorch does a batch keep the device it was read on")
    layer = make()
    with keras.device("cpu"):  # as a loader brings it
        batch = keras.ops.convert_to_tensor(images(rng, 2, SHAPE))
    with keras.device("meta"):  # stands for a GPU: nothing is computed, but devices must agree
        assert layer.patchify(batch).device.type == "meta"
