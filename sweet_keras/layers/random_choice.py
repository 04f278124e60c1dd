"""The draw behind stochastic widths and depths."""

import keras
import numpy as np
from keras import ops


def random_choice(choices: np.ndarray, rate: float, otherwise, seed_generator):
    """Draws one of `choices`, each as likely, with probability `rate`.

    Args:
        choices: (n, ...).
        rate: Probability that one is drawn.
        otherwise: What is given else, of the shape of a choice or a scalar.
        seed_generator: `keras.random.SeedGenerator`.

    Returns:
        A tensor of the shape and type of a choice.
    """
    draw = keras.random.uniform((2,), seed=seed_generator, dtype="float32")
    last = len(choices) - 1
    index = ops.minimum(ops.cast(draw[1] * len(choices), "int32"), last)
    chosen = ops.take(ops.convert_to_tensor(choices), index, axis=0)
    return ops.where(draw[0] < rate, chosen, ops.cast(otherwise, chosen.dtype))
