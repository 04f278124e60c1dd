"""The table of names and axes against shapes written out by hand."""

import pytest
from template_factory import template_shapes

from sweet_keras.core import schema
from sweet_keras.core.size import ViTSize

SIZES = {"L": 2, "B": 24, "D": 12, "I": 12, "N": 6, "P": 32, "r1": 5, "r2": 6, "r3": 7}
FORM = {"m": 4, "R": 0}
DECODER = {"M": 1, "E": 8}


@pytest.mark.parametrize("decoder", [None, ViTSize(1, 2, 4)])
@pytest.mark.parametrize("layer_scale", [False, True])
@pytest.mark.parametrize(("class_token", "registers", "ratio"), [(0, 0, 4), (1, 0, 4), (1, 3, 2)])
def test_shapes(class_token, registers, ratio, layer_scale, decoder):
    axes = {**schema.FACTORS, **schema.rest(class_token, layer_scale, registers)}
    sizes = SIZES | {"m": ratio, "R": registers, "B": 2 * (4 + 2 * ratio)}
    if decoder is not None:
        axes |= schema.DECODER
        sizes |= DECODER
    expected = template_shapes(
        ViTSize(2, 3, 4), (5, 6, 7), (8, 12, 2), 4, class_token, layer_scale, decoder,
        registers, ratio,
    )  # fmt: skip
    assert {name: schema.shape(names, sizes) for name, names in axes.items()} == expected


def test_kernels_of_a_plain_network():
    shapes = {name: schema.shape(axes, SIZES | FORM) for name, axes in schema.KERNELS.items()}
    assert shapes == {
        "qkv/kernel": (2, 12, 36),
        "output/kernel": (2, 12, 12),
        "mlp_in/kernel": (2, 12, 48),
        "mlp_out/kernel": (2, 48, 12),
    }
