"""Seeds that Keras' generators give, without waiting for the GPU they lie on."""

import weakref
from typing import Any

import keras
import torch
from keras.src.random.seed_generator import draw_seed

__all__ = ["next_seed"]

# What the state of a generator is known to be: its tensor, the tensor's version, both numbers.
_KNOWN: weakref.WeakKeyDictionary[Any, tuple] = weakref.WeakKeyDictionary()


def next_seed(seed: Any) -> int:
    """Returns what Keras would seed PyTorch's generator with; the state goes on as it would there.

    Args:
        seed: A `keras.random.SeedGenerator`, an integer, or `None` for Keras' own generator.
    """
    if not isinstance(seed, keras.random.SeedGenerator):
        return int(draw_seed(seed).sum()) & 0xFFFFFFFF
    state = seed.state.value
    tensor, version, numbers = _KNOWN.get(seed, (None, None, None))
    if tensor is not state or version != state._version:
        numbers = state.tolist()  # somebody set it, such as a checkpoint: waits for the GPU
    first, second = numbers
    with torch.no_grad():
        state[1:].add_(1)
    _KNOWN[seed] = state, state._version, (first, second + 1)
    return (first + second) & 0xFFFFFFFF
