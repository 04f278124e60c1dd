"""What a variable holds."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


def tensor_of(x: Any) -> Tensor:
    """The tensor of a variable, in the type that the layer computes in; a tensor as it is.

    Not `ops.convert_to_tensor`, which looks again at what a tensor is on.
    """
    return x.value if isinstance(x, keras.Variable) else x
