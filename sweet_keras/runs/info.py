"""`sweet info`: what a file is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sweet_keras.core.decomposition_record import read_decomposition
from sweet_keras.core.template import SweetTemplate
from sweet_keras.runs.spectrum import (
    KernelHealth,
    backbone_kernels,
    kernel_health,
    kernels_by_kind,
)
from sweet_keras.runs.template_numbers import dense_parameters

Facts = dict[str, Any]


class Description(NamedTuple):
    """What a file is."""

    facts: Facts
    record: Facts  # of its training
    health: list[KernelHealth]
    decomposition: Mapping[str, Any]  # of a template made from a network: how well; else empty


def describe(path: str) -> Description:
    """Describes a template, without keras, or a network.

    Args:
        path: A `.sweet` or a `.keras` file.

    Raises:
        ValueError: If the file is neither.
    """
    if path.endswith(".keras"):
        return _network(path)
    template = SweetTemplate.load(path)
    size = template.size
    dense = dense_parameters(template)
    share = template.parameters / dense
    facts = {
        "kind": "template",
        "size": f"{size}: {size.depth} layers, {size.num_heads} heads of {size.head_dim}, "
        f"{size.embed_dim} channels",
        "ranks": " x ".join(map(str, template.ranks)),
        "parameters": f"{template.parameters:,}, {share:.0%} of the {dense:,} of a plain {size}",
        **_geometry(template),
        "decoder": f"L{template.decoder.depth}H{template.decoder.num_heads}, to adapt with"
        if template.decoder
        else "none",
    }
    decomposition = read_decomposition(template.record)
    unrolled = ("options", "decomposition") if decomposition else ("options",)
    record = {key: value for key, value in template.record.items() if key not in unrolled}
    record |= template.record.get("options", {})
    health = kernel_health(kernels_by_kind(template.kernels()))
    return Description(facts, record, health, decomposition)


def _network(path: str) -> Description:
    from sweet_keras.runs.starting_point import load_network

    model = load_network(path)
    backbone = getattr(model, "backbone", model)
    size = backbone.size
    facts = {
        "kind": "network" if model is backbone else f"classifier of {model.classes} classes",
        "size": f"{size}: {size.depth} layers, {size.num_heads} heads of {size.head_dim}, "
        f"{size.embed_dim} channels",
        "parameters": f"{model.count_params():,}",
        **_geometry(backbone),
        "precision": model.dtype_policy.name,
    }
    return Description(facts, {}, kernel_health(backbone_kernels(backbone)), {})


def _geometry(thing: Any) -> Facts:
    height, width, channels = thing.image_shape
    mean, std = (
        ", ".join(f"{value:g}" for value in values)
        for values in (thing.pixel_mean, thing.pixel_std)
    )
    return {
        "images": f"{height} x {width} pixels, {channels} channel{'s' if channels > 1 else ''}, "
        "values 0 to 255",
        "patches": f"{thing.patch_size} x {thing.patch_size} pixels, "
        f"{(height // thing.patch_size) * (width // thing.patch_size)} in an image",
        "positions": thing.positions,
        **_form(thing),
        "preprocessing": f"(pixel - {mean}) / {std}, done by the network itself",
    }


def _form(thing: Any) -> Facts:
    extra = ["a class token"] if thing.class_token else []
    if thing.register_tokens:
        extra.append(f"{thing.register_tokens} registers")
    facts = {"extra tokens": " and ".join(extra) or "none"}
    ratio, activation, epsilon = thing.mlp_ratio, thing.activation, thing.norm_epsilon
    if (ratio, activation, epsilon) != (4, "gelu", 1e-6):
        facts["form"] = f"MLP of {ratio} D with {activation}, norms with epsilon {epsilon:g}"
    return facts
