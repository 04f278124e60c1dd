"""Models whose training steps are made faster by what the framework has for it."""

from __future__ import annotations

from sweet_keras import backends


class RepeatedSteps:
    """Before `keras.Model` among the bases.

    On torch with one GPU, steps are recorded as CUDA graphs and replayed; see
    `sweet_keras.backends.torch.step`.
    """

    def make_train_function(self, force=False):
        """As `keras.Model.make_train_function`."""
        if self.train_function is None or force:
            super().make_train_function(force)
            self.train_function = backends.current().step.repeated(self, self.train_function)
        return self.train_function
