"""The command line: `sweet …`.

Importing this package, and asking any command for help, loads neither keras nor a framework.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `sweet` and ends the process.

    Exit codes: 0 done, 1 failed, 2 wrong options or files, 130 interrupted.

    Args:
        arguments: The command line after `sweet`; by default that of the process.
    """
    from sweet_keras.cli.app import run
    from sweet_keras.runs.allocator import keep_memory

    keep_memory()
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))
