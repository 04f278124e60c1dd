"""From a generator that carries a template to a plain one."""

from __future__ import annotations

from sweet_keras.initialization.materialize import materialize
from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.image_generator import ImageGenerator


def materialize_generator(generator: ImageGenerator) -> ImageGenerator:
    """Makes a generator with ordinary kernels that computes the same.

    Nothing of a template or of another constraint is left in it. It is trained on without
    constraints, and makes images faster: kernels need not be built in every step.

    Args:
        generator: Around a `SweetTemplateViT` or a `GeneratedViT`.

    Returns:
        A built, uncompiled `ImageGenerator` around a `ViTBackbone`.

    Raises:
        ValueError: If the generator is a plain one already, or its attention has windows.
    """
    backbone = generator.backbone
    if isinstance(backbone, GeneratedViT):
        network = backbone.materialize()
    elif isinstance(backbone, SweetTemplateViT) and backbone.window is None:
        network = materialize(
            backbone.template(), drop_path=backbone.drop_path, dtype=backbone.dtype_policy
        )
    else:
        raise ValueError(
            "`generator` must be around a GeneratedViT or a SweetTemplateViT without windows. "
            f"Received: {type(backbone).__name__}"
        )
    plain = ImageGenerator(
        network,
        generator.classes,
        objective=generator.objective,
        label_dropout=generator.label_dropout,
        encoder=generator.encoder,
        decoder=generator.decoder,
        seed=generator.seed,
    )
    plain.build()
    for layer in ("conditioning", "pixels"):
        old, new = getattr(generator, layer), getattr(plain, layer)
        for target, source in zip(new.variables, old.variables, strict=True):
            target.assign(to_numpy(source))
    return plain
