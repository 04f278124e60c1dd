"""Optimizers that move all variables at once, where the framework lets them."""

from __future__ import annotations

from sweet_keras import backends


class MovesTogether:
    """Before an optimizer of Keras among the bases: its `_update` is given all variables, or one.

    `_update(gradients, variables, learning_rate)` moves these variables.
    """

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        # One after another is for TensorFlow, whose strategies update a variable where it lies.
        if backends.current().update.TOGETHER:
            self._update(grads, trainable_variables, learning_rate)
        else:
            super()._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable."""
        self._update([gradient], [variable], learning_rate)
