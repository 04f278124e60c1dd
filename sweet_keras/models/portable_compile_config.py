"""What a saved model says about its optimizer, so that every backend can read it."""

from __future__ import annotations

from typing import Any


def portable_compile_config(config: Any) -> Any:
    """Names optimizers by the public module instead of one backend's own.

    Keras 3.15 serialises an optimizer on torch with its module in `keras.src.backend.torch`, which
    cannot be imported where torch is not installed, so that the whole model could not be loaded.

    Args:
        config: What `get_compile_config` gives; nested optimizers are found as well.
    """
    if isinstance(config, dict):
        config = {key: portable_compile_config(value) for key, value in config.items()}
        module = config.get("module")
        if isinstance(module, str) and module.startswith("keras.src.backend."):
            config["module"] = "keras.optimizers"
    return config
