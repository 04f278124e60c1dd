"""Sizes and how they are written."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.core.size import ViTSize, common_width, smallest_size

NUMBERS = st.integers(1, 9999)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_text_round_trip(depth, num_heads, head_dim):
    size = ViTSize(depth, num_heads, head_dim)
    assert str(size) == "L" + str(depth) + "H" + str(num_heads)
    assert ViTSize.parse(str(size), head_dim) == size
    assert size.embed_dim == sum(head_dim for _ in range(num_heads))


def test_parse_reads_depth_before_heads():
    size = ViTSize.parse("L6H12")
    assert (size.depth, size.num_heads, size.head_dim, size.embed_dim) == (6, 12, 64, 768)
    assert ViTSize.parse("L3H4", head_dim=16).embed_dim == 64


def test_parse_returns_a_size_as_it_is():
    size = ViTSize(2, 3, 16)
    assert ViTSize.parse(size, head_dim=64) is size


@pytest.mark.parametrize(
    "text",
    [
        *("", "L", "H", "LH", "L6", "H6", "L6H", "LH6", "6L6H", "H6L6", "L6H6H6", "L6 H6"),
        *(" L6H6", "L6H6 ", "L6H6\n", "l6h6", "L6h6", "L06H6", "L6H06", "L0H6", "L6H0"),
        *("L-6H6", "L+6H6", "L6.0H6", "L6e1H6", "L1_0H6", "L0x6H6", "L6H6\0", "xL6H6", "L6xH6"),
        *("L10000H1", "L1H10000", "L" + "9" * 5000 + "H1"),
        *("L\u0666H6", "L1\u0663H6", "L\u00b2H2", "L\uff16H\uff16"),  # digits of other scripts
        *(None, 6, 6.0, b"L6H6", ("L6H6",), ["L6H6"], (6, 6)),
    ],
)
def test_malformed_text_is_refused(text):
    with pytest.raises(ValueError, match=r"^`size` must .*L6H12.*Received: ") as caught:
        ViTSize.parse(text)
    assert str(caught.value).endswith(f"Received: {text!r}")


@given(st.text("LH0123456789 ", max_size=8) | st.text(max_size=6))
def test_parse_accepts_only_what_str_writes(text):
    try:
        size = ViTSize.parse(text)
    except ValueError as error:
        assert str(error).endswith(f"Received: {text!r}")
    else:
        assert str(size) == text


@pytest.mark.parametrize("name", ["depth", "num_heads", "head_dim"])
@pytest.mark.parametrize("value", [0, -1, 10_000, 1.0, "3", None, True])
def test_numbers_out_of_range_are_refused(name, value):
    numbers = {"depth": 2, "num_heads": 3, "head_dim": 4}
    with pytest.raises(ValueError, match=f"`{name}` must") as caught:
        ViTSize(**{**numbers, name: value})
    assert str(caught.value).endswith(f"Received: {value!r}")


@pytest.mark.parametrize("head_dim", [0, -64, "64", None, 64.0])
def test_parse_checks_head_dim(head_dim):
    with pytest.raises(ValueError, match="`head_dim` must"):
        ViTSize.parse("L6H6", head_dim)


def test_size_is_a_value():
    size = ViTSize(2, 3, 4)
    assert len({size, ViTSize(2, 3, 4), ViTSize(3, 2, 4), ViTSize(2, 3, 5)}) == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        size.depth = 3


def test_smallest_and_common():
    sizes = [ViTSize(12, 3, 8), ViTSize(3, 12, 8), ViTSize(6, 6, 8)]
    assert smallest_size(sizes) == ViTSize(3, 3, 8)
    assert common_width(sizes) == 24
    assert common_width([*sizes, ViTSize(3, 5, 8)]) == 8
