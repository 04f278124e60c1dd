"""Which library a checkpoint is of, by its names alone."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from sweet_keras.formats.big_vision_names import BIG_VISION
from sweet_keras.formats.huggingface_names import DINOV2, SIGLIP, VIT
from sweet_keras.formats.keras_hub_names import KERAS_HUB
from sweet_keras.formats.name_table import NameTable
from sweet_keras.formats.stored import Stored
from sweet_keras.formats.timm_names import IMAGENET_MEAN, IMAGENET_STD, MAE_DECODER, TIMM

TABLES = (TIMM, VIT, DINOV2, SIGLIP, KERAS_HUB, BIG_VISION)
_IMAGENET = {"pixel_mean": IMAGENET_MEAN, "pixel_std": IMAGENET_STD}


def recognise(arrays: Mapping[str, Stored]) -> tuple[NameTable, dict[str, Stored]]:
    """Finds the table of names that a checkpoint follows.

    Args:
        arrays: By the names in the file.

    Returns:
        The table, and the arrays that it speaks of by the names it uses: without prefixes, and
        without those of heads and decoders.

    Raises:
        ValueError: If the names are of none of the formats, two of them mean the same array, or
            they are of a network that a `ViTBackbone` is not.
    """
    for table in TABLES:
        plain = {name: _plain(name, table) for name in arrays}
        signs = {table.entries[ours].names()[0] for ours in ("patch/kernel", "norm1/scale")}
        if not signs <= set(plain.values()):
            continue
        if len(set(plain.values())) < len(plain):
            twice = sorted(name for name in plain if list(plain.values()).count(plain[name]) > 1)
            raise ValueError(f"names that mean the same array: {_few(twice)}")
        for pattern, meaning in table.refused:
            found = [name for name in plain.values() if re.match(pattern, name)]
            if found:
                raise ValueError(
                    f"{found[0]!r} is {meaning}, which no ViTBackbone has ({table.library})"
                )
        pretraining = any(re.match(MAE_DECODER, name) for name in plain.values())
        if table is TIMM and pretraining:
            table = dataclasses.replace(table, library="MAE", **_IMAGENET)
        if table is VIT and any(re.search(r"decoder", name) for name in arrays):
            table = dataclasses.replace(table, library="Hugging Face ViTMAE", **_IMAGENET)
        if table is DINOV2 and table.register_tokens in plain.values():
            table = dataclasses.replace(table, resampling="antialiased")
        return table, {
            plain[name]: stored
            for name, stored in arrays.items()
            if not re.match(table.ignored, plain[name])
        }
    raise ValueError(
        f"names of none of {', '.join(table.library for table in TABLES)}: {_few(sorted(arrays))}"
    )


def check_names(table: NameTable, arrays: Mapping[str, Stored], depth: int) -> None:
    """Raises ValueError unless a checkpoint has all names of a table, and no others."""
    scales = table.layer_scale if table.layer_scale and _has(table.layer_scale[0], arrays) else ()
    required, optional = set(), {table.class_token, table.register_tokens, table.positions}
    for entry in table.entries.values():
        layers = depth if "{}" in entry.names("{}")[0] else 1
        names = {theirs for layer in range(layers) for theirs in entry.names(layer)}
        (optional if entry.optional else required).update(names)
        if entry.optional and names & set(arrays):
            required |= names  # biases of some layers only are an accident
    required |= {name.format(layer) for name in scales for layer in range(depth)}
    if not table.fixed_positions:
        required.add(table.positions)
    missing, unknown = required - set(arrays), set(arrays) - required - optional
    if missing or unknown:
        raise ValueError(
            f"not the names of {table.library} with {depth} layers: "
            f"missing {_few(sorted(missing))}, unknown {_few(sorted(unknown))}"
        )


def depth_of(table: NameTable, arrays: Mapping[str, Stored]) -> int:
    """The number of layers, by the highest one that is named."""
    before, after = table.entries["norm1/scale"].names("{}")[0].split("{}")
    pattern = re.compile(re.escape(before) + r"(\d{1,4})" + re.escape(after))
    return 1 + max(int(found[1]) for name in arrays if (found := pattern.fullmatch(name)))


def _plain(name: str, table: NameTable) -> str:
    for prefix in table.prefixes:
        name = name.removeprefix(prefix)
    for pattern, replacement in table.aliases:
        name = re.sub(pattern, replacement, name)
    return name


def _has(name: str, arrays: Mapping[str, Stored]) -> bool:
    return name.format(0) in arrays


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:6]) or "none"
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
