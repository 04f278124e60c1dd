"""Truncated and damaged files are refused, or read as another valid template."""

import struct
import warnings

import numpy as np
import pytest
from core.damaged_files import (
    assert_refused,
    load,
    metadata_of,
    one_folder,
    outcome,
    with_metadata,
)
from core.safetensors_bytes import arrays_of, pack, parse
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.core.size import ViTSize


def test_the_rebuilt_file_is_valid(content, tmp_path):
    """Otherwise the refusals below would say nothing."""
    expected = arrays_of(content)
    for rebuilt in (
        with_metadata(content, metadata_of(content)),
        pack(expected, parse(content)[0]["__metadata__"]),
    ):
        loaded = load(tmp_path, rebuilt)
        for name, array in loaded.arrays.items():
            np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("inside_header", [True, False])
def test_every_kind_of_cut(inside_header, content, tmp_path):
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    starts = {entry["data_offsets"][0] for entry in parse(content)[0].values() if "dtype" in entry}
    if inside_header:
        cuts = {0, 1, 7, 8, 9, header_end // 2, header_end - 1, header_end}
    else:
        cuts = {header_end + start + step for start in starts for step in (0, 1, 4)}
        cuts = {cut for cut in cuts if cut < len(content)} | {len(content) - 1}
    for cut in cuts:
        assert_refused(tmp_path, content[:cut])


@one_folder
@given(st.data())
def test_any_cut_is_refused(content, tmp_path, data):
    cut = data.draw(st.integers(0, len(content) - 1))
    assert_refused(tmp_path, content[:cut])


@one_folder
@given(st.binary(min_size=1, max_size=20), st.data())
def test_anything_more_is_refused(content, tmp_path, more, data):
    at = data.draw(st.integers(0, len(content)))
    assert_refused(tmp_path, content[:at] + more + content[at:])


@one_folder
@given(st.data())
def test_a_flipped_byte_in_the_header(content, tmp_path, data):
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    at, mask = data.draw(st.integers(0, header_end - 1)), data.draw(st.integers(1, 255))
    damaged = bytearray(content)
    damaged[at] ^= mask
    template = outcome(tmp_path, bytes(damaged))
    if template is not None:
        assert template.size == ViTSize(1, 2, 4)
        for name, array in arrays_of(content).items():
            assert template.arrays[name].size == array.size


@one_folder
@given(st.data())
def test_a_flipped_byte_in_the_data_is_noticed(content, tmp_path, data):
    header_end = 8 + struct.unpack("<Q", content[:8])[0]
    at = data.draw(st.integers(header_end, len(content) - 1))
    damaged = bytearray(content)
    damaged[at] ^= data.draw(st.integers(1, 255))
    assert outcome(tmp_path, bytes(damaged)) is None


@one_folder
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8))
def test_several_bytes_overwritten(content, tmp_path, changes):
    damaged = bytearray(content)
    for where, value in changes:
        damaged[int(where * len(damaged))] = value
    outcome(tmp_path, bytes(damaged))


def test_refusing_warns_of_nothing(content, tmp_path):
    """An unclosed file would."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_refused(tmp_path, content[:-1])
