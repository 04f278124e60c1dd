"""What every resumable command does around its run."""

from collections.abc import Callable
from typing import Any

from sweet_keras.cli.command import Invocation


def run_and_report(call: Invocation, run: Callable[..., Any]) -> tuple[Any, str, list[str], Any]:
    """Carries out a command and writes its report.

    Args:
        call: The call.
        run: The command's function in `sweet_keras.runs`.

    Returns:
        The results, the headline, the sentences that qualify it, and where the report lies.

    Raises:
        SystemExit: In a process that trained along with the first one, which writes.
    """
    from sweet_keras.distribution.distribute import is_writer
    from sweet_keras.report import write_report
    from sweet_keras.report.comparison_headline import headline_of
    from sweet_keras.runs.directory import RunDirectory

    results = run(
        call.config,
        overwrite=call.overwrite,
        resume=call.resume,
        arguments=call.arguments,
        console=call.progress,
    )
    if not is_writer():  # of several processes; the first one writes and says what there is
        raise SystemExit(0)
    report = write_report(call.config.out)
    first, more = headline_of(RunDirectory(call.config.out), results)
    return results, first, more, report
