"""Graphs that run without Keras: ONNX, TensorFlow's SavedModel, LiteRT, `torch.export`.

Each is written by the framework that does it best, whatever backend Keras runs on: if it is another
one, the model is saved to a temporary `.keras` file, and a process on that framework writes it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras

from sweet_keras.core.atomic import atomic_folder, atomic_write
from sweet_keras.formats.plain_network import check_model

FRAMEWORKS = {
    "onnx": "torch",
    "torch_export": "torch",
    "saved_model": "tensorflow",
    "litert": "tensorflow",
}
_SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2", "saved_model": "", "litert": ".tflite"}
_EXTRAS = {"torch": "torch", "tensorflow": "tensorflow", "onnx": "export", "onnxscript": "export"}


def export_graph(model: Any, path: Path, format: str) -> None:
    """Writes the forward pass: images (B, height, width, channels), float32, pixels in 0..255.

    The batch may be of any size. The output is what the model gives, tokens or logits.

    Args:
        model: A `ViTBackbone`, an `ImageClassifier` or another model of images.
        path: The file, or the folder of a SavedModel.
        format: `"onnx"`, `"saved_model"`, `"litert"` or `"torch_export"`.

    Raises:
        ValueError: If `path` has not the suffix of the format.
        ImportError: In one line, if the framework or a package of the extra is not installed.
        RuntimeError: If the framework fails.
    """
    check_model(model)
    suffix, framework = _SUFFIXES[format], FRAMEWORKS[format]
    if path.suffix != suffix and suffix:
        raise ValueError(f"`path` must end in {suffix}. Received: {str(path)!r}")
    for name in (framework, *(("onnx", "onnxscript") if format == "onnx" else ())):
        if importlib.util.find_spec(name) is None:
            raise ImportError(
                f"Exporting to {format} needs {name}: pip install 'sweet_keras[{_EXTRAS[name]}]'"
            )
    with (atomic_write if suffix else atomic_folder)(path) as temporary:
        if keras.backend.backend() == framework:
            write_graph(model, temporary, format)
        else:
            _in_another_process(model, temporary, format, framework)


def write_graph(model: keras.Model, path: Path, format: str) -> None:
    """Writes a format with the framework that Keras runs on."""
    if FRAMEWORKS[format] == "torch":
        torch_graph = importlib.import_module("sweet_keras.backends.formats.torch_graph")
        writers = {"onnx": torch_graph.save_onnx, "torch_export": torch_graph.save_program}
        writers[format](model, path)
    else:
        names = {"saved_model": "tf_saved_model", "litert": "litert"}
        model.export(path, format=names[format], verbose=False)


def _in_another_process(model: keras.Model, path: Path, format: str, framework: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", __name__, str(saved), str(path), format],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "KERAS_BACKEND": framework,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError(f"{framework} could not write {format}: {''.join(lines[-1:])}")


if __name__ == "__main__":
    import sweet_keras  # noqa: F401 - registers its models with Keras

    write_graph(keras.saving.load_model(sys.argv[1], compile=False), Path(sys.argv[2]), sys.argv[3])
