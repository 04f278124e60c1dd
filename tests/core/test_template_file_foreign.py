"""Files of another kind are refused, and nothing in them is executed."""

import dataclasses
import io
import pickle
import struct

import numpy as np
import pytest
from core.damaged_files import (
    assert_refused,
    load,
    metadata_of,
    one_folder,
    with_metadata,
)
from core.safetensors_bytes import arrays_of, build, pack, parse
from hypothesis import example, given
from hypothesis import strategies as st

from sweet_keras.core.template import SweetTemplate


@one_folder
@given(st.binary(max_size=200))
@example(b"")
@example(b"\0" * 8)
@example(struct.pack("<Q", 2) + b"{}")
def test_random_bytes_are_refused(tmp_path, content):
    assert_refused(tmp_path, content)


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**40, 10**8 + 1, 10**6, 2**31])
def test_a_huge_header_is_refused_without_reading_it(length, content, tmp_path):
    assert_refused(tmp_path, struct.pack("<Q", length) + content[8:])


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return open, (self.marker, "w")


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("where", ["file", "npy", "npz", "behind a length"])
def test_a_pickle_is_not_executed(where, protocol, tmp_path):
    marker = tmp_path / "executed"
    payload = pickle.dumps(Malicious(marker), protocol)
    buffer = io.BytesIO()
    if where == "npy":
        np.save(buffer, np.array([Malicious(marker)], dtype=object), allow_pickle=True)
    elif where == "npz":
        np.savez(buffer, core=np.array([Malicious(marker)], dtype=object))
    elif where == "file":
        buffer.write(payload)
    else:
        buffer.write(struct.pack("<Q", len(payload)) + payload)
    assert_refused(tmp_path, buffer.getvalue())
    assert not marker.exists()


def test_the_pickle_would_have_been_executed(tmp_path):
    marker = tmp_path / "executed"
    pickle.loads(pickle.dumps(Malicious(marker))).close()  # noqa: S301
    assert marker.exists()


def test_a_pickle_in_the_record_stays_text(content, tmp_path):
    marker, path = tmp_path / "executed", tmp_path / "evil.sweet"
    text = pickle.dumps(Malicious(marker), 0).decode()
    record = {"state": text, "__reduce__": ["open", str(marker)]}
    dataclasses.replace(load(tmp_path, content), record=record).save(path)
    assert SweetTemplate.load(path).record["state"] == text
    assert not marker.exists()


def test_a_changed_record_is_noticed(content, tmp_path):
    metadata = metadata_of(content)
    metadata["record"] = {"images": 1}
    assert_refused(tmp_path, with_metadata(content, metadata), "the file is damaged")


@pytest.mark.parametrize("metadata", [{}, {"format": "pt"}, {"sweet": "{}"}])
def test_a_foreign_safetensors_file_is_said_to_be_one(metadata, content, tmp_path):
    foreign = pack({"blocks.0.attn.qkv.weight": np.zeros((3, 2))}, metadata)
    assert_refused(tmp_path, foreign, "a safetensors file, but not a template of sweet_keras")
    assert_refused(tmp_path, pack(arrays_of(content), metadata), "not a template of sweet_keras")


def test_a_file_without_metadata(content, tmp_path):
    header, data = parse(content)
    del header["__metadata__"]
    assert_refused(tmp_path, build(header, data), "not a template of sweet_keras")


def test_no_file_and_a_folder(tmp_path):
    for path in (tmp_path / "missing.sweet", tmp_path, tmp_path / "missing" / "a.sweet"):
        with pytest.raises(FileNotFoundError) as caught:
            SweetTemplate.load(path)
        assert repr(str(path)) in str(caught.value)
