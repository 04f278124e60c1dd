"""Random but valid templates, and a vision transformer in plain numpy that reads them.

    from template_factory import random_template

The shapes are written out here once more, so that tests do not ask the package for them. Needs
numpy and sweet_keras.core only.
"""

import math

import numpy as np

from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate


def block_shapes(layers, dim, ratio=4):
    """Arrays of transformer blocks beside their kernels."""
    return {
        "norm1/scale": (layers, dim),
        "norm1/bias": (layers, dim),
        "qkv/bias": (layers, 3, dim),
        "output/bias": (layers, dim),
        "norm2/scale": (layers, dim),
        "norm2/bias": (layers, dim),
        "mlp_in/bias": (layers, ratio, dim),
        "mlp_out/bias": (layers, dim),
    }


def decoder_shapes(depth, width, dim, patches, pixels):
    """Arrays of the masked autoencoder's decoder, which is a plain one."""
    blocks = {
        **block_shapes(depth, width),
        "qkv/kernel": (depth, width, 3 * width),
        "output/kernel": (depth, width, width),
        "mlp_in/kernel": (depth, width, 4 * width),
        "mlp_out/kernel": (depth, 4 * width, width),
        "final_norm/scale": (width,),
        "final_norm/bias": (width,),
        "embed/kernel": (dim, width),
        "embed/bias": (width,),
        "positions": (patches, width),
        "mask_token": (width,),
        "pixels/kernel": (width, pixels),
        "pixels/bias": (pixels,),
    }
    return {f"decoder/{name}": shape for name, shape in blocks.items()}


def template_shapes(
    size,
    ranks,
    image_shape,
    patch_size,
    class_token=False,
    layer_scale=False,
    decoder=None,
    register_tokens=0,
    mlp_ratio=4,
):
    """Names and shapes of all arrays of a template."""
    layers, dim = size.depth, size.num_heads * size.head_dim
    height, width, channels = image_shape
    patches = (height // patch_size) * (width // patch_size)
    pixels = patch_size * patch_size * channels
    r1, r2, r3 = ranks
    shapes = {
        "core": (r1, r2, r3),
        "layer_scaler": ((4 + 2 * mlp_ratio) * layers, r1),
        "input_scaler": (dim, r2),
        "output_scaler": (dim, r3),
        "patch/kernel": (pixels, dim),
        "patch/bias": (dim,),
        "positions": (patches, dim),
        **block_shapes(layers, dim, mlp_ratio),
        "final_norm/scale": (dim,),
        "final_norm/bias": (dim,),
    }
    if class_token:
        shapes["class_token"] = (dim,)
    if register_tokens:
        shapes["register_tokens"] = (register_tokens, dim)
    if layer_scale:
        shapes["layer_scale1"] = shapes["layer_scale2"] = (layers, dim)
    if decoder is not None:
        decoder_width = decoder.num_heads * decoder.head_dim
        shapes |= decoder_shapes(decoder.depth, decoder_width, dim, patches, pixels)
    return shapes


def random_arrays(rng, shapes):
    """float32 arrays of any values a trained network could hold; scales near 1."""
    return {
        name: (rng.normal(size=shape) * 0.5 + name.endswith("/scale")).astype("float32")
        for name, shape in shapes.items()
    }


def random_template(
    rng,
    size="L2H3",
    *,
    head_dim=4,
    ranks=(5, 6, 7),
    image_shape=(8, 12, 2),
    patch_size=4,
    class_token=False,
    layer_scale=False,
    decoder=None,
    register_tokens=0,
    mlp_ratio=4,
    **fields,
):
    """A valid `SweetTemplate` of random arrays; `fields` are further fields of it."""
    size = ViTSize.parse(size, head_dim)
    flags = {
        **{"class_token": class_token, "layer_scale": layer_scale, "decoder": decoder},
        **{"register_tokens": register_tokens, "mlp_ratio": mlp_ratio},
    }
    shapes = template_shapes(size, ranks, image_shape, patch_size, **flags)
    return SweetTemplate(
        size=size,
        image_shape=image_shape,
        patch_size=patch_size,
        arrays=random_arrays(rng, shapes),
        **flags,
        **fields,
    )


def numpy_kernels(template):
    """W (L, 4 + 2m, D, D) by its definition, in float64."""
    core, layer_scaler, input_scaler, output_scaler = (
        np.asarray(template.arrays[name], "float64")
        for name in ("core", "layer_scaler", "input_scaler", "output_scaler")
    )
    blocks = np.stack(
        [
            input_scaler @ sum(row[k] * core[k] for k in range(len(core))) @ output_scaler.T
            for row in layer_scaler
        ]
    )
    return blocks.reshape(template.size.depth, -1, *blocks.shape[1:])


def gelu(x, kind):
    """GELU by its two definitions (1606.08415)."""
    if kind == "gelu_tanh":
        return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def numpy_vit(template, patches):
    """Tokens (N, D) that the network of a template makes of patches (N, P), in float64.

    Written from the usual definition of a pre-norm vision transformer, block by block.
    """
    arrays = {name: np.asarray(array, "float64") for name, array in template.arrays.items()}
    size, blocks, ratio = template.size, numpy_kernels(template), template.mlp_ratio

    def normalized(x, name, layer=...):
        centred = x - x.mean(axis=1, keepdims=True)
        x = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + template.norm_epsilon)
        return x * arrays[f"{name}/scale"][layer] + arrays[f"{name}/bias"][layer]

    def attention(x, w, layer):
        bias = arrays["qkv/bias"][layer]
        query, key, value = (x @ w[i] + bias[i] for i in range(3))
        heads = []
        for head in range(size.num_heads):
            cut = slice(head * size.head_dim, (head + 1) * size.head_dim)
            scores = np.exp(query[:, cut] @ key[:, cut].T / math.sqrt(size.head_dim))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, cut])
        return np.concatenate(heads, axis=1) @ w[3] + arrays["output/bias"][layer]

    def mlp(x, w, layer):
        hidden = [x @ w[4 + i] + arrays["mlp_in/bias"][layer, i] for i in range(ratio)]
        active = [gelu(h, template.activation) for h in hidden]
        written = sum(active[i] @ w[4 + ratio + i] for i in range(ratio))
        return written + arrays["mlp_out/bias"][layer]

    x = patches @ arrays["patch/kernel"] + arrays["patch/bias"] + arrays["positions"]
    if template.register_tokens:
        x = np.concatenate([arrays["register_tokens"], x])
    if template.class_token:
        x = np.concatenate([arrays["class_token"][None], x])
    for layer in range(size.depth):
        scale1, scale2 = (
            arrays[f"layer_scale{i}"][layer] if template.layer_scale else 1.0 for i in (1, 2)
        )
        x = x + scale1 * attention(normalized(x, "norm1", layer), blocks[layer], layer)
        x = x + scale2 * mlp(normalized(x, "norm2", layer), blocks[layer], layer)
    return normalized(x, "final_norm")
