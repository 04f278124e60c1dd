"""What CUDA graphs do, done on the CPU: operations are recorded undone, and replayed in place."""

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_TO_HOST = {
    getattr(torch.Tensor, name)
    for name in "__bool__ __float__ __index__ __int__ __array__ cpu item numpy tolist".split()
}


class _NoWayToHost(TorchFunctionMode):
    """Refuses what would have to wait for a GPU."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in _TO_HOST:
            raise RuntimeError(f"{func} asks the device for a number")
        return func(*args, **(kwargs or {}))


class GraphOfOperations(TorchDispatchMode):
    """Records operations of PyTorch; in the end everything is as it was."""

    def __init__(self):
        super().__init__()
        self.operations, self.before, self.guard = [], {}, _NoWayToHost()

    def begin(self):
        self.random_state = torch.get_rng_state()
        self.guard.__enter__()
        self.__enter__()

    def end(self):
        self.__exit__(None, None, None)
        self.guard.__exit__(None, None, None)
        torch.set_rng_state(self.random_state)
        with torch.no_grad():
            for tensor, value in self.before.values():
                tensor.copy_(value)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("the device is asked for a number")
        kwargs = kwargs or {}
        for argument, given in zip(func._schema.arguments, args, strict=False):
            if argument.alias_info is not None and argument.alias_info.is_write:
                for tensor in _tensors(given):
                    self.before.setdefault(id(tensor), (tensor.detach(), tensor.clone()))
        result = func(*args, **kwargs)
        # What lies in memory: `squeeze_` and the like change a tensor's shape later.
        out = [tensor.detach() for tensor in _tensors(result)]
        self.operations.append((func, args, kwargs, out))
        return result

    def replay(self):
        with torch.no_grad():
            for func, args, kwargs, out in self.operations:
                again = func(*args, **kwargs)
                if all(returned.alias_info is None for returned in func._schema.returns):
                    for old, new in zip(out, _tensors(again), strict=True):
                        old.copy_(new)


class GraphsOfOperations:
    """In place of `CudaGraphs`."""

    device = torch.device("cpu")

    def __init__(self):
        self.made = []

    def __call__(self, generators):
        self.made.append(GraphOfOperations())
        return self.made[-1]

    def stream(self):
        return contextlib.nullcontext()

    def tidy(self):
        pass

    def have_room(self):
        return True


def _tensors(value):
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]
