"""A template or a network as a folder that can be given away, by hand or through Hugging Face."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from sweet_keras.core.atomic import atomic_folder
from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate
from sweet_keras.formats.checkpoint_file import refused
from sweet_keras.formats.model_card import model_card
from sweet_keras.formats.plain_network import plain_network
from sweet_keras.formats.safetensors_file import open_safetensors
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.optional_library import optional_library
from sweet_keras.models.vit_backbone import ViTBackbone

_TEMPLATE, _WEIGHTS, _CONFIG, _CARD = (
    "template.sweet",
    "weights.safetensors",
    "sweet.json",
    "README.md",
)
_NAMES = [_TEMPLATE, _WEIGHTS, _CONFIG, _CARD]
_LARGEST_JSON = 1 << 24
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_VIT = (
    "image_shape patch_size class_token positions layer_scale pixel_mean pixel_std window "
    "global_blocks register_tokens norm_epsilon mlp_ratio activation"
).split()
_CLASSIFIER = "classes pooling class_names".split()


def publish(
    thing: SweetTemplate | ViTBackbone | ImageClassifier,
    folder: str | os.PathLike[str],
    *,
    name: str | None = None,
    data: str | None = None,
    results: Mapping[str, float | str] | None = None,
    license: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a folder with safetensors, a configuration and a model card, which `pull` reads.

    The card says sizes, what a template's record says of its training, and what is given here;
    nothing is claimed that is not given.

    Args:
        thing: A template, a network or a classifier.
        folder: A new folder. It is written under another name and renamed at the end.
        name: Heading of the card; by default that of the folder.
        data: What it was trained on, in words.
        results: What was measured, by what it is, such as `{"accuracy on birds, test": "93.1 %"}`.
        license: Such as `"apache-2.0"`.
        overwrite: Whether a folder that is there is replaced.

    Returns:
        The folder.

    Raises:
        ValueError: If `thing` is none of these, or the folder is there already.

    Example:
    ```python
    sk.publish(template, "birds", data="NABirds, 23,929 images without labels")
    sk.push("birds", "me/birds")
    template = sk.pull("me/birds")
    ```
    """
    path = Path(folder)
    if path.exists() and not overwrite:
        raise ValueError(
            "`folder` must be new, unless `overwrite` is true. "
            f"Received: {str(folder)!r}, which exists"
        )
    network = None if isinstance(thing, SweetTemplate) else plain_network(thing, window=True)
    card = model_card(thing, name or path.name, data=data, results=results, license=license)
    with atomic_folder(path, replaced=_NAMES) as made:
        (made / _CARD).write_text(card, encoding="utf-8")
        if network is None:
            thing.save(made / _TEMPLATE)
        else:
            vit, head = network
            arrays = dict(vit.arrays())
            config = {field: getattr(vit, field) for field in _VIT}
            config |= {"size": str(vit.size), "head_dim": vit.head_dim}
            content: dict[str, Any] = {"format_version": 1, "vit": config}
            if head is not None:
                arrays |= {"logits/kernel": head.kernel, "logits/bias": head.bias}
                content["classifier"] = {field: getattr(thing, field) for field in _CLASSIFIER}
            arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            safetensors.numpy.save_file(arrays, made / _WEIGHTS)
            (made / _CONFIG).write_text(json.dumps(content, indent=2), encoding="utf-8")
    return path


def pull(
    source: str | os.PathLike[str], revision: str | None = None, token: str | None = None
) -> SweetTemplate | ViTBackbone | ImageClassifier:
    """Reads what `publish` wrote. Nothing that is read is executed.

    Args:
        source: The folder, or `"owner/name"` of a repository on Hugging Face that was pushed to; a
            folder of that name comes first, and needs no network.
        revision: Branch, tag or commit of the repository.
        token: For a private repository; by default what `hf auth login` keeps.

    Returns:
        The template, the network or the classifier.

    Raises:
        ValueError: If it is not what `publish` wrote.
        ImportError: If huggingface_hub is needed and not installed.
    """
    folder = Path(source)
    if not folder.is_dir():
        if folder.exists() or not _REPOSITORY.fullmatch(str(source)):
            raise refused(source, "no folder, and no OWNER/NAME of a repository")
        hub = optional_library("huggingface_hub", "hf")
        options = {"revision": revision, "token": token, "allow_patterns": _NAMES}
        folder = Path(hub.snapshot_download(str(source), **options))
    if (folder / _TEMPLATE).is_file():
        return SweetTemplate.load(folder / _TEMPLATE)
    if not (folder / _CONFIG).is_file() or not (folder / _WEIGHTS).is_file():
        raise refused(source, f"a folder without {_TEMPLATE}, or {_CONFIG} and {_WEIGHTS}")
    try:
        return _network(folder)
    except Exception as error:  # safetensors, json and the constructors raise nearly anything
        raise refused(source, error) from error


def push(
    folder: str | os.PathLike[str],
    repository: str,
    *,
    private: bool = False,
    token: str | None = None,
) -> str:
    """Uploads a folder that `publish` wrote to a repository on Hugging Face.

    Args:
        folder: The folder.
        repository: `"owner/name"`; it is made if it is not there.
        private: Whether a new one is private.
        token: With the right to write; by default what `hf auth login` keeps.

    Returns:
        The address of the commit.

    Raises:
        ValueError: If it is no such folder.
        ImportError: If huggingface_hub is not installed.
    """
    path = Path(folder)
    if not any((path / name).is_file() for name in (_TEMPLATE, _CONFIG)):
        raise ValueError(
            f"`folder` must be one that sweet_keras.publish wrote. Received: {str(folder)!r}"
        )
    hub = optional_library("huggingface_hub", "hf")
    api = hub.HfApi(token=token)
    api.create_repo(repository, private=private, exist_ok=True)
    return str(api.upload_folder(repo_id=repository, folder_path=path, allow_patterns=_NAMES))


def _network(folder: Path) -> ViTBackbone | ImageClassifier:
    if (folder / _CONFIG).stat().st_size > _LARGEST_JSON:
        raise ValueError("a configuration of more than 16 MiB")
    content = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    if content.get("format_version") != 1:
        raise ValueError(f"format version {content.get('format_version')!r}")
    config = dict(content["vit"])
    if set(config) != {*_VIT, "size", "head_dim"}:
        raise ValueError(f"fields {sorted(config)}")
    size = ViTSize.parse(config.pop("size"), config.pop("head_dim"))
    with open_safetensors(folder / _WEIGHTS) as arrays:
        # The file holds what it declares, so a network of its size is not larger than the file.
        kernel = arrays["mlp_in/kernel"].shape
        dim = size.embed_dim
        if kernel != (size.depth, dim, config["mlp_ratio"] * dim):
            raise ValueError(f"array 'mlp_in/kernel' of shape {kernel} for {size}")
        rows, columns = (side // config["patch_size"] for side in config["image_shape"][:2])
        if arrays["positions"].shape != (rows * columns, dim):
            raise ValueError(f"array 'positions' of shape {arrays['positions'].shape}")
        vit = ViTBackbone(size, head_dim=size.head_dim, **config)
        values = {name: np.asarray(stored.read(), "float32") for name, stored in arrays.items()}
    heads = {name: values.pop(name, None) for name in ("logits/kernel", "logits/bias")}
    expected = {name: array.shape for name, array in vit.arrays().items()}
    if expected != {name: array.shape for name, array in values.items()}:
        raise ValueError("arrays that are not those of the network")
    if not all(np.isfinite(array).all() for array in values.values()):
        raise ValueError("values that are NaN or infinite")
    vit.load_arrays(values)
    if "classifier" not in content:
        return vit
    options = {name: content["classifier"][name] for name in _CLASSIFIER}
    if heads["logits/bias"].shape != (options["classes"],):
        raise ValueError(f"{options['classes']} classes, but not as many biases")
    model = ImageClassifier(vit, **options)
    model.get_layer("logits").set_weights(list(heads.values()))
    return model
