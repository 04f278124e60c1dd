"""Ranks given and chosen."""

import pytest

from sweet_keras.core.ranks import choose_ranks
from sweet_keras.core.size import ViTSize


@pytest.mark.parametrize(
    ("size", "head_dim", "expected"),
    [("L12H12", 64, (144, 768, 768)), ("L1H1", 4, (12, 4, 4)), ("L3H5", 16, (36, 80, 80))],
)
def test_auto_keeps_every_axis_whole(size, head_dim, expected):
    size = ViTSize.parse(size, head_dim)
    assert choose_ranks(size) == expected
    assert choose_ranks(size, "auto") == expected


def test_auto_follows_the_width_of_the_mlp():
    assert choose_ranks(ViTSize(3, 2, 4), mlp_ratio=2) == (24, 8, 8)


@pytest.mark.parametrize(("share", "matrices"), [(1.0, 144), (0.5, 72), (0.34, 48), (0.001, 1)])
def test_a_share_of_the_parameters_is_kept_by_storing_fewer_matrices(share, matrices):
    assert choose_ranks(ViTSize.parse("L12H12", 8), share) == (matrices, 96, 96)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=r"`ranks` as a share must be in \(0, 1\]. Received"):
        choose_ranks(ViTSize(2, 3, 4), share)


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
        *((5.0, 6, 7), (5, "6", 7), (5, None, 7), (5, 6, True), None, 5),
    ],
)
def test_anything_else_is_refused(ranks):
    with pytest.raises(ValueError, match=r"`ranks` must be three.* integers or 'auto'") as caught:
        choose_ranks(ViTSize(2, 3, 4), ranks)
    assert str(caught.value).endswith(f"Received: {ranks!r}")
