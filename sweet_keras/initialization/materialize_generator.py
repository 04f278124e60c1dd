"""From a generator that carries a template to a plain one of any size."""

from __future__ import annotations

from typing import Any

from sweet_keras.core.size import ViTSize
from sweet_keras.initialization.adapt import REST_RATE
from sweet_keras.initialization.brief_fit import count_steps, fit_briefly, tokens_in_step
from sweet_keras.initialization.fine import fine_start
from sweet_keras.initialization.materialize import materialize
from sweet_keras.initialization.resized_generator import resized_generator
from sweet_keras.layers.singular_template import SingularTemplate
from sweet_keras.layers.sweet_template_vit import SweetTemplateViT
from sweet_keras.models.generated_vit import GeneratedViT
from sweet_keras.models.image_generator import ImageGenerator
from sweet_keras.models.pixel_range import warn_unless_pixels
from sweet_keras.models.vit_backbone import ViTBackbone


def materialize_generator(
    generator: ImageGenerator,
    size: str | ViTSize | None = None,
    *,
    adapt: Any = None,
    epochs: float = 1.0,
    batch_size: int = 128,
    learning_rate: float = 2e-2,
    steps: int | None = None,
    seed: int | None = None,
) -> ImageGenerator:
    """Makes a generator with ordinary kernels, of the same size or another.

    Nothing of a template or of another constraint is left in it. It is trained on without
    constraints, and makes images faster: kernels need not be built in every step. At its own size
    it computes the same as before; at a sub-network's, the same as that.

    Args:
        generator: Around a `SweetTemplateViT`, or a `GeneratedViT`: by `fine_vit`, or of any other
            kind if the size stays.
        size: Such as `"L3H3"`; its own by default.
        adapt: A pair (images, labels), or a data set of batches of them together with `steps`, to
            which the scalers are fitted at the new size by the generator's loss, the template
            frozen. All else follows at a tenth of the rate, as in `sweet_keras.adapt`.
        epochs: Passes over the images.
        batch_size: Images in a step.
        learning_rate: Highest rate of the scalers.
        steps: Number of steps instead of `epochs`.
        seed: Of shuffling, noise and times.

    Returns:
        A built, uncompiled `ImageGenerator` around a `ViTBackbone`.

    Raises:
        ValueError: If the generator is a plain one already, its attention has windows, or its
            constraint has no other size.

    Example:
    ```python
    small = sk.materialize_generator(generator, "L3H3", adapt=(images, labels), steps=400)
    small.compile(optimizer=sk.KernelMuon())
    small.fit(images, labels)
    ```
    """
    backbone = generator.backbone
    fits = isinstance(backbone, GeneratedViT) or (
        isinstance(backbone, SweetTemplateViT) and backbone.window is None
    )
    if not fits:
        raise ValueError(
            "`generator` must be around a GeneratedViT or a SweetTemplateViT without windows. "
            f"Received: {type(backbone).__name__}"
        )
    if not generator.built:
        generator.build()
    if adapt is None:
        return resized_generator(generator, _plain(backbone, size))
    steps, batch_size = count_steps(adapt, epochs, batch_size, steps)
    if isinstance(adapt, tuple):
        warn_unless_pixels(adapt[0])
    fitted = resized_generator(generator, _frozen(backbone, size, batch_size), seed)
    fit_briefly(fitted, adapt, steps, batch_size, learning_rate, rest_rate=REST_RATE, seed=seed)
    return resized_generator(fitted, _plain(fitted.backbone))


def _plain(
    backbone: SweetTemplateViT | GeneratedViT, size: str | ViTSize | None = None
) -> ViTBackbone:
    """The kernels of a size, written out."""
    if isinstance(backbone, SweetTemplateViT):
        options = {"drop_path": backbone.drop_path, "dtype": backbone.dtype_policy}
        return materialize(backbone.template(), size, **options)
    if size is not None and ViTSize.parse(size, backbone.head_dim) != backbone.size:
        backbone = _of_size(backbone, size)
    return backbone.materialize()


def _frozen(
    backbone: SweetTemplateViT | GeneratedViT, size: str | ViTSize | None, batch_size: int
) -> SweetTemplateViT | GeneratedViT:
    """The network under its constraint in a size, what is shared between sizes frozen."""
    size = size or backbone.size
    if isinstance(backbone, GeneratedViT):
        return _of_size(backbone, size)
    template = backbone.template().resize(size)
    return SweetTemplateViT(
        template,
        drop_path=backbone.drop_path,
        tokens=tokens_in_step(template, batch_size),
        dtype=backbone.dtype_policy,
    )


def _of_size(backbone: GeneratedViT, size: str | ViTSize) -> GeneratedViT:
    if not isinstance(backbone.expansion, SingularTemplate):
        raise ValueError(
            "`size` and `adapt` go with a SweetTemplateViT, or a network by `fine_vit`. "
            f"Received: size={str(size)!r}, a {type(backbone.expansion).__name__}"
        )
    return fine_start(backbone, size)
