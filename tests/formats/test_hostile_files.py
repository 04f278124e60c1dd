"""Files that are damaged, or made to do harm, end in one clear error."""

import io
import json
import pickle
import struct
import zipfile

import h5py
import numpy as np
import pytest
from formats.foreign import need

import sweet_keras as sk


def state(dim=16, depth=1, patches=4):
    """A small state by timm's names."""
    shapes = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, 1 + patches, dim),
        "patch_embed.proj.weight": (dim, 3, 4, 4),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    for layer in range(depth):
        for name, out, into in (
            ("attn.qkv", 3 * dim, dim),
            ("attn.proj", dim, dim),
            ("mlp.fc1", 4 * dim, dim),
            ("mlp.fc2", dim, 4 * dim),
        ):
            shapes[f"blocks.{layer}.{name}.weight"] = (out, into)
            shapes[f"blocks.{layer}.{name}.bias"] = (out,)
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{layer}.{name}.{part}": (dim,) for part in ("weight", "bias")}
    return {name: np.full(shape, 0.1, "float32") for name, shape in shapes.items()}


def refused(path, match="", **options):
    with pytest.raises(ValueError, match=f"`path` must be a checkpoint.*{match}") as caught:
        sk.load_vit(path, **{"num_heads": 2, **options})
    assert "\n" not in str(caught.value)


def safetensors_bytes(header, content=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def test_the_state_is_sound():
    assert str(sk.load_vit(state(), num_heads=2).size) == "L1H2"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth", ".h5", ".keras"])
def test_truncated(tmp_path, suffix, share):
    path = tmp_path / f"vit{suffix}"
    if suffix == ".safetensors":
        need("safetensors.numpy").save_file(state(), path)
    elif suffix == ".npz":
        np.savez(path, **state())
    elif suffix == ".pth":
        torch = need("torch")
        torch.save({name: torch.as_tensor(array) for name, array in state().items()}, path)
    elif suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, array in state().items():
                file[name] = array
        sk.load_vit(path, num_heads=2)
    else:
        vit = sk.ViTBackbone("L1H2", image_shape=(8, 8, 1), patch_size=4, head_dim=4)
        vit.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path) if suffix != ".keras" else refused(path, num_heads=None)


def test_safetensors_that_declares_too_much(tmp_path):
    path = tmp_path / "vit.safetensors"
    huge = {"dtype": "F32", "shape": [1 << 40, 1 << 20], "data_offsets": [0, 1 << 62]}
    path.write_bytes(safetensors_bytes({"norm.weight": huge}))
    refused(path)
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    refused(path)


def test_wrong_shapes(tmp_path):
    for name, shape, match in (
        ("blocks.0.attn.qkv.weight", (48, 17), r"'blocks.0.attn.qkv.weight' of shape \(48, 17\)"),
        ("blocks.0.mlp.fc2.bias", (1,), r"'blocks.0.mlp.fc2.bias' of shape \(1,\), not \(16,\)"),
        ("cls_token", (1, 2, 16), "'cls_token' of shape"),
        ("pos_embed", (1, 12, 16), "12 positions, not those of a square: say `native_shape`"),
        ("patch_embed.proj.weight", (16, 3, 4, 2), "not square"),
        ("patch_embed.proj.weight", (16, 3, 4), "of shape"),
        ("norm.weight", (), "of shape"),
    ):
        wrong = {**state(), name: np.zeros(shape, "float32")}
        with pytest.raises(ValueError, match=match):
            sk.load_vit(wrong, num_heads=2)


def test_missing_and_unknown_names():
    wrong = state()
    del wrong["blocks.0.norm2.bias"], wrong["norm.weight"]
    wrong["blocks.0.attn.rope"] = np.zeros(3, "float32")
    with pytest.raises(ValueError) as caught:
        sk.load_vit(wrong, num_heads=2)
    assert str(caught.value).endswith(
        "not the names of timm with 1 layers: missing blocks.0.norm2.bias, norm.weight, "
        "unknown blocks.0.attn.rope"
    )
    with pytest.raises(ValueError, match="names that mean the same array"):
        sk.load_vit({**state(), "module.norm.bias": np.zeros(16)}, num_heads=2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(value):
    wrong = state()
    wrong["blocks.0.mlp.fc1.weight"][3, 4] = value
    with pytest.raises(ValueError, match=r"'blocks.0.mlp.fc1.weight' with values that are NaN"):
        sk.load_vit(wrong, num_heads=2)


class Payload:
    """What unpickling would run."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


def test_a_pickle_with_code(tmp_path):
    torch = need("torch")
    for number, content in enumerate(({**state(), "x": Payload}, [Payload])):
        target = tmp_path / f"created-{number}"
        path = tmp_path / f"vit-{number}.pth"
        payload = {**content, "x": Payload(target)} if number == 0 else Payload(target)
        torch.save(payload, path)
        refused(path, r"Python objects \([\w.]+\), not arrays alone")
        assert not target.exists()
    path.write_bytes(pickle.dumps(Payload(target)))
    refused(path)
    assert not target.exists()


def test_an_object_array(tmp_path):
    target, path = tmp_path / "created", tmp_path / "vit.npz"
    np.savez(path, **state(), extra=np.array([Payload(target)], dtype=object))
    refused(path, "only numbers")
    assert not target.exists()


def test_torch_tensors_larger_than_the_file(tmp_path):
    torch = need("torch")
    path = tmp_path / "vit.pth"
    tensors = {name: torch.as_tensor(array) for name, array in state().items()}
    torch.save({**tensors, "norm.weight": torch.zeros(1).expand(1 << 40)}, path)
    refused(path, "is not whole in the file")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vit/data.pkl", b"\x80\x02.")
        archive.writestr("vit/data/0", b"\0" * (1 << 20))
    refused(path, "a compressed archive")


def npy_header(shape):
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def test_npz_bombs(tmp_path):
    path = tmp_path / "vit.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("norm.weight.npy", npy_header((1 << 30,)) + b"\0" * 64)
    refused(path, "is more than the file can hold")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("norm.weight.npy", npy_header((1 << 25,)) + b"\0" * (1 << 27))
    refused(path, "a file of [0-9]+ bytes that declares 134217728 bytes of arrays")


def test_h5_that_is_not_whole(tmp_path):
    path, other = tmp_path / "vit.weights.h5", tmp_path / "other.bin"
    other.write_bytes(b"secret" * 100)
    for options in (
        {"shape": (1 << 40,), "chunks": (1 << 10,), "compression": "gzip"},
        {"shape": (4,), "external": [(str(other), 0, 64)]},
    ):
        with h5py.File(path, "w") as file:
            file.create_dataset("norm.weight", dtype="f4", **options)
        refused(path, "is not whole in the file")
    with h5py.File(path, "w") as file:
        file["norm.weight"] = h5py.ExternalLink(str(tmp_path / "b.h5"), "x")
    refused(path, "names of none of")


def test_keras_bombs(tmp_path):
    path = tmp_path / "vit.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", '{"class_name": "ViTBackbone"}')
        archive.writestr("model.weights.h5", b"\0" * (1 << 27))
    refused(path, "declares 134217728 bytes of arrays")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (1 << 25) + "{}")
    refused(path, "a configuration of more than 16 MiB")


def test_configuration_beside_the_weights(tmp_path):
    need("safetensors.numpy").save_file(state(), tmp_path / "model.safetensors")
    for content in ("{", "[]", '{"num_attention_heads": "2"}', '{"num_attention_heads": 0.5}'):
        (tmp_path / "config.json").write_text(content)
        refused(tmp_path, num_heads=None)
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4, "layer_norm_eps": 0.01}')
    vit = sk.load_vit(tmp_path)
    assert vit.size.num_heads == 4 and vit.norm_epsilon == 0.01


def test_what_is_no_checkpoint(tmp_path):
    refused(tmp_path, "a folder without model.safetensors")
    (tmp_path / "vit.txt").write_text("hello")
    refused(tmp_path / "vit.txt", "a name that ends in none of .safetensors")
    for name in ("none.safetensors", "none.keras"):
        with pytest.raises(FileNotFoundError, match="No checkpoint at"):
            sk.load_vit(tmp_path / name)
