"""What `fuzz.py` reads: for each reader how to read one input, and how to change a valid one.

Each entry of `READERS` takes an empty folder, and gives `(read, mutate)`: `mutate(rng)` makes an
input, `read(input)` reads it with the code that users' files meet.
"""

import contextlib
import gzip
import io
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.mutations import (
    mutated_bytes,
    mutated_json,
    mutated_safetensors,
    mutated_text,
    mutated_zip,
)

Reader = tuple[Callable[[object], object], Callable[[random.Random], object]]


def template(folder: Path) -> Reader:
    """`SweetTemplate.load`."""
    from sweet_keras.core.template import SweetTemplate

    return _files(folder, "a.sweet", _template(folder), mutated_safetensors, SweetTemplate.load)


def configuration(folder: Path) -> Reader:
    """`--config FILE`, in YAML and in JSON."""
    from sweet_keras.runs.config import read_values
    from sweet_keras.runs.pretrain_config import PretrainConfig

    options = PretrainConfig(data="photos", out=str(folder / "run"))
    texts = {
        ".yaml": options.to_yaml().encode(),
        ".json": json.dumps(options.to_mapping()).encode(),
    }

    def mutate(rng):
        suffix = rng.choice((".yaml", ".json"))
        if rng.random() < 0.5:
            return suffix, mutated_bytes(texts[suffix], rng)
        return ".json", mutated_json(texts[".json"], rng)

    def read(given):
        path = folder / f"options{given[0]}"
        path.write_bytes(given[1])
        PretrainConfig.from_mapping(read_values(path), str(path))

    return read, mutate


def size(folder: Path) -> Reader:
    """Sizes, ranks, sizes of images and lists of sub-networks."""
    from sweet_keras.core.size import ViTSize
    from sweet_keras.runs.geometry import (
        check_ranks,
        parse_image_size,
        parse_ranks,
        parse_subnetworks,
    )

    whole = ViTSize.parse("L6H6", 8)
    ways = (
        ("L6H12", lambda text: ViTSize.parse(text, 64)),
        ("224x160", parse_image_size),
        ("6,12,0.5", lambda text: check_ranks(parse_ranks(text), whole)),
        ("L3H3,L6H6", parse_subnetworks),
    )

    def mutate(rng):
        which = rng.randrange(len(ways))
        return which, mutated_text(ways[which][0], rng)

    return (lambda given: ways[given[0]][1](given[1])), mutate


def command_line(folder: Path) -> Reader:
    """Whole command lines; the commands find no data, so that nothing is trained."""
    from sweet_keras.cli.app import COMMANDS, run
    from sweet_keras.runs.config import flag

    words = ["--config", "--resume", "--overwrite", "--help", "-1", "nan", "1e999", "", "\0", "--"]
    words += ["L6H6", "0", "9" * 40, str(folder), "é", "*", "[", "none", "--no-jit", "0.5", "-"]

    def mutate(rng):
        command = rng.choice(COMMANDS)
        line = [command.name]
        for field in command.config.options().values():
            if rng.random() < 0.3:
                name = [] if field.metadata["positional"] else [flag(field)]
                if field.metadata["metavar"] != "RUN":
                    default = mutated_text(str(field.default), rng)
                    line += [*name, rng.choice([default, rng.choice(words)])]
        for _ in range(rng.choice((0, 0, 1, 3))):
            line.insert(rng.randrange(len(line) + 1), rng.choice(words))
        return [word for word in line if not word.startswith("--debug")]

    def read(line):
        with open(os.devnull, "w") as nothing, contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.chdir(folder))
            stack.enter_context(contextlib.redirect_stdout(nothing))
            errors = stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            if line[:1] == ["quickstart"]:
                line = [*line, "--data", "none"]  # the only one that needs no data
            code = run(line)
        if code not in (0, 2):
            raise AssertionError(f"exit code {code}: {errors.getvalue()}")

    return read, mutate


def idx(folder: Path) -> Reader:
    """Files of MNIST, plain and compressed."""
    from sweet_keras.data import read_idx

    images = np.arange(4 * 5 * 6).astype("u1").reshape(4, 5, 6)
    plain = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()

    def mutate(rng):
        if rng.random() < 0.3:
            return ".gz", mutated_bytes(gzip.compress(plain), rng)
        changed = mutated_bytes(plain, rng)
        return rng.choice((("", changed), (".gz", gzip.compress(changed))))

    def read(given):
        path = folder / f"a-images-idx3-ubyte{given[0]}"
        path.write_bytes(given[1])
        return read_idx(path)[0]

    return read, mutate


def npz(folder: Path) -> Reader:
    """Arrays in an archive."""
    from sweet_keras.data import read_npz

    file = io.BytesIO()
    np.savez_compressed(file, x_train=np.ones((4, 5, 6, 3), "u1"), y_train=np.arange(4))
    return _files(folder, "a.npz", file.getvalue(), mutated_zip, lambda path: read_npz(path)[0])


def image(folder: Path) -> Reader:
    """Images of a folder, in every format that is read."""
    from PIL import Image

    from sweet_keras.data import ImageFolder

    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3)).astype("u1")
    contents = {}
    for suffix in (".png", ".jpg", ".gif", ".bmp", ".webp"):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, {".jpg": "jpeg"}.get(suffix, suffix[1:]))
        contents[suffix] = file.getvalue()

    def mutate(rng):
        suffix = rng.choice([*contents])
        return suffix, mutated_bytes(contents[suffix], rng)

    def read(given):
        for old in folder.iterdir():
            old.unlink()
        (folder / f"a{given[0]}").write_bytes(given[1])
        return ImageFolder(folder)[0]

    return read, mutate


def coco(folder: Path) -> Reader:
    """A COCO file, with all its images read."""
    from sweet_keras.data import CocoSource

    _image(folder / "1.png")
    listed = [{"id": key, "file_name": "1.png", "height": 9, "width": 12} for key in (1, 2)]
    shape = {"segmentation": [[1, 1, 8, 1, 8, 7]], "area": 20.0, "iscrowd": 0}
    objects = [
        {"id": key, "image_id": key, "category_id": 3, "bbox": [1, 1, 7, 6], **shape}
        for key in (1, 2)
    ]
    content = {"images": listed, "annotations": objects, "categories": [{"id": 3, "name": "a"}]}

    def read(path):
        source = CocoSource(path, folder)
        return [source[index] for index in range(min(len(source), 8))]

    return _files(folder, "a.json", json.dumps(content).encode(), mutated_json, read)


def voc(folder: Path) -> Reader:
    """A Pascal VOC folder: its XML."""
    from sweet_keras.data import VocSource

    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    _image(folder / "JPEGImages" / "a.jpg")
    (folder / "ImageSets/Main/train.txt").write_text("a\n")
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>7</xmax><ymax>6</ymax></bndbox>"
    size_text = "<size><width>12</width><height>9</height><depth>3</depth></size>"
    content = (
        f"<annotation><filename>a.jpg</filename>{size_text}<object><name>cat</name>"
        f"<difficult>0</difficult>{box}</object></annotation>"
    ).encode()
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">' + b"".join(
        b'<!ENTITY %c "%s">' % (99 + i, b"&%c;" % (98 + i) * 20) for i in range(8)
    ) + b"]><annotation><filename>&j;</filename></annotation>"  # fmt: skip

    def mutate(data, rng):
        return bomb if rng.random() < 0.02 else mutated_bytes(data, rng)

    def read(path):
        source = VocSource(folder)
        return [source[index] for index in range(min(len(source), 4))]

    return _files(folder, "Annotations/a.xml", content, mutate, read)


def masks(folder: Path) -> Reader:
    """A folder of images and masks, and its colours."""
    from PIL import Image

    from sweet_keras.data import open_annotated

    for part in ("images", "masks"):
        (folder / "train" / part).mkdir(parents=True)
    _image(folder / "train/images/a.png")
    mask = io.BytesIO()
    Image.fromarray(np.eye(9, 12).astype("u1")).save(mask, "png")
    colours = json.dumps({"road": "#804080", "car": "#00008e", "ignored": "#000000"}).encode()

    def mutate(rng):
        if rng.random() < 0.5:
            return "train/masks/a.png", mutated_bytes(mask.getvalue(), rng)
        return "colors.json", mutated_json(colours, rng)

    def read(given):
        (folder / "train/masks/a.png").write_bytes(mask.getvalue())
        (folder / "colors.json").unlink(missing_ok=True)
        (folder / given[0]).write_bytes(given[1])
        return open_annotated(folder, task="segment")[0]

    return read, mutate


def foreign_safetensors(folder: Path) -> Reader:
    """A network of timm."""
    import safetensors.numpy

    import sweet_keras as sk

    content = safetensors.numpy.save(_timm_state(), {"format": "pt"})
    return _files(folder, "vit.safetensors", content, mutated_safetensors, lambda path: sk.load_vit(
        path, num_heads=2))  # fmt: skip


def foreign_npz(folder: Path) -> Reader:
    """A network in an archive of arrays."""
    import sweet_keras as sk

    file = io.BytesIO()
    np.savez(file, **_timm_state())
    return _files(folder, "vit.npz", file.getvalue(), mutated_zip, lambda path: sk.load_vit(
        path, num_heads=2))  # fmt: skip


def foreign_torch(folder: Path) -> Reader:
    """A network as `torch.save` writes it."""
    import torch

    import sweet_keras as sk

    file = io.BytesIO()
    torch.save({name: torch.tensor(value) for name, value in _timm_state().items()}, file)
    return _files(folder, "vit.pth", file.getvalue(), mutated_zip, lambda path: sk.load_vit(
        path, num_heads=2))  # fmt: skip


def keras_file(folder: Path) -> Reader:
    """A `.keras` file, by the loader that `finetune`, `evaluate` and `sample` use."""
    import sweet_keras as sk
    from sweet_keras.runs.starting_point import load_model

    path = folder / "vit.keras"
    sk.ViTBackbone("L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=8).save(path)
    return _files(folder, "a.keras", path.read_bytes(), mutated_zip, lambda path: load_model(
        str(path)))  # fmt: skip


def published(folder: Path) -> Reader:
    """What `sk.publish` wrote."""
    import sweet_keras as sk

    vit = sk.ViTBackbone("L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=8)
    source = folder / "published"
    sk.publish(vit, source)
    contents = {path.name: path.read_bytes() for path in source.iterdir()}

    def mutate(rng):
        name = rng.choice([name for name in contents if name != "README.md"])
        change = mutated_json if name.endswith(".json") else mutated_safetensors
        return name, change(contents[name], rng)

    def read(given):
        for name, content in contents.items():
            (source / name).write_bytes(content)
        (source / given[0]).write_bytes(given[1])
        return sk.pull(source)

    return read, mutate


def checkpoint(folder: Path) -> Reader:
    """The checkpoint of a training."""
    import keras

    from sweet_keras.runs.checkpoint import Position, restore_checkpoint, save_checkpoint

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.AdamW(0.1), loss="mse")
    path = folder / "step.safetensors"
    save_checkpoint(model, path, Position(epoch=1, step=2, seconds=1.0))
    return _files(folder, "a.safetensors", path.read_bytes(), mutated_safetensors, lambda path: (
        restore_checkpoint(model, path).put_metrics(model)))  # fmt: skip


def results(folder: Path) -> Reader:
    """What a run has written down: its results and its log."""
    from sweet_keras.runs.measurements import Pretraining, Task
    from sweet_keras.runs.read_log import read_log
    from sweet_keras.runs.results import Results

    path = folder / "results.json"
    done = Results(
        command="pretrain",
        finished="2026-01-01",
        task=Task(data="a", train_images=3),
        pretraining=Pretraining(
            size="L1H2", head_dim=8, ranks=(1, 2, 2), seconds=1.0, steps=3, batch_size=4, loss=0.5,
            template_parameters=10, dense_parameters=20,
        ),
        seconds=1.0,
    )  # fmt: skip
    done.save(path)
    content = path.read_bytes()
    log = b"epoch,seconds,loss\n1,0.5,0.25\n2,0.5,0.125\n"

    def mutate(rng):
        if rng.random() < 0.4:
            return "log.csv", mutated_bytes(log, rng)
        return "results.json", mutated_json(content, rng)

    def read(given):
        (folder / given[0]).write_bytes(given[1])
        return (read_log if given[0] == "log.csv" else Results.load)(folder / given[0])

    return read, mutate


def _files(
    folder: Path, name: str, content: bytes, change: Callable, read: Callable[[Path], object]
) -> Reader:
    """A reader of one file."""

    def write_and_read(data):
        (folder / name).write_bytes(data)
        return read(folder / name)

    return write_and_read, lambda rng: change(content, rng)


def _image(path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.full((9, 12, 3), 99, "u1")).save(path)


def _template(folder: Path) -> bytes:
    import sweet_keras as sk

    encoder = sk.SweetTemplateViT("L2H2", image_shape=(8, 8, 1), patch_size=4, head_dim=8)
    encoder.build()
    encoder.template({"a": [1, {"b": 2}]}).save(folder / "valid.sweet")
    return (folder / "valid.sweet").read_bytes()


def _timm_state(dim: int = 16) -> dict[str, np.ndarray]:
    shapes = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 5, dim),
        "patch_embed.proj.weight": (dim, 3, 4, 4),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    for name, out, into in (
        ("attn.qkv", 3 * dim, dim),
        ("attn.proj", dim, dim),
        ("mlp.fc1", 4 * dim, dim),
        ("mlp.fc2", dim, 4 * dim),
    ):
        shapes[f"blocks.0.{name}.weight"] = (out, into)
        shapes[f"blocks.0.{name}.bias"] = (out,)
    for name in ("norm1", "norm2"):
        shapes |= {f"blocks.0.{name}.{part}": (dim,) for part in ("weight", "bias")}
    return {name: np.full(shape, 0.1, "float32") for name, shape in shapes.items()}


READERS = {
    reader.__name__: reader
    for reader in (
        template, configuration, size, command_line, idx, npz, image, coco, voc, masks,
        foreign_safetensors, foreign_npz, foreign_torch, keras_file, published, checkpoint, results,
    )
}  # fmt: skip
