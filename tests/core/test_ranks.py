"""Ranks given and chosen."""

import pytest

from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.size import ViTSize


@pytest.mark.parametrize(
    ("size", "head_dim", "expected"),
    [("L12H12", 64, (72, 768, 768)), ("L1H1", 4, (6, 4, 4)), ("L3H5", 16, (18, 80, 80))],
)
def test_auto_halves_the_layers_and_keeps_the_channels(size, head_dim, expected):
    size = ViTSize.parse(size, head_dim)
    assert choose_ranks(size) == expected
    assert choose_ranks(size, "auto") == expected


@pytest.mark.parametrize("ranks", [(5, 6, 7), [5, 6, 7], (1, 1, 1)])
def test_given_ranks_are_kept(ranks):
    assert choose_ranks(ViTSize(2, 3, 4), ranks) == tuple(ranks)


def test_ranks_above_the_axes_are_kept():
    """A small network made from a large template has such ranks."""
    assert choose_ranks(ViTSize(1, 1, 4), (72, 768, 768)) == (72, 768, 768)


@pytest.mark.parametrize(
    "ranks",
    [
        *("", "Auto", "full", "5,6,7", (), (5,), (5, 6), (5, 6, 7, 8), (0, 6, 7), (5, -6, 7)),
        *((5.0, 6, 7), (5, "6", 7), (5, None, 7), (5, 6, True), None, 5, 5.0),
    ],
)
def test_anything_else_is_refused(ranks):
    with pytest.raises(ValueError, match=r"`ranks` must be three.* integers or 'auto'") as caught:
        choose_ranks(ViTSize(2, 3, 4), ranks)
    assert str(caught.value).endswith(f"Received: {ranks!r}")
