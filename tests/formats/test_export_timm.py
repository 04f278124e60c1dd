import json
import os

import numpy as np
import pytest
from formats.foreign import images, need, outputs
from formats.networks import GREY, classifier, network, same, same_weights

import sweet_keras as sk


def loaded(path):
    """timm's own model, and its input of pixels by the mean and deviation it says."""
    torch, timm = need("torch"), need("timm")
    model = timm.create_model(f"local-dir:{path}", pretrained=True).eval()
    mean, std = (np.float32(model.pretrained_cfg[name]) for name in ("mean", "std"))

    def run(pixels, method="forward_features"):
        pixels = (pixels / np.float32(255) - mean) / std
        inputs = torch.as_tensor(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        with torch.no_grad():
            return getattr(model, method)(inputs).numpy()

    return model, run


@pytest.mark.parametrize(
    "options",
    [
        {},
        GREY | {"class_token": False},
        {"image_shape": (8, 16, 3), "size": "L3H3", "mlp_ratio": 2, "activation": "gelu_tanh"},
        {"register_tokens": 3},
        {"layer_scale": 0.5},
    ],
)
def test_tokens_by_timm_and_back(rng, tmp_path, options):
    vit = network(rng, **options)
    assert sk.export(vit, tmp_path / "out", format="timm") == tmp_path / "out"
    _, run = loaded(tmp_path / "out")
    pixels = images(rng, vit.image_shape)
    same(run(pixels), outputs(vit, pixels))
    again = sk.load_vit(tmp_path / "out", fold_layer_scale=False)
    same_weights(vit, again)


@pytest.mark.parametrize(
    "pooling, options",
    [
        ("mean", {}),
        ("token", {"register_tokens": 2}),
        ("mean", {"register_tokens": 2}),
        ("mean", GREY | {"class_token": False}),
    ],
)
def test_logits_by_timm(rng, tmp_path, pooling, options):
    model = classifier(rng, pooling, **options)
    sk.export(model, tmp_path / "out", format="timm")
    timm_model, run = loaded(tmp_path / "out")
    pixels = images(rng, model.backbone.image_shape)
    same(run(pixels, "forward"), outputs(model, pixels))
    assert timm_model.pretrained_cfg["label_names"] == ["ant", "bee", "cat"]


def test_the_arguments_build_it(rng, tmp_path):
    vision_transformer = need("timm.models.vision_transformer")
    vit = network(rng, register_tokens=2, layer_scale=0.1)
    sk.export(vit, tmp_path / "out", format="timm")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    model = vision_transformer.VisionTransformer(**config["model_args"])
    state = need("safetensors.torch").load_file(tmp_path / "out" / "model.safetensors")
    assert str(model.load_state_dict(state)) == "<All keys matched successfully>"


def test_what_timm_does_not_have(rng, tmp_path):
    with pytest.raises(ValueError, match=r"epsilon of 1e-06.*Received: norm_epsilon=0.01"):
        sk.export(network(rng, norm_epsilon=0.01), tmp_path / "out", format="timm")
    windows = network(rng, class_token=False, window=2)
    with pytest.raises(ValueError, match=r"this format has no windows.*window=2"):
        sk.export(windows, tmp_path / "out", format="timm")
    assert os.listdir(tmp_path) == []


def test_arguments_of_export(rng, tmp_path):
    vit = network(rng)
    with pytest.raises(ValueError, match=r"`format` must be one of timm, .*Received: 'jpeg'"):
        sk.export(vit, tmp_path / "out", format="jpeg")
    with pytest.raises(ValueError, match=r"`model` must be a ViTBackbone.*Received: int"):
        sk.export(3, tmp_path / "out", format="timm")
    with pytest.raises(ValueError, match="`path` must lie in an existing folder"):
        sk.export(vit, tmp_path / "none" / "out", format="timm")
    sk.export(vit, tmp_path / "out", format="timm")
    with pytest.raises(ValueError, match=r"`path` must be new.*which exists"):
        sk.export(vit, tmp_path / "out", format="timm")
    sk.export(classifier(rng, "token"), tmp_path / "out", format="timm", overwrite=True)
    names = need("safetensors.numpy").load_file(tmp_path / "out" / "model.safetensors")
    assert "head.weight" in names and os.listdir(tmp_path) == ["out"]
