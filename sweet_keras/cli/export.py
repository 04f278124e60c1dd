"""`sweet export`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.import_config import ExportConfig


def export(call: Invocation) -> None:
    """Writes a network for another library, or as a graph that runs without Keras.

    The network computes the same there, or is refused. Means and deviations of pixels are written
    where the library reads them; graphs take pixels in 0..255.

    Goes in: a .keras file. Comes out: a file or folder of the format.

    Example:
        sweet export vit.keras birds-timm --format timm

        sweet export runs/l6h6/model.keras birds.onnx --format onnx
    """
    from sweet_keras.formats.export import export
    from sweet_keras.runs.starting_point import load_network

    path = export(
        load_network(call.config.model),
        call.config.out,
        format=call.config.format,
        overwrite=call.config.overwrite,
    )
    call.say(f"written to {path}")


EXPORT = Command(name="export", config=ExportConfig, body=export)
