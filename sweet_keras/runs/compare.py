"""`sweet compare`: ways to start a network, against each other."""

import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console

from sweet_keras.data import holdout, open_source
from sweet_keras.runs.cells import Cells
from sweet_keras.runs.choose_task import choose_task
from sweet_keras.runs.claims import claim
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.comparison import size_order
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.environment import now
from sweet_keras.runs.measurements import Task, Trial
from sweet_keras.runs.method_names import split_name
from sweet_keras.runs.methods import METHODS
from sweet_keras.runs.pretrained import Pretrained
from sweet_keras.runs.results import Results
from sweet_keras.runs.results_table import Row, steps_to_baseline, write_table
from sweet_keras.runs.score import METRICS
from sweet_keras.runs.size_contest import SizeContest
from sweet_keras.runs.training import session

_PATIENCE = 2.0  # seconds between looks at what other processes have done


def compare(
    config: CompareConfig,
    *,
    overwrite: bool = False,
    resume: bool = False,
    wait: bool = True,
    arguments: Sequence[str] | None = None,
    console: Console | None = None,
) -> Results | None:
    """Starts networks of several sizes in several ways and fine-tunes them alike.

    The learning rate of each method and size is the one of the grid that is best on the validation
    images with seed 0. Only with that one are the test images looked at, once for each seed. Every
    fine-tuning is kept in a file of its own as soon as it is done, and never repeated.

    Several processes may work on one folder: each takes what no other has claimed, a pre-training
    or all fine-tunings of one method at one size, cheap sizes first. Each returns when all is done.

    Args:
        config: The recipe.
        overwrite: Remove the run that lies in `config.out`.
        resume: Go on with the run that lies there, or join those who work on it, or start it;
            methods, sizes, seeds and learning rates may be more than were.
        wait: Whether to wait for what other processes have claimed.
        arguments: The command line, to be noted in the run directory.
        console: Where progress is shown.

    Returns:
        What is in `results.json`; None if, without `wait`, others are still at work, of whom the
        last writes the results. `results.csv` has a row for each fine-tuning that was tested.

    Raises:
        ValueError: If an option does not fit the data, the folder is taken, or a file in it was
            made by another recipe.
    """
    console = console or Console(stderr=True)
    began = time.perf_counter()
    run = RunDirectory(config.out)
    images = open_source(config.data, "train", channels=config.channels)
    task = choose_task(config)
    labelled = images
    if config.annotated is not None:
        labelled = task.open(config.annotated, "train", config.channels)
    test = task.open(config.annotated or config.data, "test", config.channels)
    classes = task.classes(labelled)
    learned, validation = holdout(labelled, config.validation)
    task.few(learned, config.labels, seed=0)  # refuses too many before anything is written
    run.begin(config, "compare", overwrite=overwrite, resume=resume, arguments=arguments)
    run.cells.mkdir(exist_ok=True)
    cells = Cells(run.cells)
    with session("float32", seed=0):
        # Those that choose the learning rate are not to be learned from in any way.
        with_labels = images if config.annotated is not None else learned
        pretrained = Pretrained(config, images, with_labels, run, console)

        def contest(size: str) -> SizeContest:
            return SizeContest(
                config, task, cells, pretrained, size, classes, learned, validation, test
            )

        if not _work(config, run, contest, wait, console):
            return None
        groups = {size: contest(size) for size in config.sizes}
        trials = [
            trial
            for size in config.sizes
            for method in config.methods
            for trial in groups[size].done(method)
        ]
        results = Results(
            command="compare",
            finished=now(),
            task=Task(
                data=config.annotated or config.data,
                classes=classes,
                train_images=len(images),
                train_labels=config.labels,
                test_images=len(test),
                metric=METRICS[task.name],
            ),
            trials=tuple(trials),
            seconds=time.perf_counter() - began,
        )
        write_table(run.table, _rows(config, labelled.name, trials, pretrained))
    results.save(run.results)
    return results


def _work(
    config: CompareConfig,
    run: RunDirectory,
    contest: Callable[[str], SizeContest],
    wait: bool,
    console: Console,
) -> bool:
    """Does what is missing and not claimed by others; says whether all is there."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    missing = {size: list(config.methods) for size in sorted(config.sizes, key=size_order)}
    while missing:
        worked = False
        for size, methods in list(missing.items()):
            group = contest(size)  # compiled networks live as long as this
            for method in list(methods):
                with claim(run.locks / f"{size}-{method.replace(':', '+')}.lock") as granted:
                    if group.done(method) is None:
                        if not granted or not group.prepare(method):
                            continue  # another process has it, or what it needs
                        group.run(method, say)
                        worked = True
                methods.remove(method)
            if not methods:
                del missing[size]
        if missing and not worked:
            if not wait:
                return False
            time.sleep(_PATIENCE)
    return True


def _rows(
    config: CompareConfig, dataset: str, trials: Sequence[Trial], pretrained: Pretrained
) -> Iterator[Row]:
    for trial, steps in zip(trials, steps_to_baseline(trials), strict=True):
        method, variant = split_name(trial.method)
        seconds, stored = pretrained.cost(METHODS[method].needs, trial.size, variant)
        yield Row(
            dataset=dataset,
            labels=config.labels,
            method=trial.method,
            size=trial.size,
            seed=trial.seed,
            learning_rate=trial.learning_rate,
            accuracy=100 * trial.accuracy,
            steps_to_random=steps,
            pretrain_seconds=seconds,
            adapt_seconds=trial.initialization_seconds,
            finetune_seconds=trial.seconds,
            stored_parameters=stored,
        )
