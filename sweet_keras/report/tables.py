"""The tables of a report."""

from collections.abc import Mapping
from typing import Any

from sweet_keras.report.html import element, table
from sweet_keras.report.palette import text_of
from sweet_keras.report.signed import signed
from sweet_keras.runs.comparison import compare
from sweet_keras.runs.results import Results


def accuracy_table(results: Results) -> str:
    """Returns a row for each size and method, as HTML."""
    header = ["size", "start", "accuracy", "± sd", "above random", "verdict"]
    header += ["fine-tuning", "start made in"]
    rows, size = [], None
    for cell in compare(results.trials):
        deviation = "" if cell.deviation is None else f"{100 * cell.deviation:.1f}"
        difference = "" if cell.difference is None else signed(100 * cell.difference)
        made = "" if cell.initialization_seconds == 0 else f"{cell.initialization_seconds:.2g} s"
        verdict = cell.verdict or ""
        rows.append(
            [
                cell.size if cell.size != size else "",
                text_of(cell.method),
                f"{100 * cell.mean:.1f} %",
                deviation,
                difference,
                (verdict if verdict in ("better", "worse") else "", verdict),
                f"{cell.seconds:.3g} s",
                made,
            ]
        )
        size = cell.size
    return table(header, rows, numbers=(2, 3, 4, 6, 7))


def made_with(environment: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Returns the command, the versions and all options, as HTML."""
    parts = []
    if environment.get("command_line"):
        parts.append(element("pre", environment["command_line"]))
    for again in environment.get("resumed", []):
        if again.get("command_line"):
            parts.append(element("p", "resumed with", class_="note"))
            parts.append(element("pre", again["command_line"]))
    facts = [
        (name.replace("_", " "), environment[key])
        for name, key in (
            ("started", "started"),
            ("backend", "backend"),
            ("python", "python"),
            ("platform", "platform"),
            ("processor cores", "cpu_count"),
        )
        if environment.get(key) is not None
    ]
    versions = environment.get("versions", {})
    facts += [(name, version) for name, version in versions.items()]
    if facts:
        parts.append(_folded("Versions and machine", table(["", ""], facts)))
    if options:
        rows = [(name, ("value", _option(value))) for name, value in options.items()]
        parts.append(_folded("All options", table(["option", "value"], rows)))
    return "".join(parts)


def _option(value: Any) -> str:
    if value is None:
        return "default"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _folded(title: str, content: str) -> str:
    return f"<details>{element('summary', title)}{content}</details>"
