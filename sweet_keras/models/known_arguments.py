"""Arguments that no functional model has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def refuse_unknown(kwargs: Mapping[str, Any], of: str) -> None:
    """Raises ValueError for arguments that Keras would drop in silence from a functional model.

    Args:
        kwargs: What is left of the arguments.
        of: The name of the class.
    """
    unknown = [name for name in kwargs if name not in ("name", "trainable")]
    if unknown:
        raise ValueError(f"`{of}` has no such argument. Received: {', '.join(unknown)}")
