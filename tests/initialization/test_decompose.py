"""Templates made from trained networks."""

import numpy as np
import pytest
import tensorly
from keras_checks import images, numpy, randomize
from tensorly.decomposition import tucker

import sweet_keras as sk

# The numbers are those of numpy; networks of a template are tested on every backend.
pytestmark = pytest.mark.once

SHAPE = (8, 12, 2)
FORM = {"register_tokens": 2, "norm_epsilon": 1e-5, "mlp_ratio": 3, "activation": "gelu_tanh"}
VARIANTS = {
    "plain": {},
    "options": {
        **{"class_token": True, "positions": "learned", "layer_scale": 0.5},
        **{"pixel_mean": (90.0, 100.0), "pixel_std": (50.0, 60.0)},
    },
    "form": {"class_token": True, **FORM},
}


def network(rng, size="L3H3", **options):
    vit = sk.ViTBackbone(size, image_shape=SHAPE, patch_size=4, head_dim=4, **options)
    randomize(vit, rng)
    return vit


def tensor(vit):
    """W (blocks, D, D) from the kernels, cut by hand."""
    arrays, dim, blocks = vit.arrays(), vit.embed_dim, []
    for layer in range(vit.size.depth):
        for name in ("qkv", "output", "mlp_in"):
            kernel = arrays[f"{name}/kernel"][layer]
            blocks += np.split(kernel, kernel.shape[1] // dim, axis=1)
        kernel = arrays["mlp_out/kernel"][layer]
        blocks += np.split(kernel, len(kernel) // dim, axis=0)
    return np.stack(blocks).astype("float64")


def relative_error(template, w):
    near = np.einsum("kpq,bk,ip,jq->bij", *template.factors)
    return np.linalg.norm(near - w) / np.linalg.norm(w)


@pytest.mark.parametrize("variant", VARIANTS)
def test_full_ranks_are_the_network(rng, variant):
    vit = network(rng, **VARIANTS[variant])
    template = sk.decompose(vit)
    x = images(rng, 2, SHAPE)
    made = sk.materialize(template)
    np.testing.assert_allclose(numpy(made(x)), numpy(vit(x)), atol=1e-5)
    config = {**vit.get_config(), "name": made.name}
    if vit.layer_scale is not None:
        config["layer_scale"] = 1.0  # its start; the values are loaded
    assert made.get_config() == config
    np.testing.assert_allclose(numpy(sk.SweetTemplateViT(template)(x)), numpy(vit(x)), atol=2e-5)
    assert template.record["decomposition"]["error"] == 0
    assert template.ranks == tensor(vit).shape


@pytest.mark.parametrize("ranks", [(10, 12, 12), (36, 7, 7), (20, 9, 8), (5, 4, 6)])
def test_as_good_as_tensorly(rng, ranks):
    vit = network(rng)
    w = tensor(vit)
    template = sk.decompose(vit, ranks)
    assert template.ranks == ranks
    error = relative_error(template, w)
    theirs = tucker(tensorly.tensor(w), rank=list(ranks), n_iter_max=100)
    assert error < 1.01 * (
        np.linalg.norm(tensorly.tucker_to_tensor(theirs) - w) / np.linalg.norm(w)
    )
    record = template.record["decomposition"]
    np.testing.assert_allclose(record["error"], error, rtol=1e-4)
    near = sk.materialize(template).arrays()
    for kind in ("output", "mlp_in", "mlp_out"):
        for layer, kernel in enumerate(vit.arrays()[f"{kind}/kernel"]):
            missed = near[f"{kind}/kernel"][layer] - kernel
            expected = np.linalg.norm(missed) / np.linalg.norm(kernel)
            np.testing.assert_allclose(record["errors"][kind][layer], expected, rtol=1e-3)
    values = vit.arrays()["qkv/kernel"][1, :, 24:]
    missed = near["qkv/kernel"][1, :, 24:] - values
    expected = np.linalg.norm(missed) / np.linalg.norm(values)
    np.testing.assert_allclose(record["errors"]["value"][1], expected, rtol=1e-3)


def test_ranks_by_energy_and_by_parameters(rng):
    vit = network(rng)
    w = tensor(vit)
    for energy in (0.5, 0.9):
        template = sk.decompose(vit, energy=energy)
        assert 1 - relative_error(template, w) ** 2 >= energy
        assert template.factors.core.size < w.size
    whole = sk.decompose(vit)
    smaller = 0
    for budget in (2000, 3000, 5000):
        template = sk.decompose(vit, "auto", max_parameters=budget)
        assert smaller < template.parameters <= budget
        smaller = template.parameters
    assert whole.parameters > budget
    assert sk.decompose(vit, "auto").ranks == sk.decompose(vit, energy=0.95).ranks
    spectrum = sk.decompose(vit, (1, 1, 1)).record["decomposition"]["spectrum"]["outputs"]
    values = np.linalg.svd(np.moveaxis(w, 2, 0).reshape(12, -1), compute_uv=False) ** 2
    np.testing.assert_allclose(spectrum["kept"], np.cumsum(values) / values.sum(), atol=1e-5)
    assert spectrum["ranks"] == list(range(1, 13))


def test_from_a_file(rng, tmp_path):
    vit = network(rng)
    path = tmp_path / "vit.keras"
    vit.save(path)
    for given in (path, str(path)):
        template = sk.decompose(given, (9, 9, 9))
        expected = sk.decompose(vit, (9, 9, 9))
        for name, array in expected.arrays.items():
            np.testing.assert_array_equal(template.arrays[name], array)
    with pytest.raises(FileNotFoundError, match="none"):
        sk.decompose(tmp_path / "none.keras")


def test_saved_and_loaded(rng, tmp_path):
    template = sk.decompose(network(rng, **VARIANTS["form"]), (10, 9, 8), order="energy")
    template.save(tmp_path / "t.sweet")
    loaded = sk.SweetTemplate.load(tmp_path / "t.sweet")
    assert loaded.record == template.record
    for name, array in template.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)


@pytest.mark.parametrize("order", ["none", "energy"])
def test_the_decoder_of_a_masked_autoencoder_is_kept(rng, order):
    mae = sk.MaskedAutoencoder(network(rng), mask_ratio=0.5, decoder="L1H1")
    mae.build()
    randomize(mae, rng)
    template = sk.decompose(mae, order=order)
    again = sk.MaskedAutoencoder.from_template(template, mask_ratio=0.5)
    x, noise = images(rng, 2, SHAPE), rng.random((2, 6)).astype("float32")
    one, other = (numpy(m(x, noise=noise)["prediction"]) for m in (mae, again))
    np.testing.assert_allclose(one, other, atol=5e-5)


def test_the_network_is_left_as_it_was(rng):
    vit = network(rng)
    before = vit.get_weights()
    sk.decompose(vit, (5, 5, 5), order="energy")
    for old, new in zip(before, vit.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ranks": "half"}, "`ranks` must be 'full', 'auto' or three positive integers. Rec"),
        ({"ranks": (37, 12, 12)}, r"`ranks` must be from 1 to \(36, 12, 12\). Received: \(37"),
        ({"ranks": (1, 2)}, "`ranks` must be three positive integers"),
        ({"ranks": (1, 1, 1), "energy": 0.5}, "go with the ranks 'auto', one of them. Received"),
        ({"energy": 0.5, "max_parameters": 9}, "go with the ranks 'auto', one of them. Received"),
        ({"energy": 1.5}, r"`energy` must be in \(0, 1\]. Received: 1.5"),
        ({"max_parameters": 100}, "`max_parameters` must leave room for ranks of one"),
        (
            {"order": "random"},
            "`order` must be one of none, energy, activation. Received: 'random'",
        ),
        ({"order": "activation"}, "`images` go with the order 'activation', and only with it"),
    ],
)
def test_bad_arguments(rng, arguments, message):
    with pytest.raises(ValueError, match=message):
        sk.decompose(network(rng), **arguments)


def test_a_template_network_is_refused():
    layer = sk.SweetTemplateViT("L1H1", image_shape=SHAPE, patch_size=4, head_dim=4)
    for thing in (layer, sk.MaskedAutoencoder(layer), None):
        with pytest.raises(ValueError, match="`vit` must be a ViTBackbone, a Masked"):
            sk.decompose(thing)
