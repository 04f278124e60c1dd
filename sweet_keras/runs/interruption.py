"""SIGTERM and SIGINT while training: noted, so that the step is finished and saved first."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A training was interrupted by a signal, and saved.

    Args:
        number: The signal.
        message: What was saved.
    """

    def __init__(self, number: int, message: str) -> None:
        """Keeps the arguments."""
        super().__init__(message)
        self.signal = number


class Interruption:
    """Whether a signal came."""

    signal: int | None = None


@contextlib.contextmanager
def noted_signals() -> Iterator[Interruption]:
    """Notes the first SIGTERM or SIGINT; a second one ends the process at once.

    What handled them before does so again afterwards. In another thread than the main one, which
    Python gives no signals, nothing is changed.

    Yields:
        Where the signal is noted.
    """
    noted = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def handle(number, frame) -> None:
        if noted.signal is not None:
            # Not `sys.exit`: whatever does not get done now may be what hangs.
            os._exit(128 + number)
        noted.signal = number

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # A process that is started in the background to ignore them goes on doing so.
    taken = [number for number in _SIGNALS if before[number] not in (signal.SIG_IGN, None)]
    for number in taken:
        signal.signal(number, handle)
    try:
        yield noted
    finally:
        for number in taken:
            signal.signal(number, before[number])
