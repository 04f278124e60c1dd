import numpy as np
import pytest
from keras_checks import images, numpy, randomize

import sweet_keras as sk
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
