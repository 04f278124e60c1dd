"""What an optimizer does to many variables at once, on TensorFlow."""

from ..one_by_one import adam_step, scale

__all__ = ["TOGETHER", "adam_step", "scale"]

# Whether an optimizer may change all variables in one go: a strategy changes each where it lies.
TOGETHER = False
