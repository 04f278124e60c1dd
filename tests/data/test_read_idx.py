import gzip
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sweet_keras.data import read_idx
from sweet_keras.data.idx_array import read_idx_array

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx_bytes(array):
    """The format, written down once more from its description."""
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    sizes = b"".join(struct.pack(">I", size) for size in array.shape)
    return header + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def read_back(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(content)
        return read_idx_array(path)


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(max_dims=4, min_side=0, max_side=5))
    ),
    compress=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_round_trip(array, compress):
    content = idx_bytes(array)
    result = read_back(gzip.compress(content) if compress else content)
    assert result.dtype == array.dtype and result.dtype.isnative
    np.testing.assert_array_equal(result, array)


SOUND = idx_bytes(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))


@given(data=st.data(), compress=st.booleans())
@settings(max_examples=150, deadline=None)
def test_damage_raises_value_error_or_changes_values_only(data, compress):
    content = gzip.compress(SOUND, mtime=0) if compress else SOUND
    kind = data.draw(st.sampled_from(["truncate", "append", "overwrite"]))
    if kind == "truncate":
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    elif kind == "append":
        content += data.draw(st.binary(min_size=1, max_size=9).filter(lambda tail: any(tail)))
    else:
        start = data.draw(st.integers(0, len(content) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        content = (content[:start] + patch + content[start + len(patch) :])[: len(content)]
    try:
        result = read_back(content)
    except ValueError as error:
        assert "Received: " in str(error)
    else:
        assert kind == "overwrite" and result.nbytes == 60


@given(st.binary(max_size=64))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_raise_value_error(content):
    try:
        read_back(content)
    except ValueError as error:
        assert "Received: " in str(error)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("rank", [1, 3, 4, 255])
def test_hostile_sizes_are_refused_before_memory_is_taken(tmp_path, compress, rank):
    content = bytes([0, 0, 14, rank]) + b"\xff\xff\xff\xff" * rank
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(content) if compress else content)
    with pytest.raises(ValueError, match="announces"):
        read_idx_array(path, max_bytes=2**10000)


def test_max_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(SOUND)
    assert read_idx_array(path, max_bytes=60).size == 60
    with pytest.raises(ValueError, match="accepted: 59"):
        read_idx_array(path, max_bytes=59)


@pytest.fixture
def folder(tmp_path, rng):
    for prefix, count in (("train", 6), ("t10k", 4)):
        images = rng.integers(0, 256, (count, 5, 4), np.uint8)
        labels = np.arange(count, dtype=np.uint8)
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return tmp_path


def test_a_folder_and_its_splits(folder):
    train, test = read_idx(folder), read_idx(folder, "test", classes="abcdef")
    assert (len(train), len(test)) == (6, 4)
    assert train.image_shape == (5, 4, 1) and train.name == folder.name
    np.testing.assert_array_equal(test.labels, range(4))
    assert test.classes == tuple("abcdef")


def test_a_single_file_finds_its_labels(folder):
    source = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(source.labels, range(4))
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert not read_idx(folder / "t10k-images-idx3-ubyte.gz").has_labels


def test_refuses(folder):
    with pytest.raises(ValueError, match='"train" or "test"'):
        read_idx(folder, "validation")
    with pytest.raises(ValueError, match="uint8 with the shape"):
        read_idx(folder / "train-labels-idx1-ubyte")
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(5, np.uint8)))
    with pytest.raises(ValueError, match="6 integers"):
        read_idx(folder)
    (folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(ValueError, match="train-images-idx3-ubyte"):
        read_idx(folder)
    with pytest.raises(FileNotFoundError):
        read_idx(folder / "missing")
