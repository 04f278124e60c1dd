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
    from sweet_keras.models.generated_vit import GeneratedViT
    from sweet_keras.models.image_classifier import ImageClassifier
    from sweet_keras.models.image_generator import ImageGenerator
    from sweet_keras.models.vit_backbone import ViTBackbone
    from sweet_keras.runs.starting_point import load_model
    from sweet_keras.tasks.pyramid_of import class_names_of, pyramid_of

    model = load_model(path)
    pyramid = pyramid_of(model)
    if pyramid is not None:
        vit, kind = pyramid.encoder, _dense_kind(model)
    elif isinstance(model, ImageClassifier):
        vit, kind = model.backbone, f"classifier of {model.classes} classes"
    elif isinstance(model, ImageGenerator):
        vit, kind = model.backbone, f"generator of {model.classes} classes ({model.objective})"
        if isinstance(vit, GeneratedViT):
            vit = vit.materialize()
    elif isinstance(model, ViTBackbone):
        vit, kind = model, "network"
    else:
        raise ValueError(
            "Expected a network of this package, or a detector or segmenter on one. "
            f"Received: {path}, a {type(model).__name__}"
        )
    names = class_names_of(model)
    size = vit.size
    facts = {
        "kind": kind,
        **({} if names is None else {"classes": ", ".join(names)}),
        "size": f"{size}: {size.depth} layers, {size.num_heads} heads of {size.head_dim}, "
        f"{size.embed_dim} channels",
        "parameters": f"{model.count_params():,}"
        + ("" if model is vit else f", of which {vit.count_params():,} of the network {size}"),
        **_geometry(vit),
        "precision": vit.dtype_policy.name,
    }
    if isinstance(vit, ViTBackbone):
        kernels = backbone_kernels(vit)
    else:  # it still carries its template
        kernels = kernels_by_kind(vit.template().kernels())
    return Description(facts, {}, kernel_health(kernels), {})


def _dense_kind(model: Any) -> str:
    """What a detector or segmenter is, or a pyramid by itself."""
    from sweet_keras.tasks.choose_head import head_of

    head = head_of(model)
    library = type(model).__module__.partition(".")[0]
    if head is None:
        return f"{type(model).__name__} of {library}"
    noun = {"detect": "detector", "segment": "segmenter"}[head.task]
    return f"{noun} of {model.num_classes} classes, {head.model_class} of {library}"


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
