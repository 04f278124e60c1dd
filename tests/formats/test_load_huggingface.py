import numpy as np
import pytest
from formats.foreign import MEAN, STD, hidden_states, images, need, outputs, transformers_model

import sweet_keras as sk

KINDS = {
    "ViTModel": "ViTConfig",
    "ViTForImageClassification": "ViTConfig",
    "ViTMAEModel": "ViTMAEConfig",
    "ViTMAEForPreTraining": "ViTMAEConfig",
    "Dinov2Model": "Dinov2Config",
    "Dinov2ForImageClassification": "Dinov2Config",
    "Dinov2WithRegistersModel": "Dinov2WithRegistersConfig",
    "SiglipVisionModel": "SiglipVisionConfig",
}
BASES = {"ViTFor": "vit", "ViTMAEFor": "vit", "Dinov2For": "dinov2"}


def saved(model, folder, normalisation=True):
    model.save_pretrained(folder)
    if normalisation:
        transformers = need("transformers")
        processor = transformers.ViTImageProcessor(image_mean=MEAN, image_std=STD)
        processor.save_pretrained(folder)
    return folder


def options_of(kind, shape, native):
    """Keeps all patches in order, and interpolates where a model has to be told."""
    options = {}
    if "MAE" in kind:
        patches = shape[0] * shape[1] // 16
        options["noise"] = need("torch").arange(2 * patches).reshape(2, patches) / (2 * patches)
    if not native and not kind.startswith("Dinov2"):
        options["interpolate_pos_encoding"] = True
    return options


def check(rng, tmp_path, kind, shape=(16, 16, 3), native=True, **options):
    if "MAE" in kind:
        options["mask_ratio"] = 0.0
    model = transformers_model(rng, kind, KINDS[kind], **options)
    path = saved(model, tmp_path / "model")
    vit = sk.load_vit(path, image_shape=None if native else shape)
    assert vit.image_shape == shape
    base = next((name for start, name in BASES.items() if kind.startswith(start)), None)
    pixels = images(rng, shape)
    expected = hidden_states(
        getattr(model, base) if base else model, pixels, **options_of(kind, shape, native)
    )
    np.testing.assert_allclose(outputs(vit, pixels), expected, atol=1e-4, rtol=1e-4)
    return vit


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_of_transformers(rng, tmp_path, kind):
    check(rng, tmp_path, kind)


@pytest.mark.parametrize("kind", ["ViTModel", "ViTMAEModel", "Dinov2Model", "SiglipVisionModel"])
def test_another_size(rng, tmp_path, kind):
    sizes = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3, "image_size": 24}
    sizes |= {"mlp_ratio": 2} if kind == "Dinov2Model" else {"intermediate_size": 48}
    vit = check(rng, tmp_path, kind, (24, 24, 3), **sizes, qkv_bias=False)
    assert str(vit.size) == "L1H3" and vit.mlp_ratio == 2


@pytest.mark.parametrize(
    "kind",
    ["ViTModel", "ViTMAEModel", "Dinov2Model", "Dinov2WithRegistersModel", "SiglipVisionModel"],
)
@pytest.mark.parametrize("shape", [(16, 24, 3), (8, 12, 3)])
def test_other_image_sizes(rng, tmp_path, kind, shape):
    check(rng, tmp_path, kind, shape, native=False)


def test_not_square(rng, tmp_path):
    check(rng, tmp_path, "ViTModel", (8, 16, 3), image_size=(8, 16))


def test_settings_come_from_the_configuration(rng, tmp_path):
    options = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-2, "num_channels": 3}
    vit = check(rng, tmp_path, "ViTModel", **options)
    assert vit.activation == "gelu_tanh" and vit.norm_epsilon == 1e-2
    assert vit.pixel_mean == pytest.approx([255 * value for value in MEAN])


def test_state_of_a_live_model(rng, tmp_path):
    """Its modules are called otherwise than what is saved."""
    for kind in ("ViTForImageClassification", "Dinov2Model"):
        model = transformers_model(rng, kind, KINDS[kind])
        live = sk.load_vit(model.state_dict(), num_heads=2)
        file = sk.load_vit(saved(model, tmp_path / kind))
        for name, array in live.arrays().items():
            np.testing.assert_array_equal(array, file.arrays()[name])


def test_normalisation_without_a_preprocessor(rng, tmp_path):
    means = {}
    for kind in ("ViTModel", "ViTMAEModel", "ViTMAEForPreTraining", "Dinov2Model"):
        model = transformers_model(rng, kind, KINDS[kind])
        means[kind] = sk.load_vit(saved(model, tmp_path / kind, normalisation=False)).pixel_mean
    assert means.pop("ViTModel") == (127.5,)
    for mean in means.values():
        assert mean == pytest.approx((123.675, 116.28, 103.53))


@pytest.mark.parametrize("activation", ["relu", "quick_gelu"])
def test_another_activation_is_refused(rng, tmp_path, activation):
    model = transformers_model(rng, "ViTModel", "ViTConfig", hidden_act=activation)
    with pytest.raises(ValueError, match=f"the activation '{activation}'"):
        sk.load_vit(saved(model, tmp_path))


def test_a_gated_mlp_is_refused(rng, tmp_path):
    model = transformers_model(rng, "Dinov2Model", "Dinov2Config", use_swiglu_ffn=True)
    with pytest.raises(ValueError, match=r"a gated MLP \(SwiGLU\)"):
        sk.load_vit(saved(model, tmp_path))
