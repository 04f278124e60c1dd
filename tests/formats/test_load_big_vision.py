"""big_vision is no package: its forward pass is written out here once more, in numpy."""

import math

import numpy as np
import pytest
import scipy.ndimage
from formats.foreign import images, outputs

import sweet_keras as sk

DIM, HEADS, HIDDEN, PATCH = 16, 2, 32, 4


def random_parameters(rng, grid, depth=2, channels=3, positions=None, cls=True):
    """Parameters by big_vision's names; `positions` rows, by default one for each patch."""
    shapes = {"embedding/kernel": (PATCH, PATCH, channels, DIM), "embedding/bias": (DIM,)}
    for layer in range(depth):
        block = f"Transformer/encoderblock_{layer}/"
        attention = f"{block}MultiHeadDotProductAttention_0/"
        for part in ("query", "key", "value"):
            shapes[f"{attention}{part}/kernel"] = (DIM, HEADS, DIM // HEADS)
            shapes[f"{attention}{part}/bias"] = (HEADS, DIM // HEADS)
        shapes[f"{attention}out/kernel"] = (HEADS, DIM // HEADS, DIM)
        shapes[f"{attention}out/bias"] = (DIM,)
        shapes |= {f"{block}MlpBlock_0/Dense_0/kernel": (DIM, HIDDEN)}
        shapes |= {f"{block}MlpBlock_0/Dense_0/bias": (HIDDEN,)}
        shapes |= {f"{block}MlpBlock_0/Dense_1/kernel": (HIDDEN, DIM)}
        shapes |= {f"{block}MlpBlock_0/Dense_1/bias": (DIM,)}
        for norm in ("LayerNorm_0", "LayerNorm_1"):
            shapes |= {f"{block}{norm}/{name}": (DIM,) for name in ("scale", "bias")}
    shapes |= {f"Transformer/encoder_norm/{name}": (DIM,) for name in ("scale", "bias")}
    if cls:
        shapes["cls"] = (1, 1, DIM)
    if positions != 0:
        shapes["pos_embedding"] = (1, positions or math.prod(grid), DIM)
    return {
        name: (0.25 * rng.standard_normal(shape) + name.endswith("scale")).astype("float32")
        for name, shape in shapes.items()
    }


def forward(parameters, pixels, positions):
    """Tokens in float64. Images are in -1..1, GELU is flax's, the approximation."""
    p = {name: np.asarray(array, "float64") for name, array in parameters.items()}

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
        return x * p[f"{name}/scale"] + p[f"{name}/bias"]

    def gelu(x):
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    def attention(x, name):
        query, key, value = (
            np.einsum("nd,dhe->hne", x, p[f"{name}/{part}/kernel"])
            + p[f"{name}/{part}/bias"][:, None]
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / math.sqrt(DIM // HEADS))
        mixed = scores / scores.sum(-1, keepdims=True) @ value
        return np.einsum("hne,hed->nd", mixed, p[f"{name}/out/kernel"]) + p[f"{name}/out/bias"]

    tokens = []
    for image in pixels.astype("float64") / 127.5 - 1:
        rows = [
            np.einsum("pqc,pqcd->d", image[y : y + PATCH, x : x + PATCH], p["embedding/kernel"])
            for y in range(0, image.shape[0], PATCH)
            for x in range(0, image.shape[1], PATCH)
        ]
        x = np.array(rows) + p["embedding/bias"] + positions
        if "cls" in p:
            x = np.concatenate([p["cls"][0], x])
        for layer in range(sum("LayerNorm_0/scale" in name for name in p)):
            block = f"Transformer/encoderblock_{layer}"
            x = x + attention(
                norm(x, f"{block}/LayerNorm_0"), f"{block}/MultiHeadDotProductAttention_0"
            )
            y = norm(x, f"{block}/LayerNorm_1") @ p[f"{block}/MlpBlock_0/Dense_0/kernel"]
            y = gelu(y + p[f"{block}/MlpBlock_0/Dense_0/bias"])
            x = x + y @ p[f"{block}/MlpBlock_0/Dense_1/kernel"]
            x = x + p[f"{block}/MlpBlock_0/Dense_1/bias"]
        tokens.append(norm(x, "Transformer/encoder_norm"))
    return np.array(tokens)


def check(vit, parameters, pixels, positions):
    expected = forward(parameters, pixels, positions)
    np.testing.assert_allclose(outputs(vit, pixels), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("prefix", ["", "params/", "opt/target/"])
def test_tokens(rng, tmp_path, prefix):
    parameters = random_parameters(rng, (4, 4))
    names = {f"{prefix}{name}": array for name, array in parameters.items()}
    names[f"{prefix}head/kernel"] = np.zeros((DIM, 3), "float32")
    np.savez(tmp_path / "vit.npz", **names)
    vit = sk.load_vit(tmp_path / "vit.npz")
    assert str(vit.size) == "L2H2" and vit.mlp_ratio == 2 and vit.activation == "gelu_tanh"
    check(vit, parameters, images(rng, (16, 16, 3)), parameters["pos_embedding"][0])


def test_old_names(rng):
    """Those of google-research/vision_transformer, whose positions have a row for the token."""
    parameters = random_parameters(rng, (4, 4), positions=17)
    old = {}
    for name, array in parameters.items():
        name = name.replace("LayerNorm_1", "LayerNorm_2").replace("MlpBlock_0", "MlpBlock_3")
        name = name.replace("MultiHeadDotProductAttention_0", "MultiHeadDotProductAttention_1")
        old[name.replace("pos_emb", "Transformer/posembed_input/pos_emb")] = array
    positions = parameters["pos_embedding"][0]
    parameters["cls"] = parameters["cls"] + positions[0]
    check(sk.load_vit(old), parameters, images(rng, (16, 16, 3)), positions[1:])


@pytest.mark.parametrize("shape", [(24, 24, 1), (8, 20, 1)])
def test_other_image_sizes(rng, shape):
    parameters = random_parameters(rng, (4, 4), depth=1, channels=1, cls=False)
    grid = parameters["pos_embedding"].reshape(4, 4, DIM)
    zoom = (shape[0] / PATCH / 4, shape[1] / PATCH / 4, 1)
    positions = scipy.ndimage.zoom(grid, zoom, order=1).reshape(-1, DIM)
    vit = sk.load_vit(parameters, image_shape=shape)
    check(vit, parameters, images(rng, shape), positions)


def test_fixed_positions(rng):
    """Without a table they are MoCo v3's, at the size of the images."""
    parameters = random_parameters(rng, (2, 3), positions=0, cls=False)
    with pytest.raises(ValueError, match="no positions: say `image_shape`"):
        sk.load_vit(parameters)
    positions = np.zeros((6, DIM))
    for place in range(6):
        for i in range(DIM // 4):
            frequency = 10_000 ** -(i / (DIM // 4 - 1))
            waves = [(math.sin, place % 3), (math.cos, place % 3)]
            waves += [(math.sin, place // 3), (math.cos, place // 3)]
            for part, (wave, position) in enumerate(waves):
                positions[place, part * DIM // 4 + i] = wave(position * frequency)
    vit = sk.load_vit(parameters, image_shape=(8, 12, 3))
    check(vit, parameters, images(rng, (8, 12, 3)), positions)
