"""Metadata of wrong types and values, unknown fields, other versions."""

import json
import math

import numpy as np
import pytest
from core.damaged_files import (
    KEY,
    assert_refused,
    load,
    metadata_of,
    one_folder,
    outcome,
    saved_bytes,
    with_metadata,
)
from core.safetensors_bytes import arrays_of, pack
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.core.size import ViTSize

INTEGER = [0, -1, 1.0, 1.5, "1", True, None, [], {}, math.nan, math.inf, 2**16 + 1, 10**400]
SIZES = ["L2H2", "L1H3", "l1h2", "L1H2 ", "L0H2", "L1H10000", "", 12, None, ["L1H2"], {}, True]
TUPLE = [[], 3, None, "348", {"1": 2}, [[1, 2, 3]], [4, 8], [4, 8, 1, 1], [4, 8, None], True]
BOOLEAN = [0, 1, 0.0, "", "false", None, [], {}, math.nan]
PIXELS = [[], None, 3, "3", ["3"], [None], [[1.0]], {"1": 2}, [1.0, 2.0], [math.nan], [math.inf]]
WRONG = {
    "format_version": [0, 1, 3, -1, 1.5, 1.0, "1", None, [1], {}, True, math.nan, 10**400],
    "size": SIZES,
    "head_dim": [*INTEGER, 1, 8],
    "ranks": [*TUPLE, [2, 3, 5], [3, 2, 4], [2.0, 3, 4], [True, 3, 4], [0, 3, 4], [2, 3]],
    "image_shape": [*TUPLE, [8, 8, 1], [4, 8, 2], [4.0, 8, 1], [4, 8, True], [-4, -8, 1]],
    "patch_size": [*INTEGER, 2, 8],
    "class_token": [*BOOLEAN, True],
    "layer_scale": [*BOOLEAN, True],
    "positions": ["", "Sincos", "random", None, 0, ["sincos"], {"sincos": 1}, True],
    "pixel_mean": [*PIXELS, [True], [10**400]],
    "pixel_std": [*PIXELS, [0], [-1.0], [0.0], [10**400]],
    "decoder": [None, 0, False, "", "L1H1", [], [1, 1], [1, 1, 4, 4], [1, 1, 5], [1, 1.0, 4], {}],
    "register_tokens": [*INTEGER[1:], 1, 2],
    "norm_epsilon": [0, -1.0, "1", None, [], True, math.nan, math.inf, 10**400],
    "mlp_ratio": [*INTEGER, 1, 2, 5],
    "activation": ["", "relu", "Gelu", None, 0, ["gelu"], {}, True],
    "record": [None, [], "", 3, True],
}


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in WRONG.items() for value in values],
    ids=lambda value: str(value)[:20],
)
def test_metadata_of_wrong_types_and_values_are_refused(field, value, content, tmp_path):
    metadata = metadata_of(content)
    assert field in metadata
    assert_refused(tmp_path, with_metadata(content, {**metadata, field: value}))


def test_missing_fields_are_refused(content, tmp_path):
    metadata = metadata_of(content)
    assert set(metadata) == set(WRONG)
    for field in metadata:
        rest = {name: value for name, value in metadata.items() if name != field}
        assert_refused(tmp_path, with_metadata(content, rest))


def test_a_decoder_needs_all_three_numbers(tmp_path):
    """The default dimension of a head must not fill in for the third."""
    content = saved_bytes(tmp_path, decoder=ViTSize(1, 1))
    metadata = metadata_of(content)
    assert metadata["decoder"] == [1, 1, 64]
    metadata["decoder"] = [1, 1]
    assert_refused(tmp_path, with_metadata(content, metadata), "decoder")


def test_sizes_beyond_any_real_network_are_refused_at_once(tmp_path):
    """Where nothing in the arrays says otherwise, before anything is allocated."""
    content = saved_bytes(tmp_path)
    huge = 2**40
    for change in (
        {"image_shape": [4 * huge, 8 * huge, 1], "patch_size": 4 * huge},
        {"size": "L9999H9999", "head_dim": 9999},
        {"ranks": [huge, huge, huge]},
        {"decoder": [9999, 9999, 9999]},
    ):
        assert_refused(tmp_path, with_metadata(content, {**metadata_of(content), **change}))


def test_an_image_of_a_side_beyond_the_limit_is_refused(tmp_path):
    """One patch of 1 x 65,537 pixels would fit the arrays."""
    content = saved_bytes(tmp_path, size="L1H1", image_shape=(1, 1, 1 << 16), patch_size=1)
    assert load(tmp_path, content).image_shape == (1, 1, 1 << 16)
    arrays, metadata = arrays_of(content), metadata_of(content)
    arrays["patch/kernel"] = np.zeros(((1 << 16) + 1, 4), "float32")
    metadata["image_shape"][2] += 1
    assert_refused(tmp_path, pack(arrays, {KEY: json.dumps(metadata)}), "image_shape")


@pytest.mark.parametrize("version", [0, 3, "1", None])
def test_another_version_is_named(version, content, tmp_path):
    metadata = {**metadata_of(content), "format_version": version}
    assert_refused(tmp_path, with_metadata(content, metadata), f"format version {version!r}")


def test_unknown_fields_are_named(content, tmp_path):
    metadata = {**metadata_of(content), "class": "os.system"}
    assert_refused(tmp_path, with_metadata(content, metadata), "'class'")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "null", "[]", "3", '"text"', "{", "{}", "NaN", "{'size': 1}", "\0", "\ufeff{}"),
        *("[" * 10**5, '{"record":' * 10**5, "[" * 10**5 + "]" * 10**5, "1" * 5000),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_metadata_that_is_no_json_object_is_refused(text, content, tmp_path):
    assert_refused(tmp_path, with_metadata(content, text))


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", '[0, {"a": NaN}]', "1e999", "-1e999", "1" * 5000]
)
def test_records_that_could_not_be_saved_are_refused(value, content, tmp_path):
    text = json.dumps({**metadata_of(content), "record": {"loss": "VALUE"}})
    assert '"VALUE"' in text
    assert_refused(tmp_path, with_metadata(content, text.replace('"VALUE"', value)))


def test_a_deep_record_is_refused_or_read(content, tmp_path):
    text = json.dumps({**metadata_of(content), "record": {"deep": "VALUE"}})
    for depth in (10, 500, 900, 990, 1000, 5000, 10**5):
        value = "[" * depth + "]" * depth
        outcome(tmp_path, with_metadata(content, text.replace('"VALUE"', value)))


@one_folder
@given(
    st.dictionaries(
        st.sampled_from(sorted(WRONG)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
            max_leaves=5,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_metadata_is_refused_or_consistent(content, tmp_path, changes):
    outcome(tmp_path, with_metadata(content, {**metadata_of(content), **changes}))
