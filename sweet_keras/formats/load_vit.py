"""From the checkpoint of another library to a plain vision transformer."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sweet_keras.formats.checkpoint_file import Checkpoint, open_checkpoint, refused
from sweet_keras.formats.described import described
from sweet_keras.formats.foreign_geometry import Geometry, read_geometry
from sweet_keras.formats.keras_file import keras_config, open_h5
from sweet_keras.formats.name_table import NameTable
from sweet_keras.formats.positions import moco_sincos, resample
from sweet_keras.formats.recognise import recognise
from sweet_keras.formats.stored import Stored, of_array
from sweet_keras.formats.to_foreign import without_layer_scale
from sweet_keras.models.image_classifier import ImageClassifier
from sweet_keras.models.resized_encoder import resized_encoder
from sweet_keras.models.vit_backbone import ViTBackbone

Arrays = dict[str, np.ndarray]


def load_vit(
    path: str | os.PathLike[str] | Mapping[str, Any] | Any,
    *,
    image_shape: Sequence[int] | None = None,
    native_shape: Sequence[int] | None = None,
    num_heads: int | None = None,
    pixel_mean: float | Sequence[float] | None = None,
    pixel_std: float | Sequence[float] | None = None,
    norm_epsilon: float | None = None,
    activation: str | None = None,
    fold_layer_scale: bool = True,
    **options: Any,
) -> ViTBackbone:
    """Makes a `ViTBackbone` of a vision transformer that another library trained.

    Which library is seen from the names: timm, facebookresearch's MAE, Hugging Face's ViT, ViTMAE,
    Dinov2 (with registers too) and SigLIP, KerasHub, big_vision. Heads, decoders and poolers are
    left out. The tokens are those of the original, after its final norm. A `.keras` file of this
    package is read as well.

    Args:
        path: A file (.safetensors, .npz, .keras, .weights.h5, or of torch: .pt, .pth, .bin, .ckpt),
            a folder with `model.safetensors` and `config.json`, a state (arrays by name, such as
            `model.state_dict()`), or a live ViT of KerasHub. Nothing in a file is executed.
        image_shape: (height, width, channels) of the images it shall take, or (height, width);
            positions are interpolated as the library of the checkpoint does it. By default the
            original's.
        native_shape: (height, width) that the positions are of. By default what a configuration
            says, else a square.
        num_heads: Heads. By default what a configuration says, else those of the published models
            of that width: heads of 64 channels, or 16 from a width of 1152 on where it is usual.
        pixel_mean: Subtracted from the pixels (0..255). By default what a configuration says, else
            127.5, or ImageNet's for MAE and Dinov2.
        pixel_std: Divides the pixels after that.
        norm_epsilon: Of the LayerNorms. By default what a configuration says, else 1e-6, or 1e-12
            for Hugging Face's ViT.
        activation: `"gelu"` or `"gelu_tanh"`. By default what a configuration says, else exact
            GELU, or the approximation for big_vision and SigLIP.
        fold_layer_scale: Whether the scales of the branches are multiplied into the kernels before
            them, which changes nothing; else the network has `layer_scale`.
        **options: Passed on to `ViTBackbone`, such as `drop_path`.

    Returns:
        A built `ViTBackbone` with learned positions.

    Raises:
        ValueError: If the checkpoint is none of these, is damaged, misses names or has unknown
            ones, has wrong shapes or numbers that are not finite, or is of a network that a
            `ViTBackbone` is not.
        FileNotFoundError: If there is nothing at `path`.
        ImportError: If it is a file of torch, and torch is not installed.

    Example:
    ```python
    vit = sk.load_vit("dinov2-small/", image_shape=(224, 320, 3))
    vit = sk.load_vit("mae_pretrain_vit_base.pth")
    vit = sk.load_vit(timm.create_model("vit_small_patch16_224").state_dict())
    ```
    """
    if _is_ours(path):
        given = (native_shape, num_heads, pixel_mean, pixel_std, norm_epsilon, activation)
        if any(value is not None for value in given) or options:
            raise ValueError(
                "Of a file of this package only `image_shape` can be chosen. "
                f"Received: {str(path)!r} and other arguments"
            )
        return _load_ours(path, image_shape)
    with _opened(path) as checkpoint:
        name = path if isinstance(path, str | os.PathLike) else type(path).__name__
        try:
            said = described(checkpoint.config, checkpoint.preprocessor)
            table, arrays = recognise(checkpoint.arrays)
            geometry = read_geometry(
                table,
                arrays,
                num_heads=said.num_heads if num_heads is None else num_heads,
                native_shape=native_shape or said.native_shape,
                image_shape=image_shape,
            )
            ours = _arrays(table, arrays, geometry)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise refused(name, error) from error
    scaled = geometry.layer_scale and not fold_layer_scale
    if geometry.layer_scale and fold_layer_scale:
        ours = without_layer_scale(ours)
    vit = ViTBackbone(
        geometry.size,
        image_shape=geometry.image_shape,
        patch_size=geometry.patch_size,
        head_dim=geometry.size.head_dim,
        class_token=geometry.class_token,
        positions="learned",
        layer_scale=1.0 if scaled else None,
        pixel_mean=_first(pixel_mean, said.pixel_mean, np.multiply(table.pixel_mean, 255)),
        pixel_std=_first(pixel_std, said.pixel_std, np.multiply(table.pixel_std, 255)),
        register_tokens=geometry.register_tokens,
        norm_epsilon=_first(norm_epsilon, said.epsilon, table.epsilon),
        mlp_ratio=geometry.mlp_ratio,
        activation=_first(activation, said.activation, table.activation),
        **options,
    )
    vit.load_arrays(ours)
    return vit


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _is_ours(path: Any) -> bool:
    if not isinstance(path, str | os.PathLike) or not str(path).endswith(".keras"):
        return False
    try:
        return str(keras_config(Path(path)).get("registered_name")).startswith("sweet_keras>")
    except FileNotFoundError:
        raise FileNotFoundError(f"No checkpoint at {str(path)!r}") from None
    except Exception as error:  # zipfile and json raise nearly anything on corrupt data
        raise refused(path, error) from error


def _load_ours(path: str | os.PathLike[str], image_shape: Sequence[int] | None) -> ViTBackbone:
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises nearly anything on corrupt data
        raise refused(path, error) from error
    vit = model.backbone if isinstance(model, ImageClassifier) else model
    if not isinstance(vit, ViTBackbone):
        raise refused(path, f"a {type(vit).__name__}")
    if image_shape is None:
        return vit
    return resized_encoder(vit, (*image_shape, vit.image_shape[2])[:3])


@contextlib.contextmanager
def _opened(path: Any) -> Iterator[Checkpoint]:
    """Opens a file or folder, a state by names, or a live model of KerasHub."""
    if isinstance(path, str | os.PathLike):
        with open_checkpoint(path) as checkpoint:
            yield checkpoint
    elif isinstance(path, Mapping):
        yield Checkpoint({str(name): _in_memory(array) for name, array in path.items()}, {}, {})
    elif isinstance(path, keras.Model):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.weights.h5"
            path.save_weights(file)
            with open_h5(file) as arrays:
                yield Checkpoint(arrays, keras.saving.serialize_keras_object(path), {})
    else:
        raise ValueError(
            "`path` must be a checkpoint, arrays by name or a model of KerasHub. "
            f"Received: {type(path).__name__}"
        )


def _in_memory(array: Any) -> Stored:
    if hasattr(array, "detach"):  # of torch, which needs not be imported for it
        array = array.detach().cpu()
        array = (array.float() if array.is_floating_point() else array).numpy()
    return of_array(np.asarray(array))


def _arrays(table: NameTable, arrays: Mapping[str, Stored], geometry: Geometry) -> Arrays:
    """Reads all arrays, by our names."""

    def read(name: str) -> np.ndarray:
        try:
            array = np.asarray(arrays[name].read(), "float32")
        except Exception as error:  # zipfile, zlib and h5py raise nearly anything on corrupt data
            raise ValueError(f"array {name!r} that cannot be read: {error}") from error
        if not np.isfinite(array).all():
            raise ValueError(f"array {name!r} with values that are NaN or infinite")
        return array

    result = {}
    for name, shape in geometry.shapes().items():
        entry = table.entries[name]
        layered = "{}" in entry.names("{}")[0]
        layers = []
        for layer in range(geometry.size.depth if layered else 1):
            names = entry.names(layer)
            if entry.optional and names[0] not in arrays:
                layers.append(np.zeros(shape, "float32"))
            else:
                layers.append(entry.read([read(theirs) for theirs in names], shape))
        result[name] = np.stack(layers) if layered else layers[0]
    if geometry.layer_scale:
        for ours, theirs in zip(("layer_scale1", "layer_scale2"), table.layer_scale, strict=True):
            depth = geometry.size.depth
            result[ours] = np.stack([read(theirs.format(layer)) for layer in range(depth)])
    return result | _tokens(table, read, geometry)


def _tokens(table: NameTable, read: Any, geometry: Geometry) -> Arrays:
    """The positions of the patches; class and register tokens with theirs added."""
    dim = geometry.size.embed_dim
    names = [table.class_token] if geometry.class_token else []
    names += [table.register_tokens] if geometry.register_tokens else []
    first = np.concatenate([np.zeros((0, dim)), *(read(name).reshape(-1, dim) for name in names)])
    if geometry.native_grid is None:
        positions = moco_sincos(geometry.grid, dim)
    else:
        rows = read(table.positions).reshape(-1, dim)
        extra, rows = np.split(rows, [geometry.extra_positions])
        first[: len(extra)] += extra
        positions = resample(rows, geometry.native_grid, geometry.grid, table.resampling)
    result = {"positions": positions}
    if geometry.class_token:
        result["class_token"] = first[0]
    if geometry.register_tokens:
        result["register_tokens"] = first[int(geometry.class_token) :]
    return result
