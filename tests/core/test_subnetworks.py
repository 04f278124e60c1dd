import pytest

from sweet_keras.core.size import ViTSize
from sweet_keras.core.subnetworks import choose_subnetworks


def names(size, kind):
    return [str(sub) for sub in choose_subnetworks(ViTSize.parse(size), kind)]


def test_quarters_of_the_width_and_of_the_depth():
    assert names("L12H12", "width") == ["L12H3", "L12H6", "L12H9"]
    assert names("L12H12", "depth") == ["L3H12", "L6H12"]
    auto = names("L12H12", "auto")
    assert auto == [f"L{d}H{h}" for d in (3, 6, 12) for h in (3, 6, 9, 12)][:-1]


def test_small_networks_have_few():
    assert names("L2H3", "auto") == ["L1H1", "L1H2", "L1H3", "L2H1", "L2H2"]
    assert names("L1H1", "auto") == []
    assert names("L4H1", "width") == []


def test_sizes_given():
    chosen = choose_subnetworks(ViTSize(6, 6, 8), ["L3H6", "L2H1"])
    assert chosen == (ViTSize(3, 6, 8), ViTSize(2, 1, 8))


@pytest.mark.parametrize("bad", [["L6H6"], ["L7H1"], ["L1H7"]])
def test_refuses_what_is_not_smaller(bad):
    with pytest.raises(ValueError, match=f"smaller than L6H6. Received: {bad[0]}"):
        choose_subnetworks(ViTSize(6, 6), bad)


def test_refuses_unknown_words():
    with pytest.raises(ValueError, match="`subnetworks` must be 'auto', 'width', 'depth', or"):
        choose_subnetworks(ViTSize(6, 6), "narrow")
