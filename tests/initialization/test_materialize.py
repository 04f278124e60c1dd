import subprocess
import sys

import keras
import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk

SHAPE = (8, 12, 2)


def template(rng, size="L3H2", **options):
    layer = sk.SweetTemplateViT(
        size, image_shape=SHAPE, patch_size=4, head_dim=4, ranks=(9, 7, 8), **options
    )
    layer.build()
    randomize(layer, rng)
    return layer.template()


def w_of(template):
    g, x, u, v = template.factors
    return np.einsum("kpq,bk,ip,jq->bij", g, x, u, v, optimize=True)


@pytest.mark.parametrize("size", ["L1H1", "L2H1", "L3H2", "L6H2", "L2H4", "L5H3"])
def test_any_size(rng, size):
    vit = sk.materialize(template(rng), size)
    x = images(rng, 2, SHAPE)
    assert numpy(vit(x)).shape == (2, 6, vit.size.embed_dim)
    assert str(vit.size) == size
    assert type(vit) is sk.ViTBackbone
    assert len(vit.trainable_variables) == 4 + 12 * vit.size.depth


def test_narrow_and_shallow_kernels_are_cut_out_of_w(rng):
    source = template(rng)
    arrays = sk.materialize(source, "L2H1").arrays()
    w = w_of(source).reshape(3, 12, 8, 8)[[0, 2], :, :4, :4]
    expected = {
        "qkv/kernel": np.concatenate([w[:, 0], w[:, 1], w[:, 2]], axis=2),
        "output/kernel": w[:, 3],
        "mlp_in/kernel": np.concatenate([w[:, i] for i in range(4, 8)], axis=2),
        "mlp_out/kernel": np.concatenate([w[:, i] for i in range(8, 12)], axis=1),
        "norm1/scale": source.arrays["norm1/scale"][[0, 2], :4],
        "positions": source.arrays["positions"][:, :4],
    }
    for name, array in expected.items():
        np.testing.assert_allclose(arrays[name], array, atol=1e-5)


@pytest.mark.parametrize("class_token", [False, True])
def test_twice_the_width_keeps_the_function(rng, class_token):
    source = template(rng, class_token=class_token)
    x = images(rng, 2, SHAPE)
    narrow, wide = (numpy(sk.materialize(source, size)(x)) for size in ("L3H2", "L3H4"))
    np.testing.assert_allclose(wide, np.concatenate([narrow, narrow], axis=-1), atol=2e-5)


def test_positions_are_interpolated(rng):
    vit = sk.materialize(template(rng, positions="learned"), image_shape=(16, 8, 2))
    assert vit.image_shape == (16, 8, 2)
    assert numpy(vit(images(rng, 1, (16, 8, 2)))).shape == (1, 8, 8)


def test_options_reach_the_model(rng):
    vit = sk.materialize(template(rng), drop_path=0.2, dtype="mixed_bfloat16")
    assert vit.drop_path == 0.2
    assert vit.dtype_policy.name == "mixed_bfloat16"


def test_random_twin_has_the_same_geometry(rng):
    source = template(rng, class_token=True, positions="learned", pixel_mean=100.0)
    twin = sk.vit_like(source, "L2H1")
    config = {**sk.materialize(source, "L2H1").get_config(), "name": twin.name}
    assert twin.get_config() == config


def test_loads_in_a_fresh_process(rng, tmp_path):
    """A saved model needs keras and the import of this package, nothing else."""
    model = sk.ImageClassifier(sk.materialize(template(rng), "L2H1"), 3)
    x = images(rng, 2, SHAPE)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "case.npz", x=x, y=numpy(model(x)))
    code = """
import keras, numpy, sweet_keras, sys
case = numpy.load(sys.argv[2])
model = keras.saving.load_model(sys.argv[1])
numpy.testing.assert_allclose(model.predict(case["x"], verbose=0), case["y"], atol=1e-5)
print("equal")
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    output = subprocess.check_output(
        [*command, str(tmp_path / "model.keras"), str(tmp_path / "case.npz")], text=True
    )
    assert output.split()[-1] == "equal"


def test_bad_arguments(rng):
    source = template(rng)
    with pytest.raises(ValueError, match="`epochs` go with `adapt`"):
        sk.materialize(source, "L1H1", epochs=1)
    with pytest.raises(ValueError, match="`size` must have heads of 4 channels"):
        sk.materialize(source, sk.ViTSize(1, 1, 8))
    with pytest.raises(ValueError, match="`depth_map` must be one of nearest, linear"):
        sk.materialize(source, "L1H1", depth_map="cubic")


def test_trained_classifier_is_plain_keras(rng):
    model = keras.Sequential(
        [
            sk.materialize(template(rng), "L1H1"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(images(rng, 8, SHAPE), rng.integers(0, 2, 8), verbose=0)
    assert np.isfinite(history.history["loss"][0])
