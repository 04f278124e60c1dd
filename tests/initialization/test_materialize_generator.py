import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk
from sweet_keras.initialization.fine import fine_vit
from sweet_keras.initialization.wave import kronecker_vit

SHAPE = (8, 12, 2)


def template_vit():
    return sk.SweetTemplateViT(
        "L2H3", image_shape=SHAPE, patch_size=4, head_dim=4, ranks=(9, 11, 12), subnetworks=["L1H2"]
    )


def kronecker():
    vit = sk.ViTBackbone("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4)
    return kronecker_vit(vit, templates=2)


@pytest.mark.parametrize("backbone", [template_vit, kronecker])
def test_plain_generator_makes_the_same_images(rng, backbone):
    """A template is learned by generating, and leaves nothing in the network that is kept."""
    generator = sk.ImageGenerator(backbone(), 3, objective="ddpm", label_dropout=0.2)
    generator.build()
    randomize(generator, rng, 0.15)
    generator.compile(optimizer="adamw")
    generator.fit(images(rng, 8, SHAPE), np.arange(8) % 3, verbose=0)
    plain = sk.materialize_generator(generator)
    assert type(plain.backbone) is sk.ViTBackbone
    assert (plain.objective, plain.label_dropout) == ("ddpm", 0.2)
    settings = {"steps": 3, "seed": 1, "dtype": "float32"}
    np.testing.assert_allclose(
        plain.generate([0, 1, 2], **settings), generator.generate([0, 1, 2], **settings), atol=0.05
    )
    plain.compile(optimizer="adamw")
    plain.fit(images(rng, 8, SHAPE), np.arange(8) % 3, verbose=0)


def test_its_template_is_a_template_like_any_other(rng, tmp_path):
    """Saved, cut to another size and written out, it is the backbone of classifier or generator."""
    generator = sk.ImageGenerator(template_vit(), 3)
    generator.build()
    randomize(generator, rng)
    generator.template({"epochs": 1}).save(tmp_path / "made.sweet")
    template = sk.SweetTemplate.load(tmp_path / "made.sweet")
    vit = sk.materialize(template)
    x = images(rng, 2, SHAPE)
    np.testing.assert_allclose(numpy(vit(x)), numpy(generator.backbone(x)), atol=1e-4)
    small = sk.ImageGenerator(sk.materialize(template, "L1H2"), 3)
    assert small.generate([0], steps=1).shape == (1, *SHAPE)


def test_plain_generator_cannot_be_materialized():
    vit = sk.ViTBackbone("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4)
    with pytest.raises(ValueError, match=r"must be around a GeneratedViT .* Received: ViTBackbone"):
        sk.materialize_generator(sk.ImageGenerator(vit, 3))


def trained(rng, backbone):
    generator = sk.ImageGenerator(backbone, 3, seed=0)
    generator.build()
    randomize(generator, rng, 0.15)
    return generator


def test_another_size_is_the_sub_network_that_was_trained(rng):
    """Conditioning and last map are cut as the network itself cuts them in training."""
    backbone = sk.SweetTemplateViT("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4)
    generator = trained(rng, backbone)
    noisy = rng.normal(size=(3, 6, 32)).astype("float32")
    time, labels = np.array([0.1, 0.5, 0.9], "float32"), np.array([0, 2, 3])
    small = sk.materialize_generator(generator, "L2H2")
    assert type(small.backbone) is sk.ViTBackbone
    np.testing.assert_allclose(
        numpy(small.denoise(noisy, time, labels)),
        numpy(generator.denoise(noisy, time, labels, heads=2)),
        atol=1e-4,
    )
    shallow = sk.materialize_generator(generator, "L1H3")
    for name, axis in (("block_modulation", 0), ("gate_bias", 0)):
        whole, part = (numpy(getattr(g.conditioning, name)) for g in (generator, shallow))
        np.testing.assert_array_equal(part, whole.take([1], axis))


@pytest.mark.parametrize("constraint", ["template", "singular"])
def test_adapting_another_size_lowers_the_loss_and_keeps_what_is_shared(rng, constraint):
    if constraint == "template":
        backbone = template_vit()
    else:
        vit = sk.ViTBackbone("L2H3", image_shape=SHAPE, patch_size=4, head_dim=4)
        backbone = fine_vit(vit)
    generator = trained(rng, backbone)
    before = [numpy(variable).copy() for variable in generator.variables]
    data = images(rng, 16, SHAPE), np.arange(16) % 3
    sliced = sk.materialize_generator(generator, "L1H2")
    adapted = sk.materialize_generator(
        generator, "L1H2", adapt=data, steps=30, batch_size=16, seed=0
    )

    def loss(model):
        fixed = {"noise": noise, "time": time, "hidden": np.zeros(16, bool)}
        return float(numpy(model.compute_loss(y=data[1], y_pred=model(data[0], **fixed))))

    noise = rng.normal(size=(16, *SHAPE)).astype("float32")
    time = np.linspace(0.1, 0.9, 16, dtype="float32")
    assert loss(adapted) < 0.95 * loss(sliced)
    for old, variable in zip(before, generator.variables, strict=True):
        np.testing.assert_array_equal(old, numpy(variable))


def test_a_constraint_without_other_sizes_is_refused(rng):
    generator = trained(rng, kronecker())
    with pytest.raises(ValueError, match=r"`size` and `adapt` go with .* a KroneckerTemplate"):
        sk.materialize_generator(generator, "L1H3")
