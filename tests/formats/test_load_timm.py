import numpy as np
import pytest
from formats.foreign import images, need, outputs, pixel_arguments, timm_tokens, timm_vit

import sweet_keras as sk

SQUARE = {}
OBLONG = {"img_size": (8, 16), "patch_size": 4, "in_chans": 1, "embed_dim": 24, "depth": 3}
OTHER_RATIO = {"embed_dim": 32, "num_heads": 4, "mlp_ratio": 2, "depth": 1}
PREFIXES = {"reg_tokens": 3, "no_embed_class": True}


def check(model, pixels, atol=1e-4, **arguments):
    vit = sk.load_vit(
        model.state_dict(),
        num_heads=model.blocks[0].attn.num_heads,
        **arguments,
        **pixel_arguments(pixels.shape[-1]),
    )
    expected = timm_tokens(model, pixels)
    np.testing.assert_allclose(outputs(vit, pixels), expected, atol=atol, rtol=atol)
    return vit


@pytest.mark.parametrize(
    "options",
    [
        SQUARE,
        OTHER_RATIO,
        {"qkv_bias": False},
        {"init_values": 0.1},
        {"class_token": False, "global_pool": ""},
        PREFIXES,
        {"reg_tokens": 2},
        {"act_layer": "gelu_tanh"},
    ],
)
def test_tokens_are_those_of_timm(rng, options):
    model = timm_vit(rng, **options)
    activation = "gelu_tanh" if "act_layer" in options else None
    vit = check(model, images(rng, (16, 16, 3)), activation=activation, native_shape=(16, 16))
    assert vit.mlp_ratio == options.get("mlp_ratio", 4)
    assert vit.layer_scale is None


def test_not_square(rng):
    model = timm_vit(rng, **OBLONG)
    vit = check(model, images(rng, (8, 16, 1)), native_shape=(8, 16))
    assert vit.image_shape == (8, 16, 1) and str(vit.size) == "L3H2"


@pytest.mark.parametrize("shape", [(16, 24, 3), (24, 24, 3), (8, 12, 3)])
@pytest.mark.parametrize("options", [{}, PREFIXES])
def test_other_image_sizes(rng, options, shape):
    model = timm_vit(rng, dynamic_img_size=True, **options)
    check(model, images(rng, shape), image_shape=shape, native_shape=(16, 16))


def test_layer_scale_can_be_kept(rng):
    model = timm_vit(rng, init_values=0.1)
    vit = check(model, images(rng, (16, 16, 3)), fold_layer_scale=False)
    gamma = model.blocks[1].ls2.gamma.detach().numpy()
    np.testing.assert_array_equal(vit.arrays()["layer_scale2"][1], gamma)


def test_files(rng, tmp_path):
    """safetensors, torch and numpy files hold the same network; decoder and head are left out."""
    torch, safetensors = need("torch"), need("safetensors.torch")
    model = timm_vit(rng)
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    state |= {name: torch.zeros(4, 4) for name in ("decoder_embed.weight", "mask_token")}
    safetensors.save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "b.pth")
    np.savez(tmp_path / "c.npz", **{name: tensor.numpy() for name, tensor in state.items()})
    vits = [sk.load_vit(path, num_heads=2) for path in sorted(tmp_path.iterdir())]
    assert len(vits) == 3
    for vit in vits:
        assert vit.pixel_mean == pytest.approx((123.675, 116.28, 103.53))  # as MAE was trained
        for name, array in vit.arrays().items():
            np.testing.assert_array_equal(array, vits[0].arrays()[name])
    weight = model.blocks[1].attn.qkv.weight.detach().numpy()
    np.testing.assert_array_equal(vits[0].arrays()["qkv/kernel"][1], weight.T)


def test_half_precision(rng, tmp_path):
    safetensors = need("safetensors.torch")
    model = timm_vit(rng)
    halves = {name: tensor.bfloat16() for name, tensor in model.state_dict().items()}
    safetensors.save_file(halves, tmp_path / "a.safetensors")
    vit = sk.load_vit(tmp_path / "a.safetensors", num_heads=2)
    expected = halves["blocks.0.mlp.fc1.weight"].float().numpy()
    np.testing.assert_array_equal(vit.arrays()["mlp_in/kernel"][0], expected.T)


def test_a_training_of_mae_can_be_read(rng, tmp_path):
    """Its checkpoints hold the arguments of the script, a Namespace, beside the model."""
    import argparse

    torch = need("torch")
    model = timm_vit(rng)
    arguments = argparse.Namespace(epochs=3, path="x")
    content = {"model": model.state_dict(), "optimizer": {"state": {}}, "args": arguments}
    torch.save(content, tmp_path / "checkpoint-3.pth")
    vit = sk.load_vit(tmp_path / "checkpoint-3.pth", num_heads=2)
    bias = model.blocks[0].mlp.fc2.bias.detach().numpy()
    np.testing.assert_array_equal(vit.arrays()["mlp_out/bias"][0], bias)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"global_pool": "avg"}, "final norm after the pooling"),
        ({"pre_norm": True}, "a norm before the blocks"),
        ({"qk_norm": True}, "normalised queries and keys"),
        ({"mlp_ratio": 2.5}, "no whole multiple of 16"),
        ({"scale_mlp_norm": True}, "unknown blocks.0.mlp.norm.bias"),
        ({"pos_embed": "none"}, "missing pos_embed"),
    ],
)
def test_what_is_no_plain_vit_is_refused(rng, options, message):
    state = timm_vit(rng, **options).state_dict()
    with pytest.raises(ValueError, match=f"Received: .*{message}"):
        sk.load_vit(state, num_heads=2)


def test_a_gated_mlp_is_refused(rng):
    layers = need("timm.layers")
    state = timm_vit(rng, mlp_layer=layers.SwiGLU).state_dict()
    with pytest.raises(ValueError, match=r"a gated MLP \(SwiGLU\)"):
        sk.load_vit(state, num_heads=2)


def test_heads(rng):
    state = timm_vit(rng).state_dict()
    with pytest.raises(ValueError, match="say `num_heads`"):
        sk.load_vit(state)
    for number, message in ((5, "5 heads for 16 channels"), (0, "while 0 are said")):
        with pytest.raises(ValueError, match=message if number else message + "|say `num_heads`"):
            sk.load_vit(state, num_heads=number)
    with pytest.raises(ValueError, match=r"no such argument\. Received: heads"):
        sk.load_vit(state, num_heads=2, heads=2)
    assert sk.load_vit(timm_vit(rng, embed_dim=128).state_dict()).size.num_heads == 2
