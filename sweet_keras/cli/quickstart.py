"""`sweet quickstart`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.quickstart_config import QuickstartConfig


def quickstart(call: Invocation) -> None:
    """Shows the whole road on bundled images, in minutes, against random initialisation.

    Pre-trains a template, cuts networks of three sizes out of it, fine-tunes them and randomly
    initialised twins for the same steps with the same seeds, and says honestly which was better.

    Goes in: nothing; the images come with the package. Comes out: a folder with report.html,
    results.json, template.sweet and model.keras, a classifier that is ready for use.

    Example:
        sweet quickstart

        sweet quickstart --out demo --seeds 1
    """
    from sweet_keras.cli.tables import comparison_table
    from sweet_keras.report import write_report
    from sweet_keras.report.headline import headline
    from sweet_keras.runs.quickstart import quickstart as run

    results = run(
        call.config,
        overwrite=call.overwrite,
        arguments=call.arguments,
        console=call.progress,
    )
    report = write_report(call.config.out)
    first, more = headline(results)
    call.console.print(comparison_table(results))
    call.say(f"{first}.", *more)
    call.say(f"{results.seconds / 60:.1f} minutes. Report: {report}")


QUICKSTART = Command(name="quickstart", config=QuickstartConfig, body=quickstart, writes_run=True)
