"""What becomes of broken annotations."""

from __future__ import annotations


class DegenerateBoxError(ValueError):
    """A box without extent: left out wherever it appears, never an error."""


class ProblemLog:
    """Raises broken annotations, or writes them down, as the caller wishes.

    Args:
        on_error: `"raise"`: what is broken raises `ValueError`. `"skip"`: it
            is left out and written down.

    Attributes:
        lines: What was left out, a line each.
        dropped: Number of objects left out.

    Raises:
        ValueError: If `on_error` is neither.
    """

    def __init__(self, on_error: str):
        if on_error not in ("raise", "skip"):
            raise ValueError(f'`on_error` must be "raise" or "skip". Received: {on_error!r}')
        self.on_error = on_error
        self.lines: list[str] = []
        self.dropped = 0

    def skip_record(self, where: str, error: Exception) -> None:
        """Leaves out an image.

        Args:
            where: The file and the record.
            error: What is wrong with it.

        Raises:
            ValueError: Unless broken records are skipped.
        """
        line = f"{where}: {error}"
        if self.on_error == "raise":
            raise ValueError(line) from error
        self.lines.append(line)

    def drop_object(self, where: str, error: Exception) -> None:
        """Leaves out one object of an image.

        Args:
            where: The file and the record.
            error: What is wrong with it.

        Raises:
            ValueError: Unless broken objects are skipped, or it is merely a
                `DegenerateBoxError`.
        """
        line = f"{where}: {error}"
        if self.on_error == "raise" and not isinstance(error, DegenerateBoxError):
            raise ValueError(line) from error
        self.lines.append(line)
        self.dropped += 1
