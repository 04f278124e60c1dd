"""What a run found, in sentences computed from its numbers, whoever won."""

from sweet_keras.report.generation import PREDICTED, generation_headline
from sweet_keras.report.palette import text_of
from sweet_keras.report.signed import signed
from sweet_keras.runs.comparison import Cell, compare, methods_of, sizes_of
from sweet_keras.runs.method_names import BASELINES
from sweet_keras.runs.results import Results
from sweet_keras.runs.score import TITLES
from sweet_keras.runs.spectrum import SICK


def headline(results: Results) -> tuple[str, list[str]]:
    """Says what came out.

    Args:
        results: Any results.

    Returns:
        One sentence, and more that qualify it.
    """
    methods = methods_of(results.trials)
    others = [method for method in methods if method not in BASELINES]
    if others and len(others) < len(methods):
        first, more = _contest(results, others)
    elif results.trials:
        first, more = _accuracy(results)
    elif results.generation is not None:
        first, more = generation_headline(results)
    else:
        first, more = _template(results)
    sick = sorted(
        {
            f"{part.kind} ({part.values[0]:.0f})"
            for part in results.spectra
            if part.values[0] > SICK and part.method not in BASELINES
        }
    )
    if sick:
        more.append(
            f"Warning: kernels from the template have singular values above {SICK:.0f}: "
            f"{', '.join(sick)}. Such templates fine-tune badly."
        )
    return first, more


def _contest(results: Results, methods: list[str]) -> tuple[str, list[str]]:
    cells = [cell for cell in compare(results.trials) if cell.against is not None]
    groups = {method: [cell for cell in cells if cell.method == method] for method in methods}
    groups = {method: group for method, group in groups.items() if group}
    if not groups:
        return _accuracy(results)
    leading = "sweet_adapt" if "sweet_adapt" in groups else next(iter(groups))
    seeds = {len(cell.accuracies) for cell in cells}
    title = _title(leading, groups[leading])
    sentences = [_sentence(method, group) for method, group in groups.items()]
    task = results.task
    what = "labels" if task.metric == "accuracy" else "annotated images"
    given = f"after fine-tuning on {task.train_labels:,} {what}" if task.train_labels else ""
    sentences.append(
        f"{TITLES[task.metric]} on {task.test_images:,} test images {given}, mean of "
        f"{' or '.join(map(str, sorted(seeds)))} seed{'s' if seeds != {1} else ''}. "
        + (
            "With a single seed no difference can be told from chance."
            if max(seeds) == 1
            else "A difference is called clear if chance alone would give it in fewer than one "
            "case in twenty (t-test, paired by seed)."
        )
    )
    return title, sentences


def _title(method: str, cells: list[Cell]) -> str:
    name = {"sweet_adapt": "The adapted template", "sweet_slice": "The sliced template"}.get(
        method, f"'{method}'"
    )
    sizes = f"all {len(cells)} sizes" if len(cells) > 1 else cells[0].size
    verdicts = [cell.verdict for cell in cells]
    span = _span([cell.difference for cell in cells])
    if all(verdict is None for verdict in verdicts):
        return f"{name} against random initialisation: {span} points, on too few seeds to tell"
    if all(verdict == "better" for verdict in verdicts):
        return f"{name} beats random initialisation at {sizes}: {span} points"
    if all(verdict == "worse" for verdict in verdicts):
        return f"Random initialisation beats {name.lower()} at {sizes}: {span} points"
    if all(verdict == "no clear difference" for verdict in verdicts):
        return f"{name} is not clearly different from random initialisation: {span} points"
    parts = [
        f"{verdict} at {' and '.join(c.size for c in cells if c.verdict == verdict)}"
        for verdict in ("better", "worse", "no clear difference")
        if verdict in verdicts
    ]
    return f"{name} against random initialisation: {', '.join(parts)}"


def _sentence(method: str, cells: list[Cell]) -> str:
    parts = [
        f"{cell.size} {signed(100 * cell.difference)}"
        + (f" ({cell.verdict})" if cell.verdict is not None else "")
        for cell in cells
    ]
    text = text_of(method)
    return f"{text[0].upper()}{text[1:]}, points above random: {', '.join(parts)}."


def _accuracy(results: Results) -> tuple[str, list[str]]:
    task = results.task
    cells = compare(results.trials)
    sentences = [
        f"{cell.size}, {text_of(cell.method)}: {cell.mean:.1%}"
        + (f" ± {cell.deviation:.1%} over {len(cell.accuracies)} seeds" if cell.deviation else "")
        + "."
        for cell in cells
    ]
    best = cells[0]
    what = "labels" if task.metric == "accuracy" else "annotated images"
    given = f" after learning from {task.train_labels:,} {what}" if task.train_labels else ""
    if len(cells) == 1:
        title = (
            f"{best.size} gets {best.mean:.1%} of {task.test_images:,} test images right{given}"
            if task.metric == "accuracy"
            else f"{best.size}: {task.metric} {best.mean:.1%} on {task.test_images:,} test "
            f"images{given}"
        )
        more = [f"Started: {text_of(best.method)}. Seeds: {len(best.accuracies)}."]
        measures = results.trials[0].more if len(results.trials) == 1 else {}
        known = [f"{name} {value:.1%}" for name, value in measures.items() if value is not None]
        return title, more + ([f"{', '.join(known)}."] if known else [])
    sizes = ", ".join(sizes_of(results.trials))
    return f"Accuracy of {sizes} on {task.test_images:,} test images{given}", sentences


def _template(results: Results) -> tuple[str, list[str]]:
    made = results.pretraining
    if made is None:
        return f"sweet {results.command}: nothing was measured", []
    share = made.template_parameters / made.dense_parameters
    title = (
        f"A template of {made.template_parameters:,} numbers, {share:.0%} of the plain "
        f"{made.size} it was trained as"
    )
    ranks = " x ".join(map(str, made.ranks))
    generates = made.objective in PREDICTED
    how = "with labels, to generate" if generates else "without labels"
    sentences = [
        f"Trained on {results.task.train_images:,} images {how}: {made.steps:,} steps "
        f"of {made.batch_size} images in {_duration(made.seconds)}; ranks {ranks}."
    ]
    if made.loss is not None and generates:
        sentences.append(
            f"The loss of the last epoch, the mean squared error of the predicted "
            f"{PREDICTED[made.objective]}, is {made.loss:.3f}."
        )
    elif made.loss is not None:
        sentences.append(
            f"The loss of the last epoch is {made.loss:.3f}; a network that has learned nothing "
            "gets 1, or less where images have flat areas."
        )
    return title, sentences


def _span(differences: list[float]) -> str:
    low, high = signed(100 * min(differences)), signed(100 * max(differences))
    return low if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
