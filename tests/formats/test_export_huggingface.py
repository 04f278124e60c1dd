import json

import numpy as np
import pytest
from formats.foreign import images, need, outputs
from formats.networks import GREY, classifier, network, same, same_weights

import sweet_keras as sk


def loaded(path):
    """Hugging Face's own model of the architecture that the folder says, and its own pixels."""
    torch, transformers = need("torch"), need("transformers")
    (name,) = json.loads((path / "config.json").read_text())["architectures"]
    options = {"add_pooling_layer": False} if name == "ViTModel" else {}
    model, info = getattr(transformers, name).from_pretrained(
        path, output_loading_info=True, **options
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    processor = json.loads((path / "preprocessor_config.json").read_text())
    mean, std = np.float32(processor["image_mean"]), np.float32(processor["image_std"])

    def run(pixels):
        pixels = (pixels * np.float32(processor["rescale_factor"]) - mean) / std
        inputs = torch.as_tensor(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        with torch.no_grad():
            outputs = model.eval()(inputs)
        return (outputs.logits if "For" in name else outputs.last_hidden_state).numpy()

    return name, run


@pytest.mark.parametrize(
    "options, architecture",
    [
        ({}, "ViTModel"),
        (GREY, "ViTModel"),
        ({"image_shape": (8, 16, 3), "size": "L3H3", "mlp_ratio": 2}, "ViTModel"),
        ({"norm_epsilon": 1e-2, "activation": "gelu_tanh"}, "ViTModel"),
        ({"register_tokens": 3, "mlp_ratio": 2}, "Dinov2WithRegistersModel"),
        (GREY | {"class_token": False}, "SiglipVisionModel"),
        ({"class_token": False, "norm_epsilon": 1e-2}, "SiglipVisionModel"),
    ],
)
def test_tokens_by_transformers_and_back(rng, tmp_path, options, architecture):
    vit = network(rng, **options)
    sk.export(vit, tmp_path / "out", format="huggingface")
    name, run = loaded(tmp_path / "out")
    assert name == architecture
    pixels = images(rng, vit.image_shape)
    same(run(pixels), outputs(vit, pixels))
    same_weights(vit, sk.load_vit(tmp_path / "out"))


def test_layer_scale_is_folded_or_kept(rng, tmp_path):
    for number, options in enumerate(({}, {"register_tokens": 1})):
        vit = network(rng, layer_scale=0.5, **options)
        path = tmp_path / str(number)
        sk.export(vit, path, format="huggingface")
        _, run = loaded(path)
        pixels = images(rng, vit.image_shape)
        same(run(pixels), outputs(vit, pixels))
        again = sk.load_vit(path, fold_layer_scale=False)
        assert (again.layer_scale is None) == (number == 0)
        same(outputs(again, pixels), outputs(vit, pixels), 1e-5)


@pytest.mark.parametrize(
    "pooling, options, architecture",
    [
        ("token", {}, "ViTForImageClassification"),
        ("mean", {}, "Dinov2ForImageClassification"),
        ("mean", {"register_tokens": 2}, "Dinov2WithRegistersForImageClassification"),
        ("token", {"register_tokens": 2}, "Dinov2WithRegistersForImageClassification"),
        ("mean", GREY | {"class_token": False}, "SiglipForImageClassification"),
    ],
)
def test_logits_by_transformers(rng, tmp_path, pooling, options, architecture):
    model = classifier(rng, pooling, **options)
    sk.export(model, tmp_path / "out", format="huggingface")
    name, run = loaded(tmp_path / "out")
    assert name == architecture
    pixels = images(rng, model.backbone.image_shape)
    same(run(pixels), outputs(model, pixels))
    same_weights(model.backbone, sk.load_vit(tmp_path / "out"))
    config = need("transformers").AutoConfig.from_pretrained(tmp_path / "out")
    assert config.id2label == {0: "ant", 1: "bee", 2: "cat"}


def test_the_processor_loads(rng, tmp_path):
    vit = network(rng, image_shape=(8, 16, 3))
    sk.export(vit, tmp_path / "out", format="huggingface")
    processor = need("transformers").AutoImageProcessor.from_pretrained(tmp_path / "out")
    pixels = images(rng, (8, 16, 3), 1).astype("uint8")
    inputs = processor(list(pixels), return_tensors="np")["pixel_values"]
    expected = (pixels - np.float32(vit.pixel_mean)) / np.float32(vit.pixel_std)
    np.testing.assert_allclose(inputs, expected.transpose(0, 3, 1, 2), atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"class_token": False, "image_shape": (8, 16, 3)}, r"must be square there.*\(8, 16, 3\)"),
        ({"register_tokens": 1, "image_shape": (8, 16, 3)}, r"must be square there"),
        ({"class_token": False, "register_tokens": 2}, "registers without a class token"),
    ],
)
def test_what_hugging_face_does_not_have(rng, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        sk.export(network(rng, **options), tmp_path / "out", format="huggingface")
    assert not list(tmp_path.iterdir())
