"""`sweet sample`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.sample_config import SampleConfig


def sample(call: Invocation) -> None:
    """Makes images with a trained generator.

    Goes in: the .keras file of an `ImageGenerator`. Comes out: a picture with a row for each class.
    The same seed gives the same images on every backend.

    Example:
        sweet sample generator.keras --grid garments.png

        sweet sample generator.keras --grid bags.png --classes 8 --count 16 --guidance 3
    """
    from sweet_keras.runs.sample import sample_grid

    count, seconds = sample_grid(call.config)
    call.say(f"{count} images in {seconds:.1f} s, written to {call.config.grid}")


SAMPLE = Command(name="sample", config=SampleConfig, body=sample)
