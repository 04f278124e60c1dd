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
from reference_vit import vit as reference_vit

import sweet_keras as sk

SHAPE = (8, 12, 2)
FORM = {"register_tokens": 2, "norm_epsilon": 0.1, "mlp_ratio": 3, "activation": "gelu_tanh"}


def make(rng=None, **options):
    model = sk.ViTBackbone("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    if rng is not None:
        randomize(model, rng)
    return model


@pytest.mark.parametrize("layer_scale", [None, 0.2])
@pytest.mark.parametrize("class_token", [False, True])
def test_equals_numpy(rng, class_token, layer_scale):
    model = make(rng, class_token=class_token, layer_scale=layer_scale)
    x = images(rng, 3, SHAPE)
    np.testing.assert_allclose(numpy(model(x)), reference_vit(x, model.arrays(), 3, 4), atol=2e-5)


@pytest.mark.parametrize("class_token", [False, True])
def test_other_forms_equal_numpy(rng, class_token):
    model = make(rng, class_token=class_token, **FORM)
    x = images(rng, 3, SHAPE)
    expected = reference_vit(
        x, model.arrays(), 3, 4, epsilon=FORM["norm_epsilon"], activation=FORM["activation"]
    )
    assert expected.shape == (3, class_token + 2 + 6, 12)
    np.testing.assert_allclose(numpy(model(x)), expected, atol=2e-5)
    order = np.array([[4, 0, 3]] * 3)
    patches = numpy(model.patches.patchify(x))
    some = numpy(model.encode(np.take_along_axis(patches, order[:, :, None], axis=1), order))
    assert some.shape == (3, class_token + 2 + 3, 12)
    every = np.array([range(6)] * 3)
    np.testing.assert_allclose(numpy(model.encode(patches, every)), expected, atol=2e-5)


def test_equals_timm(rng):
    """The same weights in the reference implementation most people use."""
    torch = pytest.importorskip("torch")
    vision_transformer = pytest.importorskip("timm.models.vision_transformer")
    model = make(rng, class_token=True, positions="learned")
    theirs = vision_transformer.VisionTransformer(
        img_size=(8, 12), patch_size=4, in_chans=2, embed_dim=12, depth=2, num_heads=3,
        num_classes=0, global_pool="",
    )  # fmt: skip
    arrays = model.arrays()
    kernel = arrays["patch/kernel"].reshape(4, 4, 2, 12).transpose(3, 2, 0, 1)
    state = {
        "cls_token": arrays["class_token"][None, None],
        "pos_embed": np.concatenate([np.zeros((1, 12)), arrays["positions"]])[None],
        "patch_embed.proj.weight": kernel,
        "patch_embed.proj.bias": arrays["patch/bias"],
        "norm.weight": arrays["final_norm/scale"],
        "norm.bias": arrays["final_norm/bias"],
    }
    names = {
        "norm1/scale": "norm1.weight", "norm1/bias": "norm1.bias", "qkv/kernel": "attn.qkv.weight",
        "qkv/bias": "attn.qkv.bias", "output/kernel": "attn.proj.weight",
        "output/bias": "attn.proj.bias", "norm2/scale": "norm2.weight", "norm2/bias": "norm2.bias",
        "mlp_in/kernel": "mlp.fc1.weight", "mlp_in/bias": "mlp.fc1.bias",
        "mlp_out/kernel": "mlp.fc2.weight", "mlp_out/bias": "mlp.fc2.bias",
    }  # fmt: skip
    for layer in range(2):
        for ours, their in names.items():
            array = arrays[ours][layer]
            array = array.T if ours.endswith("kernel") else array.reshape(-1)
            state[f"blocks.{layer}.{their}"] = array
    theirs.load_state_dict({k: torch.tensor(np.array(v, "float32")) for k, v in state.items()})
    x = images(rng, 2, SHAPE)
    pixels = torch.tensor((x.transpose(0, 3, 1, 2) / 127.5 - 1).astype("float32"))
    with torch.no_grad():
        expected = theirs.eval()(pixels).numpy()
    np.testing.assert_allclose(numpy(model(x)), expected, atol=1e-5)


def test_random_kernels_are_xavier_uniform():
    arrays = sk.ViTBackbone("L1H8", image_shape=(16, 16, 3), patch_size=8, head_dim=16).arrays()
    fans = {"qkv": (128, 128), "output": (128, 128), "mlp_in": (128, 512), "mlp_out": (512, 128)}
    for name, (fan_in, fan_out) in fans.items():
        kernel, limit = arrays[f"{name}/kernel"], (6 / (fan_in + fan_out)) ** 0.5
        assert 0.99 * limit < np.abs(kernel).max() <= limit
        np.testing.assert_allclose(kernel.var(), limit**2 / 3, rtol=0.05)


def test_arrays_round_trip(rng):
    model = make(rng, class_token=True, **FORM)
    other = model.twin()
    assert other.get_config() == {**model.get_config(), "name": other.name}
    other.load_arrays(model.arrays())
    for name, array in model.arrays().items():
        np.testing.assert_array_equal(other.arrays()[name], array)


def test_intermediate_layers_can_be_reached(rng):
    import keras

    model = make(rng)
    features = keras.Model(model.input, model.get_layer("block_0").output)
    assert numpy(features(images(rng, 2, SHAPE))).shape == (2, 6, 12)


def test_model_check(rng, tmp_path):
    check_config_round_trip(
        make(name="vit", class_token=True, positions="learned", drop_path=0.1, layer_scale=1e-5)
    )
    check_config_round_trip(make(name="form", **FORM))
    check_config_round_trip(make(name="half", dtype="mixed_bfloat16"))
    x = images(rng, 4, SHAPE)
    model = make(rng, class_token=True)
    assert model.output_shape == (None, 7, 12)
    check_saving(model, x, tmp_path)
    check_saving(make(rng, class_token=True, **FORM), x, tmp_path)
    check_training_step(model, x, rng.standard_normal((4, 7, 12)).astype("float32"))
    check_mixed_precision(lambda policy: make(np.random.default_rng(0), dtype=policy), x)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"no such argument\. Received: head_dimm"):
        make(head_dimm=3)
    with pytest.raises(ValueError, match=r"`ImageClassifier` has no such .* Received: poolin"):
        sk.ImageClassifier(make(), 3, poolin="token")
    with pytest.raises(ValueError, match="`size` must be written like 'L6H12'"):
        sk.ViTBackbone("tiny")
    with pytest.raises(
        ValueError, match=r"`activation` must be one of gelu, gelu_tanh\. Rec.*relu"
    ):
        make(activation="relu")
    with pytest.raises(ValueError, match="`norm_epsilon` must be a positive finite number"):
        make(norm_epsilon=0.0)
    with pytest.raises(ValueError, match="multiples of `patch_size`=16"):
        sk.ViTBackbone("L1H1", image_shape=(30, 32, 3))
