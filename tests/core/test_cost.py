"""The cost model against counting the products that are really made."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.core import cost, tucker
from sweet_keras.core.blocks import Kernels
from sweet_keras.core.kernel_product import contract_halfway
from sweet_keras.core.size import ViTSize

RANKS = st.tuples(st.integers(1, 200), st.integers(1, 1000), st.integers(1, 1000))
SIZES = st.builds(ViTSize, st.integers(1, 24), st.integers(1, 16), st.sampled_from([4, 16, 64]))


class Shape:
    """An array without numbers."""

    def __init__(self, *shape):
        self.shape = shape

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        found = [
            len(range(*part.indices(size)))
            for size, part in zip(self.shape, index, strict=False)
            if isinstance(part, slice)
        ]
        return Shape(*found, *self.shape[len(index) :])


class ShapeCounter:
    """An array namespace of shapes only, which counts the multiply-adds of its products.

    It has the functions that the products of `sweet_keras.core` may use, and no others.
    """

    def __init__(self):
        self.multiply_adds = 0

    def matmul(self, left, right):
        *left_lead, rows, inner = left.shape
        *right_lead, inner_too, columns = right.shape
        assert inner == inner_too
        lead = left_lead or right_lead
        assert not (left_lead and right_lead and left_lead != right_lead)
        self.multiply_adds += math.prod(lead) * rows * inner * columns
        return Shape(*lead, rows, columns)

    def reshape(self, array, shape):
        shape = list(shape)
        if -1 in shape:
            known = math.prod(size for size in shape if size != -1)
            shape[shape.index(-1)] = math.prod(array.shape) // known
        assert math.prod(shape) == math.prod(array.shape)
        return Shape(*shape)

    def transpose(self, array):
        return Shape(*reversed(array.shape))

    def swapaxes(self, array, first, second):
        shape = list(array.shape)
        shape[first], shape[second] = shape[second], shape[first]
        return Shape(*shape)

    def concatenate(self, arrays):
        return Shape(sum(array.shape[0] for array in arrays), *arrays[0].shape[1:])

    def split(self, array, ends, axis):
        assert axis == 0
        edges = [0, *ends, array.shape[0]]
        return [Shape(b - a, *array.shape[1:]) for a, b in itertools.pairwise(edges)]

    def broadcast_to(self, array, shape):
        assert tuple(shape[-len(array.shape) :]) == array.shape
        return Shape(*shape)


def factor_shapes(blocks, dim, ranks):
    r1, r2, r3 = ranks
    return tucker.Factors(Shape(r1, r2, r3), Shape(blocks, r1), Shape(dim, r2), Shape(dim, r3))


def counted_contraction(blocks, dim, ranks, order):
    counter = ShapeCounter()
    w = tucker.contract(factor_shapes(blocks, dim, ranks), order, counter)
    assert w.shape == (blocks, dim, dim)
    return counter.multiply_adds


def counted_application(size, ranks, tokens, ratio):
    """Multiply-adds of a forward pass through all kernels that never builds W."""
    dim, counter = size.embed_dim, ShapeCounter()
    factors = factor_shapes((4 + 2 * ratio) * size.depth, dim, ranks)
    halves = contract_halfway(factors, size.depth, counter)
    u, v = factors.input_scaler, counter.transpose(factors.output_scaler)
    x, hidden = Shape(tokens, dim), Shape(tokens, ratio * dim)
    for layer in range(size.depth):
        half = Kernels(*(kernel[layer] for kernel in halves))
        for right in half[:3]:
            counter.matmul(counter.matmul(x, u), right)
        y = counter.matmul(counter.matmul(hidden, half.mlp_out), v)
        assert y.shape == (tokens, dim)
    return counter.multiply_adds


def counted_dense(size, ranks, tokens, ratio):
    """The same, building W once in the cheapest order."""
    dim, blocks = size.embed_dim, (4 + 2 * ratio) * size.depth
    build = min(counted_contraction(blocks, dim, ranks, order) for order in tucker.ORDERS)
    return build + tokens * blocks * dim * dim


@given(st.integers(1, 300), st.integers(1, 1000), RANKS, st.sampled_from(tucker.ORDERS))
def test_contraction_cost_is_what_contract_does(blocks, dim, ranks, order):
    counted = counted_contraction(blocks, dim, ranks, order)
    assert cost.contraction_cost(blocks, dim, ranks, order) == counted


@given(st.integers(1, 300), st.integers(1, 1000), RANKS)
def test_best_order_is_the_least_of_the_counted(blocks, dim, ranks):
    counted = {order: counted_contraction(blocks, dim, ranks, order) for order in tucker.ORDERS}
    assert counted[cost.best_order(blocks, dim, ranks)] == min(counted.values())


@pytest.mark.parametrize(
    ("ranks", "order", "gigaflops"),
    [
        # Published figures for L12, D 768. A multiply-add is two operations.
        ((72, 192, 192), "uvx", 32.6),
        ((72, 192, 192), "xuv", 41.5),
        ((144, 384, 384), "xuv", 104),
        ((144, 384, 384), "uvx", 122),
    ],
)
def test_published_figures(ranks, order, gigaflops):
    precision = 0.05 if gigaflops < 100 else 0.5
    assert 2e-9 * cost.contraction_cost(144, 768, ranks, order) == pytest.approx(
        gigaflops, abs=precision
    )


@pytest.mark.parametrize(("ranks", "last"), [((72, 192, 192), "x"), ((144, 384, 384), "uv")])
def test_published_choices(ranks, last):
    """The last contraction dominates, so the axis of the smallest rank comes last."""
    assert cost.best_order(144, 768, ranks)[-1] in last


@given(SIZES, RANKS, st.integers(1, 1_000_000), st.integers(1, 6))
def test_plan_is_the_cheaper_of_the_counted(size, ranks, tokens, ratio):
    plan = cost.plan(size, ranks, tokens, ratio)
    dense = counted_dense(size, ranks, tokens, ratio)
    factorised = counted_application(size, ranks, tokens, ratio)
    assert plan.multiply_adds == min(dense, factorised)
    assert plan.materialize == (dense <= factorised)
    blocks = (4 + 2 * ratio) * size.depth
    order_cost = counted_contraction(blocks, size.embed_dim, ranks, plan.order)
    assert order_cost == dense - tokens * blocks * size.embed_dim**2


@pytest.mark.parametrize("size", ["L1H3", "L12H12", "L6H6"])
def test_many_tokens_and_small_ranks_never_build_w(size):
    size = ViTSize.parse(size)
    small = int(0.41 * size.embed_dim)
    assert not cost.plan(size, (6, small, small), 10**7).materialize


def test_crossover():
    """16 D r = 12 D^2 per layer and token: r = 0.75 D."""
    size = ViTSize(12, 12)
    below, above = (int(768 * (0.75 + step)) for step in (-0.005, 0.005))
    assert not cost.plan(size, (72, below, below), 10**9).materialize
    assert cost.plan(size, (72, above, above), 10**9).materialize
    assert cost.plan(size, (72, 768, 768), 10**9).materialize


def test_few_tokens_never_build_w():
    """Building W costs as much as thousands of tokens."""
    assert not cost.plan(ViTSize(12, 12), (72, 192, 192), 1).materialize
