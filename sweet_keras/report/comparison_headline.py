"""What a comparison found, in sentences computed from its numbers, whoever won."""

from sweet_keras.report.headline import headline
from sweet_keras.report.palette import text_of
from sweet_keras.report.signed import signed
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.paired import Difference
from sweet_keras.runs.results import Results
from sweet_keras.runs.score import TITLES
from sweet_keras.runs.summary import OURS, REFERENCE, Summary, summary_of


def headline_of(run: RunDirectory, results: Results) -> tuple[str, list[str]]:
    """Says what came out of a run.

    Args:
        run: Its folder.
        results: Its results.

    Returns:
        One sentence, and more that qualify it.
    """
    summary = summary_of(run, results)
    if summary is None or summary.best_other() is None or not summary.averages(OURS):
        return headline(results)
    first, more = comparison_headline(summary)
    labels = "labels" if summary.metric == "accuracy" else "annotated images"
    more.append(
        f"{TITLES[summary.metric]} on {results.task.test_images:,} test images after fine-tuning "
        f"on {summary.labels:,} {labels}."
    )
    return first, more


def comparison_headline(summary: Summary) -> tuple[str, list[str]]:
    """Says how SWEET adapt fares against the best other start and direct pre-training.

    Args:
        summary: Of a task in which SWEET adapt and at least one other method have an average.
    """
    other = summary.best_other()
    difference = summary.averaged_difference(OURS, other)
    sizes = summary.averaged
    where = f"on average over {len(sizes)} sizes" if len(sizes) > 1 else f"at {sizes[0]}"
    best = f"{text_of(other)}, the best other start"
    points = f"{abs(difference.mean):.2f} points"
    if difference.verdict == "no clear difference" or difference.margin is None:
        title = (
            f"{text_of(OURS)} is not clearly different from {best}: "
            f"{signed(difference.mean, 2)} points {where}"
        )
    elif difference.verdict == "better":
        title = f"{text_of(OURS)} is {points} above {best}, {where}"
    else:
        title = f"{text_of(OURS)} is {points} below {best}, {where}"
    more = [f"{title.partition(' is ')[0]} less {text_of(other)}: {_interval(difference)}."]
    first_at = [size for size in sizes if summary.best(size, variants=False) == OURS]
    more.append(
        f"It has the highest mean at {len(first_at)} of {len(sizes)} sizes"
        + (f" ({', '.join(first_at)})" if first_at else "")
        + (", direct pre-training aside." if REFERENCE in summary.methods else ".")
    )
    direct = summary.averaged_difference(OURS, REFERENCE)
    if direct is not None:
        ours, theirs = (summary.cost(method, sizes) for method in (OURS, REFERENCE))
        share = (ours.pretrain_seconds + ours.adapt_seconds) / max(theirs.pretrain_seconds, 1e-9)
        more.append(
            f"Against direct pre-training of each size: {_interval(direct)}, at {share:.0%} of its "
            "seconds (pre-training, and adaptation of every size)."
        )
    return title, more


def _interval(difference: Difference) -> str:
    text = f"{signed(difference.mean, 2)} points"
    if difference.margin is None:
        return f"{text}, of a single seed"
    return (
        f"{text}, 95 % confidence interval [{signed(difference.low, 2)}, "
        f"{signed(difference.high, 2)}], paired over {difference.seeds} seeds"
    )
