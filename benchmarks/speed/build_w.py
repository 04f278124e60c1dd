"""Building W: its kernels from the factors, against tensorly, opt_einsum and a matrix product.

The template has the size's own ranks, all of them, (12 L, D, D). Ours gives the kernels laid out,
the others give W, 12 L matrices. The share of the machine's rate counts the multiply-adds of the
cheapest order.
"""

import numpy as np

from .clock import now
from .interleave import Contest, in_turns, judge
from .machine import matmul_rate
from .request import Request


def measure(request: Request) -> list[tuple[dict, dict]]:
    """Rows of one size, such as `L6H6`: heads of 64."""
    import keras
    import opt_einsum
    import tensorly
    from keras import ops

    from sweet_keras.core import cost
    from sweet_keras.core.kernel_product import contract_to_kernels
    from sweet_keras.core.size import ViTSize
    from sweet_keras.core.tucker import Factors

    size = ViTSize.parse(request.size, 64)
    count, dim = 12 * size.depth, size.embed_dim
    ranks = (count, dim, dim)
    rng = np.random.default_rng(0)
    shapes = (ranks, (count, count), (dim, dim), (dim, dim))
    arrays = [ops.convert_to_tensor(rng.standard_normal(s, dtype="float32")) for s in shapes]
    order = cost.best_order(count, dim, ranks)
    tensorly.set_backend({"torch": "pytorch"}.get(request.backend, request.backend))
    functions = {
        "ours": lambda *a: contract_to_kernels(Factors(*a), size.depth, order, ops),
        "tensorly.tucker_to_tensor": lambda *a: tensorly.tucker_to_tensor((a[0], list(a[1:]))),
        "opt_einsum": lambda *a: opt_einsum.contract("kpq,bk,ip,jq->bij", *a),
    }
    timed = {name: _timer(function, arrays, request) for name, function in functions.items()}
    multiply_adds = cost.contraction_cost(count, dim, ranks, order)
    about = {"ranks": ranks, "multiply_adds": multiply_adds, "keras": keras.__version__}
    found, ours = [], []
    for name in list(timed)[1:]:
        timed["ours"](), timed[name]()
        pairs = in_turns(timed["ours"], timed[name], request.repeats)
        ours += [pair[0] for pair in pairs]
        result = judge(pairs)
        row = request.row("s", result.ours, result.peer, result, name)
        found.append((row, about | {"pairs": len(pairs), "seconds": pairs}))
    side = 2048 if request.device == "cpu" else 8192
    square = ops.convert_to_tensor(rng.standard_normal((side, side), dtype="float32"))
    multiply = _timed_call(ops.matmul, request)
    rate = matmul_rate(multiply, (square, square), request.seconds)
    shares = sorted(multiply_adds / seconds / rate for seconds in ours)
    middle = shares[len(shares) // 2]
    result = Contest(0, 0, middle, shares[len(shares) // 4], shares[3 * len(shares) // 4])
    remark = __doc__.partition("\n\n")[2].strip()
    row = request.row("GMAC/s", middle * rate / 1e9, rate / 1e9, result, f"matmul of {side}")
    found.append((row, about | {"pairs": len(ours), "remark": remark}))
    return found


def _timed_call(function, request: Request):
    """`function` compiled where the backend compiles, waiting for what it gives."""
    if request.backend == "jax":
        import jax

        compiled = jax.jit(function)
        return lambda *a: jax.block_until_ready(compiled(*a))
    if request.backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(function)

        def call(*a):
            outputs = tf.nest.flatten(compiled(*a))
            return [float(tf.reshape(x, (-1,))[0]) for x in outputs]  # waits

        return call
    import torch

    def call(*a):
        with torch.no_grad():
            result = function(*a)
        if request.device == "gpu":
            torch.cuda.synchronize()
        return result

    return call


def _timer(function, arrays, request: Request):
    call = _timed_call(function, request)
    calls = request.calls(lambda: call(*arrays))

    def run() -> float:
        began = now()
        for _ in range(calls):
            call(*arrays)
        return (now() - began) / calls

    return run
