"""A vision transformer written once more, in plain numpy, from the paper's formulas.

It shares no line with the library. Arrays go by the names of `sweet_keras.core.schema`.
"""

import math

import numpy as np

erf = np.vectorize(math.erf)


def gelu(x, kind="gelu"):
    if kind == "gelu_tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def layer_norm(x, scale, bias, epsilon=1e-6):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * scale + bias


def attention(q, k, v, heads):
    """q, k, v: (N, D) of one image."""
    dim = q.shape[1] // heads
    out = np.zeros_like(q)
    for head in range(heads):
        part = slice(head * dim, (head + 1) * dim)
        scores = q[:, part] @ k[:, part].T / math.sqrt(dim)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        out[:, part] = weights / weights.sum(-1, keepdims=True) @ v[:, part]
    return out


def block(x, arrays, layer, heads, epsilon=1e-6, activation="gelu"):
    """x: (N, D) of one image."""
    whole = ("positions", "register_tokens")
    get = {
        name: array[layer]
        for name, array in arrays.items()
        if array.ndim > 1 and not name.startswith(("patch", *whole))
    }
    dim = x.shape[1]
    y = layer_norm(x, get["norm1/scale"], get["norm1/bias"], epsilon)
    qkv = y @ get["qkv/kernel"] + get["qkv/bias"].reshape(-1)
    y = attention(qkv[:, :dim], qkv[:, dim : 2 * dim], qkv[:, 2 * dim :], heads)
    y = y @ get["output/kernel"] + get["output/bias"]
    x = x + y * get.get("layer_scale1", 1.0)
    y = layer_norm(x, get["norm2/scale"], get["norm2/bias"], epsilon)
    y = y @ get["mlp_in/kernel"] + get["mlp_in/bias"].reshape(-1)
    y = gelu(y, activation) @ get["mlp_out/kernel"] + get["mlp_out/bias"]
    return x + y * get.get("layer_scale2", 1.0)


def patches_of(image, size):
    """(height, width, channels) -> (N, size * size * channels), one patch after another."""
    rows = []
    for top in range(0, image.shape[0], size):
        for left in range(0, image.shape[1], size):
            rows.append(image[top : top + size, left : left + size].reshape(-1))
    return np.array(rows)


def vit(
    images,
    arrays,
    heads,
    patch_size,
    mean=127.5,
    std=127.5,
    epsilon=1e-6,
    activation="gelu",
):
    """Images (B, height, width, channels) -> tokens (B, N, D), in float64."""
    arrays = {name: np.asarray(array, "float64") for name, array in arrays.items()}
    tokens = []
    for image in np.asarray(images, "float64"):
        x = patches_of((image - mean) / std, patch_size) @ arrays["patch/kernel"]
        x = x + arrays["patch/bias"] + arrays["positions"]
        if "register_tokens" in arrays:
            x = np.concatenate([arrays["register_tokens"], x])
        if "class_token" in arrays:
            x = np.concatenate([arrays["class_token"][None], x])
        for layer in range(len(arrays["qkv/kernel"])):
            x = block(x, arrays, layer, heads, epsilon, activation)
        tokens.append(layer_norm(x, arrays["final_norm/scale"], arrays["final_norm/bias"], epsilon))
    return np.array(tokens)
