"""Grown weights against B (sum_i w_i W_i) A^T, written with explicit matrices and loops."""

import keras
import numpy as np
import pytest
from keras_checks import check_config_round_trip, numpy, randomize

import sweet_keras as sk
from sweet_keras.layers.growth_operators import GrowthOperators

SHAPE = (8, 12, 2)


def source(rng, size="L2H2", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    return vit


def make(size, small, **options):
    layer = GrowthOperators(size, small, **options)
    layer.build()
    return layer


def matrices(layer, name, n):
    """B = [I; E] and A = B / copies, from the variables; the copies counted one by one."""
    if name not in layer.width_variables:
        return np.eye(n), np.eye(n)
    new = numpy(layer.width_variables[name]).astype("float64")
    writes = np.vstack([np.eye(n), new])
    copies = [len([j for j in range(len(writes)) if j % n == i]) for i in range(n)]
    return writes, writes @ np.diag(1 / np.array(copies, "float64"))


def grown_by_loops(layer, arrays):
    """Every weight of the large network, layer by layer. Kernels here are (out, in), as theirs."""
    dim, depth = layer.source.embed_dim, layer.source.size.depth
    b, a = matrices(layer, "residual", dim)
    b_hidden, a_hidden = matrices(layer, "hidden", 4 * dim)
    own = {name: matrices(layer, name, dim) for name in ("query", "key", "value")}

    def mix(module, make_one):
        if module not in layer.depth_variables:
            return np.stack([make_one(i) for i in range(depth)])
        w = numpy(layer.depth_variables[module]).astype("float64")
        return np.stack([sum(row[i] * make_one(i) for i in range(depth)) for row in w])

    def kernel(module, name, writes, reads, part=slice(None)):
        return mix(module, lambda i: (writes @ arrays[name][i][:, part].T @ reads.T).T)

    def vector(module, name, writes, pick=lambda bias: bias.reshape(-1)):
        return mix(module, lambda i: writes @ pick(arrays[name][i]))

    made = {"positions": arrays["positions"] @ b.T, "patch/kernel": arrays["patch/kernel"] @ b.T}
    for name in ("patch/bias", "final_norm/scale", "final_norm/bias", "class_token"):
        made[name] = b @ arrays[name]
    for norm in ("norm1", "norm2"):
        for part in ("scale", "bias"):
            made[f"{norm}/{part}"] = vector(norm, f"{norm}/{part}", b)
    for scale in ("layer_scale1", "layer_scale2"):
        made[scale] = vector(scale, scale, b)
    kernels, biases = [], []
    for i, name in enumerate(("query", "key", "value")):
        columns = slice(i * dim, (i + 1) * dim)
        kernels.append(kernel(name, "qkv/kernel", own[name][0], a, columns))
        biases.append(vector(name, "qkv/bias", own[name][0], lambda bias, i=i: bias[i]))
    made["qkv/kernel"], made["qkv/bias"] = np.concatenate(kernels, 2), np.stack(biases, 1)
    made["output/kernel"] = kernel("output", "output/kernel", b, own["value"][1])
    made["output/bias"] = vector("output", "output/bias", b)
    made["mlp_in/kernel"] = kernel("mlp_in", "mlp_in/kernel", b_hidden, a)
    bias = vector("mlp_in", "mlp_in/bias", b_hidden)
    made["mlp_in/bias"] = bias.reshape(len(bias), 4, -1)
    made["mlp_out/kernel"] = kernel("mlp_out", "mlp_out/kernel", b, a_hidden)
    made["mlp_out/bias"] = vector("mlp_out", "mlp_out/bias", b)
    return made


@pytest.mark.parametrize("size", ["L3H3", "L5H4", "L2H3", "L4H2", "L2H2"])
def test_equals_the_formula(rng, size):
    small = source(rng, class_token=True, layer_scale=0.5)
    arrays = small.arrays()
    layer = make(size, small)
    for variable in layer.trainable_variables:
        variable.assign(0.5 * rng.standard_normal(variable.shape))
    made, expected = layer(), grown_by_loops(layer, arrays)
    target = sk.ViTBackbone(
        size, image_shape=SHAPE, patch_size=4, head_dim=4, class_token=True, layer_scale=1.0
    )
    shapes = {name: array.shape for name, array in target.arrays().items()}
    assert set(made) == set(layer.names) == set(expected) == set(shapes)
    for name, array in expected.items():
        assert tuple(made[name].shape) == shapes[name]
        np.testing.assert_allclose(numpy(made[name]), array, atol=1e-4, err_msg=name)


def test_equal_axes_have_no_operator(rng):
    assert not make("L2H2", source(rng)).trainable_variables
    deeper, wider = make("L3H2", source(rng)), make("L2H3", source(rng))
    assert {tuple(v.shape) for v in deeper.trainable_variables} == {(3, 2)}
    assert {tuple(v.shape) for v in wider.trainable_variables} == {(4, 8), (16, 32)}


def test_new_channels_of_zeros_pad_the_kernels(rng):
    """With E = 0 the old channels hold what they held, scaled where they are read."""
    small = source(rng)
    arrays = small.arrays()
    layer = make("L2H4", small)
    for variable in layer.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    made = {name: numpy(tensor) for name, tensor in layer().items()}
    np.testing.assert_array_equal(made["patch/kernel"][:, :8], arrays["patch/kernel"])
    np.testing.assert_array_equal(made["patch/kernel"][:, 8:], 0)
    np.testing.assert_allclose(made["output/kernel"][:, :8, :8], arrays["output/kernel"] / 2)
    np.testing.assert_array_equal(made["output/kernel"][:, 8:], 0)
    np.testing.assert_array_equal(made["output/kernel"][:, :, 8:], 0)


@pytest.mark.parametrize("stacked, order", [(False, [0, 0, 1, 1, 2, 2]), (True, [0, 1, 2] * 2)])
def test_layers_start_as_copies(rng, stacked, order):
    small = source(rng, "L3H2")
    made = make("L6H2", small, stacked=stacked)()
    for name in ("qkv/kernel", "mlp_in/bias", "norm2/scale"):
        np.testing.assert_allclose(numpy(made[name]), small.arrays()[name][order], atol=1e-6)


def test_only_the_operators_are_trainable(rng):
    layer = make("L3H3", source(rng))
    operators = [*layer.width_variables.values(), *layer.depth_variables.values()]
    assert {id(v) for v in layer.trainable_variables} == {id(v) for v in operators}


def test_configuration(rng):
    layer = make("L3H3", source(rng), stacked=True)
    check_config_round_trip(layer)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    again.set_weights(layer.get_weights())
    for name, tensor in layer().items():
        np.testing.assert_array_equal(numpy(again()[name]), numpy(tensor))


@pytest.mark.parametrize("size", ["L1H2", "L2H1", "L9H1"])
def test_a_smaller_target_is_refused(rng, size):
    with pytest.raises(ValueError, match=rf"no shallower and no narrower.*L2H2\. Received: {size}"):
        GrowthOperators(size, source(rng))
