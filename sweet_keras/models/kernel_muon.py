"""Muon for the kernels of a transformer and for the core of a template."""

from __future__ import annotations

import re

import keras
from keras import ops

# Kernels of `TransformerBlock` (and what `LinearExpansion` makes them of), G of `TuckerTemplate`,
# T of `KroneckerTemplate`.
_MATRICES = re.compile(r"((^|_)(qkv|output|mlp_in|mlp_out)_kernel|^core|_templates)$")


@keras.saving.register_keras_serializable("sweet_keras")
class KernelMuon(keras.optimizers.Muon):
    """Steps of equal size in all directions of a kernel; AdamW for everything else.

    The momentum of each kernel is made orthogonal before it is subtracted (five Newton-Schulz
    iterations), so that no singular value grows faster than another. Under Adam the product of a
    Tucker template's factors grows a few enormous ones. Query, key and value are kernels of their
    own, and so is each of the matrices stacked in a template's core. Embeddings, heads, scalers,
    norms and biases are left to AdamW, with the same rate: a step of either has a root mean square
    of about 0.2 times the learning rate per weight (2502.16982).

    Args:
        learning_rate: A number or a schedule, as for AdamW.
        weight_decay: Of kernels and of the rest.
        momentum: Of the kernels' gradient (Nesterov).
        **kwargs: Passed on to `keras.optimizers.Muon`, such as `adam_beta_2`.

    Example:
    ```python
    mae.compile(optimizer=sk.KernelMuon(4e-3))
    ```

    Reference:
        Jordan et al., Muon, 2024; Liu et al., Muon is Scalable for LLM Training, 2502.16982.
    """

    def __init__(self, learning_rate=0.004, weight_decay=0.05, momentum=0.95, **kwargs):
        kwargs.setdefault("adam_weight_decay", weight_decay)
        super().__init__(learning_rate, weight_decay=weight_decay, momentum=momentum, **kwargs)

    def _should_use_adamw(self, variable):
        return _MATRICES.search(variable.name) is None

    def _muon_update_step(self, gradient, variable, lr, m):
        gradient = ops.cast(gradient, variable.dtype)
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * m) if self.nesterov else m
        # (..., n, maps * k) -> (..., maps, n, k): maps that lie side by side are taken apart.
        # Not the end of the name: TensorFlow's own variables are called "qkv_kernel:0".
        maps = 3 if "qkv_kernel" in variable.name else 1
        *stack, rows, columns = variable.shape
        apart = ops.reshape(direction, (*stack, rows, maps, columns // maps))
        apart = ops.swapaxes(apart, -3, -2)
        step = self.zeropower_via_newtonschulz5(apart, self.ns_steps)
        step = ops.reshape(ops.swapaxes(step, -3, -2), variable.shape)
        size = self.rms_rate * max(rows, columns // maps) ** 0.5
        self.assign_sub(variable, ops.cast(lr, variable.dtype) * size * step)
