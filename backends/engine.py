"""What the devices of a training do alike on every framework."""

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["Engine", "refuse_model_parallel"]


class Engine:
    """Devices that see their own rows, and metrics that have counted those of all.

    Attributes:
        count: Devices in all.
        here: Numbers of the devices of this process.
    """

    count: int
    here: range

    def deal(self, total: int) -> list[slice]:
        """Returns which rows of a batch each device of this process has: dealt like cards.

        Args:
            total: Rows of the batch.

        Raises:
            ValueError: If there are fewer than devices.
        """
        if total < self.count:
            raise ValueError(
                f"A batch must have at least one row for each of {self.count} devices. "
                f"Received: {total} rows"
            )
        return [slice(device, None, self.count) for device in self.here]

    @contextlib.contextmanager
    def counted_together(self, model: Any) -> Iterator[None]:
        """Gives metrics what all processes have counted, which they have already.

        All processes have to enter it.

        Args:
            model: A compiled model.
        """
        yield

    def leave_counts_to_first(self, model: Any) -> None:
        """Lets what metrics of all processes were given count once, as it does already.

        Args:
            model: A compiled model.
        """


def refuse_model_parallel(model_parallel: int, framework: str) -> None:
    """Raises a `ValueError` unless kernels are left whole.

    Args:
        model_parallel: Devices that kernels are to be divided among.
        framework: Its name.
    """
    if model_parallel != 1:
        raise ValueError(
            f"`model_parallel` must be 1 on {framework}; kernels are divided on JAX only. "
            f"Received: model_parallel={model_parallel}"
        )
