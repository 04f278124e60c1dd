"""`sweet init`: from a template to plain networks."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from sweet_keras.core.atomic import atomic_write
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import open_source
from sweet_keras.initialization.materialize import materialize
from sweet_keras.runs.geometry import parse_image_size
from sweet_keras.runs.init_config import InitConfig
from sweet_keras.runs.progress import ProgressBar, closing
from sweet_keras.runs.starting_point import adapt_options
from sweet_keras.runs.training import session
from sweet_keras.runs.training_config import ADAPT_EPOCHS


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadeNetwork:
    """A network that was written.

    Attributes:
        size: Such as `"L6H6"`.
        method: `"cut"` or `"adapted"`.
        path: The file.
        parameters: Numbers in it.
        seconds: Time to make it.
    """

    size: str
    method: str
    path: Path
    parameters: int
    seconds: float


def make_networks(config: InitConfig, console: Console | None = None) -> Iterator[MadeNetwork]:
    """Writes a network of each size.

    Args:
        config: All options.
        console: Where progress is shown.

    Yields:
        Each network once it is written.

    Raises:
        ValueError: If a size does not fit the template, or a file is there already.
    """
    console = console or Console(stderr=True)
    template = SweetTemplate.load(config.template)
    shape = template.image_shape
    if config.image_size is not None:
        shape = (*parse_image_size(config.image_size), shape[2])
    sizes = [ViTSize.parse(size, template.size.head_dim) for size in config.size]
    paths = output_paths(config)
    images = None
    if config.adapt is not None:
        images = open_source(config.adapt, "train", channels=shape[2])
    for size, path in zip(sizes, paths, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with session("float32", config.seed):
            began = time.perf_counter()
            if images is None:
                vit = materialize(template, size, image_shape=shape)
            else:
                epochs = config.adapt_epochs or ADAPT_EPOCHS
                options = adapt_options(images, shape, config.batch_size, epochs, config.seed)
                bar = ProgressBar(console, f"adapting {size}", options["steps"])
                with closing([bar]) as callbacks:
                    vit = materialize(
                        template, size, image_shape=shape, callbacks=callbacks, **options
                    )
            seconds = time.perf_counter() - began
            with atomic_write(path) as temporary:
                vit.save(temporary)
        yield MadeNetwork(
            size=str(size),
            method="cut" if images is None else "adapted",
            path=path,
            parameters=vit.count_params(),
            seconds=seconds,
        )


def output_paths(config: InitConfig) -> list[Path]:
    """Returns the file of each size.

    Raises:
        ValueError: If one is there already.
    """
    out = Path(config.out)
    paths = [out] if len(config.size) == 1 else [out / f"{size}.keras" for size in config.size]
    taken = [str(path) for path in paths if path.exists()]
    if taken and not config.overwrite:
        raise ValueError(
            f"--out must be new; pass --overwrite to replace files. Received: {', '.join(taken)}, "
            "which exists"
        )
    return paths
