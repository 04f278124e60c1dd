"""An optimizer that leaves a step out where its gradient is not finite."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("sweet_keras")
class SkippingOptimizer(keras.optimizers.Optimizer):
    """Passes gradients on to another optimizer, and nothing at all where one is not finite.

    Weights, slots, and the step counter that the learning rate follows then stay as they were, and
    `skipped` counts one more. `keras.optimizers.LossScaleOptimizer` does so too, but also rescales
    every gradient, and looks at each element; here a gradient is summed: one operation for each
    variable, and a sum is finite only if all its terms are.

    Args:
        inner_optimizer: The optimizer that takes the steps.
        name: Its name.

    Attributes:
        skipped: Variable with the number of steps left out, an int32 scalar. Made by `build`.

    Example:
    ```python
    model.compile(optimizer=SkippingOptimizer(keras.optimizers.AdamW(1e-3)))
    ```
    """

    def __init__(self, inner_optimizer: keras.optimizers.Optimizer, name: str | None = None):
        super().__init__(learning_rate=0.0, name=name or "skipping")
        self.inner_optimizer = inner_optimizer

    def build(self, variables):
        if self.built:
            return
        if not self.inner_optimizer.built:
            self.inner_optimizer.build(variables)
        super().build(variables)
        self.skipped = self.add_variable(
            shape=(), dtype="int32", initializer="zeros", name="skipped", aggregation="none"
        )

    @property
    def variables(self):
        return self._variables + self.inner_optimizer.variables

    @property
    def own_variables(self) -> list[keras.Variable]:
        """Those that the inner optimizer does not have."""
        return list(self._variables)

    def apply(self, grads, trainable_variables=None):
        if not self.built:
            self.build(trainable_variables)
        inner = self.inner_optimizer
        # A branch must give something back where it is traced.
        ops.cond(
            _finite(grads),
            lambda: (inner.apply(grads, trainable_variables), ops.zeros(()))[1],
            lambda: (self.skipped.assign_add(1), ops.zeros(()))[1],
        )

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        count = len(self._variables)
        own, inner = list(optimizer_variables[:count]), list(optimizer_variables[count:])
        finite = _finite(grads)
        weights, slots = self.inner_optimizer.stateless_apply(inner, grads, trainable_variables)
        own = [
            value + ops.cast(~finite, value.dtype) if variable is self.skipped else value
            for variable, value in zip(self._variables, own, strict=True)
        ]

        # A choice joins the loop that computes the new values, a branch copies all of them.
        def chosen(new, old):
            return [ops.where(finite, *pair) for pair in zip(new, old, strict=True)]

        return chosen(weights, trainable_variables), own + chosen(slots, inner)

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"inner_optimizer": inner, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = keras.saving.deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        return cls(**{**config, "inner_optimizer": inner})


def _finite(gradients):
    sums = [ops.sum(gradient) for gradient in gradients if gradient is not None]
    return ops.isfinite(sum(ops.cast(total, "float32") for total in sums))
