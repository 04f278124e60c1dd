"""The card of a published template or network: what it is, and how it was made, as far as known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sweet_keras.core.template import SweetTemplate
from sweet_keras.models.image_classifier import ImageClassifier

_USE = {
    "template": 'template = sk.pull("{source}")\nvit = sk.materialize(template, "{size}")',
    "network": 'vit = sk.pull("{source}")\ntokens = vit(images)',
    "classifier": 'model = sk.pull("{source}")\nlogits = model(images)',
}


def model_card(
    thing: Any,
    name: str,
    *,
    data: str | None = None,
    results: Mapping[str, float | str] | None = None,
    license: str | None = None,
) -> str:
    """Writes a card in Markdown, with the header that Hugging Face reads.

    Args:
        thing: A `SweetTemplate`, a `ViTBackbone` or an `ImageClassifier`.
        name: Heading.
        data: What it was trained on.
        results: What was measured.
        license: Its licence.

    Returns:
        The text. What is not known is said to be so.
    """
    classifier = isinstance(thing, ImageClassifier)
    kind = "classifier" if classifier else "network"
    vit = thing.backbone if classifier else thing
    if isinstance(thing, SweetTemplate):
        kind, parameters, record = "template", thing.parameters, dict(thing.record)
    else:
        parameters, record = thing.count_params(), {}
    facts = _facts(kind, thing, vit, parameters)
    header = ["---", "library_name: keras", "tags: [sweet_keras, vision-transformer, keras]"]
    header += [f"license: {json.dumps(license)}"] if license else []
    header += ["pipeline_tag: image-classification"] if classifier else []
    use = _USE[kind].format(source="FOLDER OR OWNER/NAME", size=vit.size)
    sections = [
        "\n".join([*header, "---"]),
        f"# {_line(name)}",
        f"A {kind} of [SWEET](https://arxiv.org/abs/2601.19694) vision transformers, of the Keras "
        "library sweet_keras.",
        _table("", "", facts),
        "## Use",
        f"```python\nimport keras, sweet_keras as sk\n\n{use}\n```",
        "Images are pixels in 0..255, channels last; the normalisation is part of the network.",
        "## Data",
        data or "Not said.",
        "## Training",
        _table("option", "value", _flat(record)) if record else "Not recorded.",
        "## Measured",
        _table("what", "result", dict(results)) if results else "Nothing was measured.",
        "## Licence",
        license or "Not said.",
    ]
    return "\n\n".join(sections) + "\n"


def _facts(kind: str, thing: Any, vit: Any, parameters: int) -> dict[str, Any]:
    height, width, channels = vit.image_shape
    size = vit.size
    facts = {
        "size": f"{size}: {size.depth} layers, {size.num_heads} heads of {size.head_dim}",
        "parameters": f"{parameters:,}",
        "images": f"{height} x {width} x {channels}, patches of {vit.patch_size}",
        "class token": "yes" if vit.class_token else "no",
        "register tokens": vit.register_tokens,
        "pixel mean, deviation": f"{_numbers(vit.pixel_mean)}; {_numbers(vit.pixel_std)}",
    }
    if kind == "template":
        facts["ranks"] = " x ".join(map(str, thing.ranks))
    if kind == "classifier":
        facts["classes"] = thing.classes
        if thing.class_names:
            facts["names"] = ", ".join(thing.class_names)
    return facts


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """A record as one table; lists beyond a few numbers are left to the file."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        elif not isinstance(value, list) or (len(value) <= 12 and len(str(value)) <= 200):
            flat[f"{before}{name}"] = value
    return flat


def _table(first: str, second: str, rows: Mapping[str, Any]) -> str:
    lines = [f"| {first} | {second} |", "|---|---|"]
    lines += [f"| {_line(name)} | {_line(value)} |" for name, value in rows.items()]
    return "\n".join(lines)


def _line(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", r"\|")


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
