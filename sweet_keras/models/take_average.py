"""The moving average of weights that an optimizer keeps."""

from __future__ import annotations

import keras


def take_average(model: keras.Model) -> None:
    """Puts the average of the weights in their place, if the optimizer keeps one (`use_ema`).

    As `fit` does in the end; but on JAX that leaves a weight and its average one array, which is
    gone for both once a prediction has donated it. Here each has its own.

    Args:
        model: Built and compiled.
    """
    # What scales the loss in half precision is around the optimizer that keeps the average.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not getattr(optimizer, "use_ema", False):
        return
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for variable in model.trainable_variables:
        variable.assign(keras.ops.convert_to_numpy(variable).copy())
