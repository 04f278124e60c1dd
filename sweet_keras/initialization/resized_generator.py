"""A generator around a backbone of another size."""

from __future__ import annotations

from sweet_keras.core import resize
from sweet_keras.layers.conditioning import Conditioning
from sweet_keras.layers.stacked_weights import to_numpy
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.models.vit_backbone import ViTBackbone


def resized_generator(
    source: ImageGenerator,
    backbone: ViTBackbone | SweetTemplateViT | GeneratedViT,
    seed: int | None = None,
) -> ImageGenerator:
    """Puts what makes a generator of a network on another network.

    Embeddings of time and label, modulation and the last linear map are taken over by head prefix
    and evenly spaced layers: as within the template the sub-networks have them.

    Args:
        source: A built generator; it stays as it is.
        backbone: A network of any size, for the same images or latents.
        seed: Of noise, times and hidden labels in training, by default the source's.

    Returns:
        A built, uncompiled generator.
    """
    generator = ImageGenerator(
        backbone,
        source.classes,
        objective=source.objective,
        label_dropout=source.label_dropout,
        encoder=source.encoder,
        decoder=source.decoder,
        seed=source.seed if seed is None else seed,
    )
    generator.build()
    layers = resize.depth_map(source.backbone.size.depth, backbone.size.depth)

    def hand_on(layer: str, name: str, axes: tuple[str, ...]) -> None:
        array = to_numpy(getattr(getattr(source, layer), name))
        array = resize.resize_array(array, axes, backbone.embed_dim, layers)
        getattr(getattr(generator, layer), name).assign(array)

    for name, axes in Conditioning.AXES.items():
        hand_on("conditioning", name, axes)
    hand_on("pixels", "kernel", ("I", "P"))
    hand_on("pixels", "bias", ("P",))
    return generator
