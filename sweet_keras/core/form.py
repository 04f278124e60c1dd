"""What plain vision transformers of one size differ in, beside their geometry."""

from __future__ import annotations

import math
from typing import Any

ACTIVATIONS = ("gelu", "gelu_tanh")  # exact, and by its approximation with tanh

# Each is an attribute of networks, templates and template files, and these are its defaults.
FORM: dict[str, Any] = {
    "register_tokens": 0,
    "norm_epsilon": 1e-6,
    "mlp_ratio": 4,
    "activation": "gelu",
}


def form_of(thing: Any) -> dict[str, Any]:
    """The form of a network or a template, as arguments of another."""
    return {name: getattr(thing, name) for name in FORM}


def check_form(
    register_tokens: int = 0,
    norm_epsilon: float = 1e-6,
    mlp_ratio: int = 4,
    activation: str = "gelu",
) -> None:
    """Raises ValueError unless a network can have this form."""
    if type(register_tokens) is not int or register_tokens < 0:
        raise ValueError(
            f"`register_tokens` must be an integer, 0 or more. Received: {register_tokens!r}"
        )
    number = type(norm_epsilon) in (int, float)
    if not number or not math.isfinite(norm_epsilon) or norm_epsilon <= 0:
        raise ValueError(
            f"`norm_epsilon` must be a positive finite number. Received: {norm_epsilon!r}"
        )
    if type(mlp_ratio) is not int or mlp_ratio < 1:
        raise ValueError(f"`mlp_ratio` must be a positive integer. Received: {mlp_ratio!r}")
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: {activation!r}"
        )
