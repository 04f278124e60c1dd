"""`sweet compare`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.cli.run_and_report import run_and_report
from sweet_keras.runs.compare_config import CompareConfig


def compare(call: Invocation) -> None:
    """Measures ways to start a network against each other: methods x sizes x seeds.

    All get the same images, labels, steps and batches; each chooses its learning rate on validation
    images. What needs a trained source gets one of the same images, steps and batches.

    Goes in: labelled images with a test part; to detect or segment, images to pre-train on and
    annotated ones. Comes out: a folder with results.csv, results.md,
    report.html, and every fine-tuning in a file of its own, so that an interrupted comparison goes
    on where it was, and methods, sizes and seeds can be added later. The same command with --resume
    in several processes shares the work.

    Example:
        sweet compare --data fashion-mnist --out runs/compare

        sweet compare --out runs/compare --resume --seeds 5 --methods xavier --methods sweet_slice

        sweet compare --data photos/ --task detect --annotated coco/ --annotated-size 512 --out run
    """
    from sweet_keras.cli.tables import methods_table
    from sweet_keras.runs.compare import compare as run
    from sweet_keras.runs.directory import RunDirectory
    from sweet_keras.runs.summary import summary_of

    results, first, more, report = run_and_report(call, run)
    folder = RunDirectory(call.config.out)
    call.console.print(methods_table(summary_of(folder, results)))
    files = f"{folder.table}, {folder.markdown}"
    call.say(f"{first}.", *more, f"Tables: {files}", f"Report: {report}")


COMPARE = Command(
    name="compare",
    config=CompareConfig,
    body=compare,
    writes_run=True,
    resumable=True,
    shared=True,
)
