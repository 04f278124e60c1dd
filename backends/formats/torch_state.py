"""The arrays in a file that `torch.save` wrote."""

import argparse
import os
import re
import zipfile
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

__all__ = ["read_state"]

# What training scripts wrap a state in.
_WRAPPERS = ("model", "state_dict", "model_state_dict", "module")


def read_state(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the state of a model; of the pickle in the file nothing but arrays is made.

    Args:
        path: The file: a state, or a dictionary with one under "model" or "state_dict". Arguments
            of a training script beside it may be an `argparse.Namespace`.

    Returns:
        Arrays of floats in float32 or float64, by name; others are left out.

    Raises:
        ValueError: If it holds no state, or other objects than arrays, or declares arrays that are
            larger than what it stores.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise ValueError("a compressed archive, which torch.save does not write")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        # What torch says advises to load it unsafely.
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise ValueError(
            f"Python objects{f' ({found[1]})' if found else ''}, not arrays alone, as "
            "`torch.save(model.state_dict(), ...)` writes them"
        ) from None
    state = next((content[key] for key in _WRAPPERS if _is_state(content, key)), content)
    if not isinstance(state, dict):
        raise ValueError(f"a {type(state).__name__}, not a state by names")
    return {
        str(name): _to_numpy(str(name), tensor)
        for name, tensor in state.items()
        if isinstance(tensor, torch.Tensor) and tensor.is_floating_point()
    }


def _is_state(content: Any, key: str) -> bool:
    return isinstance(content, dict) and isinstance(content.get(key), dict)


def _to_numpy(name: str, tensor: torch.Tensor) -> np.ndarray:
    if tensor.layout != torch.strided or tensor.device.type != "cpu":
        raise ValueError(f"array {name!r} is {tensor.layout} on {tensor.device}")
    # Strides of 0 make an array of any size from one number.
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise ValueError(f"array {name!r} of shape {tuple(tensor.shape)} is not whole in the file")
    tensor = tensor.detach()
    return (tensor if tensor.dtype == torch.float64 else tensor.float()).numpy()
