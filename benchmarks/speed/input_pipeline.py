"""The input pipeline alone, against what the model consumes.

`workers=0`. Small images lie in memory as an array; images of 224 are JPEG files of 256x256 that
are decoded, cropped, resized and flipped. The model is the template's masked autoencoder, trained
from batches in memory.
"""

import itertools
import tempfile
from pathlib import Path

import numpy as np

from .clock import now
from .fit_clock import fit_seconds
from .interleave import as_rates, in_turns, judge
from .networks import autoencoder, image_batches
from .request import Request
from .sizes import parse


def measure(request: Request) -> list[tuple[dict, dict]]:
    """One row: images a second of both."""
    from sweet_keras.data import ArraySource, open_source, pipeline

    size, variants = parse(request.size)
    batches = image_batches(size, request.batch)
    mae = autoencoder(size, variants, request.batch)
    feed = [(images,) for images in batches]
    steps = request.steps(mae, feed)
    model = fit_seconds(mae, feed, steps)
    with tempfile.TemporaryDirectory() as folder:
        if size.side > 64:
            _write_images(Path(folder), max(256, request.batch))
            source = open_source(folder, "train", channels=size.channels)
        else:
            source = ArraySource(np.concatenate(batches))
        stream = iter(
            pipeline(source, request.batch, image_shape=size.image_shape, augment="mae", seed=0)
        )

        def read() -> float:
            began = now()
            for _ in itertools.islice(stream, steps):
                pass
            return (now() - began) / steps

        read(), model()
        pairs = in_turns(read, model, request.repeats)
    rates = as_rates(pairs, request.batch)
    row = request.row("images/s", *rates, judge(pairs), "the model's step")
    about = {"pairs": len(pairs), "seconds": pairs, "steps": steps, "image_shape": size.image_shape,
             "remark": __doc__.partition("\n\n")[2].strip()}  # fmt: skip
    return [(row, about)]


def _write_images(folder: Path, count: int) -> None:
    """JPEG files of smooth noise, as large as photographs of this size are."""
    from PIL import Image

    rng = np.random.default_rng(0)
    (folder / "train" / "a").mkdir(parents=True)
    for index in range(count):
        small = Image.fromarray(rng.integers(0, 256, (32, 32, 3), "uint8"))
        pixels = np.asarray(small.resize((256, 256), Image.Resampling.BICUBIC), "int16")
        pixels = pixels + rng.integers(-12, 13, pixels.shape)
        image = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
        image.save(folder / "train" / "a" / f"{index}.jpg", quality=90)
