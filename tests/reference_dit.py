"""A diffusion transformer written once more, in plain numpy, from the formulas of 2212.09748.

It shares no line with the library, and no sampler. Arrays of the backbone go by the names of
`sweet_keras.core.schema`, those of the condition by the names of their variables.
"""

import itertools

import numpy as np
from reference_vit import attention, gelu, patches_of


def silu(x):
    return x / (1 + np.exp(-x))


def standardized(x, epsilon):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)


def condition(arrays, time, label):
    frequencies = np.array([10_000 ** (-i / 128) for i in range(128)])
    codes = np.concatenate([np.cos(1000 * time * frequencies), np.sin(1000 * time * frequencies)])
    hidden = silu(codes @ arrays["time_in_kernel"] + arrays["time_in_bias"])
    embedded = hidden @ arrays["time_out_kernel"] + arrays["time_out_bias"]
    return silu(embedded + arrays["label_table"][label])


def denoise(arrays, patches, time, label, heads, epsilon=1e-6):
    """Prediction (N, P) for the noisy patches (N, P) of one image."""
    arrays = {name: np.asarray(array, "float64") for name, array in arrays.items()}
    c = condition(arrays, time, label)
    x = patches @ arrays["patch/kernel"] + arrays["patch/bias"] + arrays["positions"]
    first = 0
    if "class_token" in arrays:
        x = np.concatenate([arrays["class_token"][None], x])
        first = 1
    for layer, maps in enumerate(arrays["block_modulation"]):
        get = {name: a[layer] for name, a in arrays.items() if "/" in name or "_scale" in name}
        shift1, scale1, gate1, shift2, scale2, gate2 = (c @ maps[:, i] for i in range(6))
        # The bias of the map: 1 + scale is scale + what the norm holds.
        y = standardized(x, epsilon) * (scale1 + get["norm1/scale"]) + shift1 + get["norm1/bias"]
        qkv = y @ get["qkv/kernel"] + get["qkv/bias"].reshape(-1)
        y = attention(*np.split(qkv, 3, axis=1), heads) @ get["output/kernel"] + get["output/bias"]
        x = x + (gate1 + arrays["gate_bias"][layer, 0]) * y * get.get("layer_scale1", 1.0)
        y = standardized(x, epsilon) * (scale2 + get["norm2/scale"]) + shift2 + get["norm2/bias"]
        y = gelu(y @ get["mlp_in/kernel"] + get["mlp_in/bias"].reshape(-1))
        y = y @ get["mlp_out/kernel"] + get["mlp_out/bias"]
        x = x + (gate2 + arrays["gate_bias"][layer, 1]) * y * get.get("layer_scale2", 1.0)
    shift, scale = (c @ arrays["final_modulation"][:, i] for i in range(2))
    x = standardized(x, epsilon) * (scale + arrays["final_norm/scale"])
    x = x + shift + arrays["final_norm/bias"]
    return (x @ arrays["pixels_kernel"] + arrays["pixels_bias"])[first:]


def images_of(patches, shape, side):
    """The inverse of `patches_of`."""
    image = np.zeros(shape)
    places = [(top, left) for top in range(0, shape[0], side) for left in range(0, shape[1], side)]
    for (top, left), row in zip(places, patches, strict=True):
        image[top : top + side, left : left + side] = row.reshape(side, side, shape[2])
    return image


def generate(arrays, noise, label, heads, side, classes, steps, guidance, sampler):
    """One image (h, w, c) in pixels of 0..255, from its noise."""
    x = patches_of(np.asarray(noise, "float64"), side)

    def field(x, time):
        free = denoise(arrays, x, time, classes, heads)
        return free + guidance * (denoise(arrays, x, time, label, heads) - free)

    def weights(time):
        return np.cos(0.992 * np.pi / 2 * time), np.sin(0.992 * np.pi / 2 * time)

    times = np.linspace(1, 0, steps + 1)
    for now, then in itertools.pairwise(times):
        predicted = field(x, now)
        if sampler == "ddim":
            clean = (x - weights(now)[1] * predicted) / weights(now)[0]
            x = weights(then)[0] * clean + weights(then)[1] * predicted
        elif sampler == "euler":
            x = x + (then - now) * predicted
        else:
            ahead = field(x + (then - now) * predicted, then)
            x = x + (then - now) * (predicted + ahead) / 2
    return images_of(x, noise.shape, side) * 127.5 + 127.5
