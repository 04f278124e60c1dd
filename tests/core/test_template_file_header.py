"""Headers that do not tell the truth, and arrays that are not those of a template."""

import json
import math

import numpy as np
import pytest
from core.damaged_files import KEY, assert_refused, metadata_of, saved_bytes
from core.safetensors_bytes import arrays_of, build, pack, parse


@pytest.mark.parametrize(
    "shape",
    [[2**62, 2**62], [2**31, 2**31, 4], [10**9], [2**64], [-1], [1.5], "3", None, [2**62, 0]],
)
def test_a_declared_size_beyond_the_file_is_refused(shape, content, tmp_path):
    header, data = parse(content)
    header["core"]["shape"] = shape
    assert_refused(tmp_path, build(header, data))


@pytest.mark.parametrize("offsets", [[0, 2**62], [-4, 92], [96, 0], [4, 100], [0, 0], [], None, 3])
def test_offsets_that_point_elsewhere_are_refused(offsets, content, tmp_path):
    header, data = parse(content)
    assert header["core"]["data_offsets"] != offsets
    header["core"]["data_offsets"] = offsets
    assert_refused(tmp_path, build(header, data))


def test_arrays_that_share_their_bytes_are_refused(content, tmp_path):
    header, data = parse(content)
    header["norm1/scale"]["data_offsets"] = header["norm1/bias"]["data_offsets"]
    assert_refused(tmp_path, build(header, data))


@pytest.mark.parametrize("header", [[], 3, "text", None, b"", b"{", b"\xff\xfe", b"{" * 10**5])
def test_a_header_that_is_no_table_is_refused(header, content, tmp_path):
    assert_refused(tmp_path, build(header, parse(content)[1]))


@pytest.mark.parametrize("depth", [100, 10**5])
def test_a_deeply_nested_header_is_refused(depth, content, tmp_path):
    assert_refused(tmp_path, build(b'{"a":' * depth + b"1" + b"}" * depth, parse(content)[1]))


# Two numbers of four bits share a byte
BYTES = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "F4": 0.5},
    **{"I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "I64": 8, "U64": 8, "F64": 8},
    **{"C64": 8, "F6_E2M3": 0.75, "F6_E3M2": 0.75, "F32 ": 4, "f4": 4, "object": 8, "": 4},
}


@pytest.mark.parametrize("dtype", BYTES)
def test_arrays_of_another_type_are_refused(dtype, content, tmp_path):
    """The file is a valid one but for the type of its last array."""
    header, data = parse(content)
    name = max(
        (name for name in header if name != "__metadata__"),
        key=lambda name: header[name]["data_offsets"],
    )
    begin, _ = header[name]["data_offsets"]
    length = int(math.prod(header[name]["shape"]) * BYTES[dtype])
    header[name] |= {"dtype": dtype, "data_offsets": [begin, begin + length]}
    assert_refused(tmp_path, build(header, data[:begin] + b"\x01" * length))


@pytest.mark.parametrize("dtype", ["F16", "F64"])
def test_a_whole_template_of_another_precision_is_refused(dtype, content, tmp_path):
    metadata = parse(content)[0]["__metadata__"]
    message = assert_refused(tmp_path, pack(arrays_of(content), metadata, dtype), "F32|float32")
    assert dtype in message or f"float{dtype[1:]}" in message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_arrays_that_are_not_finite_are_refused(value, content, tmp_path):
    metadata = parse(content)[0]["__metadata__"]
    for name, array in arrays_of(content).items():
        damaged = array.copy()
        damaged.flat[array.size // 2] = value
        arrays = {**arrays_of(content), name: damaged}
        assert_refused(tmp_path, pack(arrays, metadata), f"{name}.* must be finite")


def test_missing_extra_and_misshapen_arrays_are_refused(content, tmp_path):
    metadata, arrays = parse(content)[0]["__metadata__"], arrays_of(content)
    for name, array in arrays.items():
        rest = {other: value for other, value in arrays.items() if other != name}
        assert_refused(tmp_path, pack(rest, metadata), name)
        assert_refused(tmp_path, pack({**arrays, name: array[None]}, metadata))
        assert_refused(tmp_path, pack({**arrays, name: np.concatenate([array] * 2)}, metadata))
    extra = {**arrays, "optimizer/momentum": np.zeros(3)}
    assert_refused(tmp_path, pack(extra, metadata), "unknown names .'optimizer/momentum'")


@pytest.mark.parametrize("axis", range(3))
def test_no_rank_may_be_zero(axis, tmp_path):
    content = saved_bytes(tmp_path)
    arrays, metadata = arrays_of(content), metadata_of(content)
    name = ("layer_scaler", "input_scaler", "output_scaler")[axis]
    arrays["core"] = np.take(arrays["core"], [], axis=axis)
    arrays[name] = arrays[name][:, :0]
    metadata["ranks"][axis] = 0
    assert_refused(tmp_path, pack(arrays, {KEY: json.dumps(metadata)}))
