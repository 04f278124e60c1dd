"""Muon for the kernels of a transformer and for the core of a template."""

from __future__ import annotations

import math
import re

import keras
from keras import ops

from sweet_keras import backends
from sweet_keras.models.adam_steps import adam_steps
from sweet_keras.models.moves_together import MovesTogether

# Kernels of `TransformerBlock` (and what `LinearExpansion` makes them of), G of `TuckerTemplate`,
# T of `KroneckerTemplate`.
_MATRICES = re.compile(r"((^|_)(qkv|output|mlp_in|mlp_out)_kernel|^core|_templates)$")

# Numbers in the matrices that are made orthogonal at once: several small kernels fill a machine,
# and all kernels of a large network would take too much memory.
_TOGETHER = 2**25


@keras.saving.register_keras_serializable("sweet_keras")
class KernelMuon(MovesTogether, keras.optimizers.Muon):
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

    def _update(self, gradients, variables, learning_rate):
        kernels, others = [], []
        for gradient, variable in zip(gradients, variables, strict=True):
            index = self._get_variable_index(variable)
            velocity = self.adam_velocities[index]
            gradient = ops.cast(gradient, variable.dtype)
            found = variable, gradient, self.momentums[index], velocity
            (kernels if velocity is None else others).append(found)
        if others:
            rate = learning_rate * self.adam_lr_ratio
            betas = self.adam_beta_1, self.adam_beta_2
            adam_steps(others, rate, self.iterations, *betas, self.epsilon)
        for group in _alike(kernels):
            self._muon_steps(group, learning_rate)

    def _muon_steps(self, kernels, learning_rate):
        """Updates kernels of one shape: all their matrices are made orthogonal at once."""
        stacks, end = [], 0
        for variable, gradient, momentum, _ in kernels:
            momentum.assign(momentum * self.momentum + gradient)
            ahead = gradient + self.momentum * momentum if self.nesterov else momentum
            stacks.append(_matrices(ahead, variable))
        steps = self.zeropower_via_newtonschulz5(ops.concatenate(stacks), self.ns_steps)
        size = ops.cast(learning_rate, steps.dtype) * self.rms_rate * max(steps.shape[1:]) ** 0.5
        steps = size * steps
        for stack, (variable, *_) in zip(stacks, kernels, strict=True):
            start, end = end, end + stack.shape[0]
            variable.assign(variable - _like(steps[start:end], variable))

    def _apply_weight_decay(self, variables):
        decayed = {self.weight_decay: [], self.adam_weight_decay: []}
        for variable in filter(self._use_weight_decay, variables):
            adam = self._should_use_adamw(variable)
            decayed[self.adam_weight_decay if adam else self.weight_decay].append(variable)
        rate = self.learning_rate  # of a schedule, worked out anew each time it is asked for
        for decay, those in decayed.items():
            if those and decay is not None:
                backends.current().update.scale(those, 1 - decay * rate)


def _alike(kernels):
    """Groups kernels by the shape of their matrices, and not too many numbers in a group."""
    groups = {}
    for kernel in kernels:
        variable = kernel[0]
        shape = (*variable.shape[-2:], _maps(variable), str(variable.dtype))
        group, numbers = groups.get(shape, ([], 0))
        if group and numbers + math.prod(variable.shape) > _TOGETHER:
            yield group
            group, numbers = [], 0
        group.append(kernel)
        groups[shape] = group, numbers + math.prod(variable.shape)
    yield from (group for group, _ in groups.values())


def _maps(variable):
    """How many maps lie side by side in a kernel."""
    # Not the end of the name: TensorFlow's own variables are called "qkv_kernel:0".
    return 3 if "qkv_kernel" in variable.name else 1


def _matrices(direction, variable):
    """(..., n, maps * k) -> (matrices, n, k): maps that lie side by side are taken apart."""
    *_, rows, columns = variable.shape
    maps = _maps(variable)
    apart = ops.swapaxes(ops.reshape(direction, (-1, rows, maps, columns // maps)), 1, 2)
    return ops.reshape(apart, (-1, rows, columns // maps))


def _like(matrices, variable):
    """The way back of `_matrices`."""
    *_, rows, columns = variable.shape
    maps = _maps(variable)
    apart = ops.reshape(matrices, (-1, maps, rows, columns // maps))
    return ops.reshape(ops.swapaxes(apart, 1, 2), variable.shape)
