"""Orders of channels, heads and hidden units against loops over a network in plain numpy."""

import numpy as np
import pytest
import reference_vit
from keras_checks import images, numpy, randomize

import sweet_keras as sk
from sweet_keras.core.channel_order import moments_of_weights, order_by_energy
from sweet_keras.initialization.order_channels import find_order, measure_moments

SHAPE = (8, 12, 2)
FORM = {"register_tokens": 2, "norm_epsilon": 1e-5, "mlp_ratio": 3, "activation": "gelu_tanh"}


def network(rng, size="L2H3", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    # Channels, heads and hidden units of very different sizes.
    arrays = vit.arrays()
    arrays["norm1/scale"] *= rng.exponential(size=vit.embed_dim)
    arrays["mlp_out/kernel"] *= rng.exponential(size=(*arrays["mlp_out/kernel"].shape[:2], 1))
    vit.load_arrays({name: np.asarray(array, "float32") for name, array in arrays.items()})
    return vit


def energy_of_prefix(vit, moments, heads):
    """What the first heads hold of the energy that is read from channels, and written."""
    arrays, dim, d = vit.arrays(), vit.embed_dim, vit.head_dim
    cut, held, total = heads * d, np.zeros(3), np.zeros(3)
    ratio = vit.mlp_ratio

    def count(which, energy, inside):
        total[which] += energy
        held[which] += energy * inside

    for c in range(dim):
        count(0, moments.final[c], c < cut)
    for layer in range(vit.size.depth):
        scale1, scale2 = (
            arrays[f"layer_scale{i}"][layer] if vit.layer_scale is not None else 1.0 for i in (1, 2)
        )
        for c in range(dim):
            for name, moment in (("qkv", moments.norm1), ("mlp_in", moments.norm2)):
                row = arrays[f"{name}/kernel"][layer][c]
                count(0, moment[layer, c] * np.sum(row**2), c < cut)
        for h in range(vit.size.num_heads):
            rows = arrays["output/kernel"][layer][h * d : (h + 1) * d] * scale1
            written = np.trace(rows.T @ moments.attended[layer, h] @ rows)
            count(1, written, h < heads)
        for u in range(ratio * dim):
            row = arrays["mlp_out/kernel"][layer][u] * scale2
            count(2, moments.hidden[layer, u] * np.sum(row**2), u % dim < cut)
    return held / total


@pytest.mark.parametrize("by", ["energy", "activation"])
@pytest.mark.parametrize("options", [{}, {"class_token": True, "layer_scale": 0.3, **FORM}])
def test_the_function_stays_and_a_prefix_holds_more(rng, by, options):
    vit = network(rng, **options)
    x = images(rng, 8, SHAPE)
    given = x if by == "activation" else None
    ordered = sk.order_channels(vit, by, given)
    order = find_order(vit, vit.arrays(), by, given)
    assert sorted(order.channels) == list(range(12))
    expected = numpy(vit(x))[..., order.channels]
    np.testing.assert_allclose(numpy(ordered(x)), expected, atol=5e-5)
    before, after = (
        measure_moments(v, x) if given is not None else moments_of_weights(v.arrays(), 3)
        for v in (vit, ordered)
    )
    for heads in (1, 2):
        held = energy_of_prefix(ordered, after, heads)
        assert (held > energy_of_prefix(vit, before, heads) + 1e-3).all()
        assert (held > heads / 3).all()
    again = order_by_energy(ordered.arrays(), after)
    np.testing.assert_array_equal(again.channels, np.arange(12))
    np.testing.assert_array_equal(again.heads, [np.arange(3)] * 2)


def test_measured_moments_are_those_of_numpy(rng, monkeypatch):
    vit = network(rng, class_token=True, **FORM)
    x = images(rng, 3, SHAPE)
    seen = {"norm": [], "attention": [], "gelu": []}
    for name, function in (
        ("norm", reference_vit.layer_norm),
        ("attention", reference_vit.attention),
        ("gelu", reference_vit.gelu),
    ):

        def record(*args, name=name, function=function):
            seen[name].append(function(*args))
            return seen[name][-1]

        monkeypatch.setattr(reference_vit, "layer_norm" if name == "norm" else name, record)
    reference_vit.vit(x, vit.arrays(), 3, 4, epsilon=1e-5, activation="gelu_tanh")
    moments = measure_moments(vit, x, batch_size=2)
    norms, tokens = np.array(seen["norm"]).reshape(3, 5, 9, 12), 27
    for layer in range(2):
        for at, mine in ((2 * layer, moments.norm1), (2 * layer + 1, moments.norm2)):
            np.testing.assert_allclose(mine[layer], (norms[:, at] ** 2).mean((0, 1)), rtol=1e-4)
        hidden = np.array(seen["gelu"])[layer::2]
        np.testing.assert_allclose(moments.hidden[layer], (hidden**2).mean((0, 1)), rtol=1e-4)
        attended = np.array(seen["attention"])[layer::2].reshape(tokens, 3, 4)
        for head in range(3):
            outer = sum(np.outer(row, row) for row in attended[:, head]) / tokens
            np.testing.assert_allclose(moments.attended[layer, head], outer, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(moments.final, (norms[:, 4] ** 2).mean((0, 1)), rtol=1e-4)


def test_moments_of_weights_are_those_of_a_linear_network(rng):
    """Of random tokens with independent channels that the norm's scale and bias made."""
    vit = network(rng, mlp_ratio=3)
    arrays = vit.arrays()
    moments = moments_of_weights(arrays, 3)
    noise = rng.choice([-1.0, 1.0], size=(20_000, 12))
    for layer in range(2):
        # The bias is as random as the rest: signs of its own.
        x = noise * np.sqrt(arrays["norm1/scale"][layer] ** 2 + arrays["norm1/bias"][layer] ** 2)
        np.testing.assert_allclose(moments.norm1[layer], (x**2).mean(0), rtol=1e-5)
        value = x @ arrays["qkv/kernel"][layer][:, 24:] + arrays["qkv/bias"][layer, 2]
        for head in range(3):
            part = value[:, 4 * head : 4 * head + 4]
            outer = part.T @ part / len(part)
            scale = np.abs(outer).max()
            np.testing.assert_allclose(moments.attended[layer, head], outer, atol=0.06 * scale)
        x = noise * np.sqrt(arrays["norm2/scale"][layer] ** 2 + arrays["norm2/bias"][layer] ** 2)
        hidden = x @ arrays["mlp_in/kernel"][layer] + arrays["mlp_in/bias"][layer].reshape(-1)
        np.testing.assert_allclose(moments.hidden[layer], (hidden**2).mean(0), rtol=0.08)


def test_what_does_nothing_goes_last(rng):
    vit = network(rng)
    arrays = vit.arrays()
    arrays["output/kernel"][0, 4:8] = 0  # the second head writes nothing
    arrays["mlp_out/kernel"][1, [0, 5, 13]] = 0
    arrays["norm1/scale"][:, 7] = arrays["norm1/bias"][:, 7] = 0
    arrays["norm2/scale"][:, 7] = arrays["norm2/bias"][:, 7] = 0
    arrays["final_norm/scale"][7] = arrays["final_norm/bias"][7] = 0
    vit.load_arrays(arrays)
    x = images(rng, 4, SHAPE)
    for by, given in (("energy", None), ("activation", x)):
        order = find_order(vit, vit.arrays(), by, given)
        assert order.heads[0, -1] == 1
        assert order.channels[-1] == 7
        # The last column of the four blocks of `mlp_in`.
        assert {0, 5, 13} < set(order.hidden[1, [11, 23, 35, 47]])
    template = sk.decompose(vit, order="activation", images=x)
    assert template.record["decomposition"]["channels"] == order.channels.tolist()
    expected = numpy(vit(x))[..., order.channels]
    np.testing.assert_allclose(numpy(sk.materialize(template)(x)), expected, atol=2e-5)


def test_in_16_bits(rng):
    vit = network(rng)
    half = sk.ViTBackbone.from_config({**vit.get_config(), "dtype": "mixed_bfloat16"})
    half.load_arrays(vit.arrays())
    x = images(rng, 4, SHAPE)
    for mine, exact in zip(measure_moments(half, x), measure_moments(vit, x), strict=True):
        np.testing.assert_allclose(mine, exact, atol=0.1 * np.abs(exact).max())
    assert sk.order_channels(half).dtype_policy.name == "mixed_bfloat16"


def test_images_go_with_activation_only(rng):
    vit = network(rng)
    for by, given in (("activation", None), ("energy", images(rng, 2, SHAPE))):
        with pytest.raises(ValueError, match="`images` go with the order 'activation'"):
            sk.order_channels(vit, by, given)
    with pytest.raises(ValueError, match="`order` must be one of none, energy, activation"):
        sk.order_channels(vit, "random")
    for none in (images(rng, 2, SHAPE)[:0], images(rng, 2, SHAPE) * np.nan):
        with pytest.raises(ValueError, match="`images` must hold one image or more, and no NaN"):
            sk.order_channels(vit, "activation", none)
