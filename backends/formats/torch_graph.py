"""The forward pass of a Keras model as a graph of torch, and as ONNX. Keras runs on torch."""

import os
import warnings

import keras
import torch

__all__ = ["save_onnx", "save_program"]


class _Inference(torch.nn.Module):
    """The forward pass alone, with an argument named `images`."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images, training=False)


def save_program(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes what `torch.export.load` reads; batches of any size.

    Args:
        model: Of images.
        path: The file, ending in .pt2.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own code
        torch.export.save(_program(model), path)


def save_onnx(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes an ONNX file with the input `images` and the output `outputs`; any batch size.

    Args:
        model: Of images.
        path: The file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx = torch.onnx.export(
            _program(model),
            dynamo=True,
            input_names=["images"],
            output_names=["outputs"],
            dynamic_shapes={"images": {0: "batch"}},
            verbose=False,
        )
        onnx.save(path)


def _program(model: keras.Model) -> torch.export.ExportedProgram:
    shape = (2, *model.input_shape[1:])  # a batch of one would be taken for a fixed size
    device = next(iter(model.parameters())).device
    any_batch = {"images": {0: torch.export.Dim.DYNAMIC}}
    with torch.no_grad():
        return torch.export.export(
            _Inference(model).eval(), (torch.zeros(shape, device=device),), dynamic_shapes=any_batch
        )
