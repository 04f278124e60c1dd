"""`sweet import`: from the checkpoint of another library to a network or a template."""

from pathlib import Path
from typing import Any

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.template import SweetTemplate
from sweet_keras.formats.load_vit import load_vit
from sweet_keras.initialization.decompose import decompose
from sweet_keras.models.vit_backbone import ViTBackbone
from sweet_keras.runs.geometry import parse_image_size, parse_ranks
from sweet_keras.runs.import_config import ImportConfig


def import_vit(config: ImportConfig) -> tuple[ViTBackbone, SweetTemplate | None]:
    """Reads a checkpoint, and writes a network or a template.

    Args:
        config: All options.

    Returns:
        The network that was read, and the template if one was asked for.

    Raises:
        ValueError: If the checkpoint is none, the options do not fit it, or the file is there.
    """
    out = Path(config.out)
    if out.exists() and not config.overwrite:
        raise ValueError(
            f"OUT must be new; pass --overwrite to replace it. Received: {config.out}, which exists"
        )
    given: dict[str, Any] = {
        "num_heads": config.heads,
        "native_shape": config.native_size and parse_image_size(config.native_size),
        "pixel_mean": config.pixel_mean or None,
        "pixel_std": config.pixel_std or None,
    }
    if config.image_size is not None:
        # The channels are the checkpoint's.
        given["image_shape"] = parse_image_size(config.image_size)
    vit = load_vit(config.source, **given)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".keras":
        with atomic_write(out) as temporary:
            vit.save(temporary)
        return vit, None
    ranks = config.ranks if config.ranks in (None, "full") else parse_ranks(config.ranks)
    template = decompose(
        vit,
        ranks,
        energy=config.energy,
        max_parameters=config.max_parameters,
        order=config.order,
    )
    template.save(out)
    return vit, template
