"""Saving a template, and reading back every bit of it."""

import json
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from core.safetensors_bytes import arrays_of, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from template_factory import random_template, template_shapes

from sweet_keras.core.size import ViTSize
from sweet_keras.core.template import SweetTemplate

# tmp_path is one folder for all examples: each writes the same file anew.
one_folder = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def assert_same(actual, expected):
    for field in ("size", "image_shape", "patch_size", "class_token", "positions", "layer_scale"):
        assert getattr(actual, field) == getattr(expected, field), field
    for field in ("register_tokens", "norm_epsilon", "mlp_ratio", "activation"):
        assert getattr(actual, field) == getattr(expected, field), field
    for field in ("pixel_mean", "pixel_std", "decoder", "record"):
        assert getattr(actual, field) == getattr(expected, field), field
    assert set(actual.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        assert actual.arrays[name].dtype == np.float32
        assert actual.arrays[name].shape == array.shape
        assert actual.arrays[name].tobytes() == array.tobytes(), name  # -0.0 is not 0.0


def any_bits(rng, shapes):
    """Arrays of any finite float32 there is: subnormal, huge, negative zero."""
    arrays = {}
    for name, shape in shapes.items():
        array = rng.integers(0, 2**32, shape, dtype="uint32").view("float32")
        arrays[name] = np.where(np.isfinite(array), array, np.float32(-0.0))
    return arrays


@one_folder
@given(
    depth=st.integers(1, 3),
    num_heads=st.integers(1, 3),
    head_dim=st.integers(1, 5),
    ranks=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    patch_size=st.integers(1, 3),
    channels=st.integers(1, 3),
    flags=st.fixed_dictionaries({"class_token": st.booleans(), "layer_scale": st.booleans()}),
    form=st.fixed_dictionaries(
        {"register_tokens": st.integers(0, 3), "mlp_ratio": st.integers(1, 5)}
    ),
    norm_epsilon=st.floats(1e-300, 1.0),
    activation=st.sampled_from(["gelu", "gelu_tanh"]),
    positions=st.sampled_from(["sincos", "learned"]),
    decoder=st.none() | st.builds(ViTSize, st.integers(1, 2), st.integers(1, 2), st.integers(1, 4)),
    pixel_mean=st.tuples(NUMBERS),
    pixel_std=st.tuples(st.floats(1e-3, 1e3)),
    record=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_round_trip_is_bit_exact(
    depth, num_heads, head_dim, ranks, grid, patch_size, channels, flags, form, decoder, seed,
    tmp_path, **fields,
):  # fmt: skip
    size = ViTSize(depth, num_heads, head_dim)
    image_shape = (grid[0] * patch_size, grid[1] * patch_size, channels)
    shapes = template_shapes(size, ranks, image_shape, patch_size, **flags, **form, decoder=decoder)
    arrays = any_bits(np.random.default_rng(seed), shapes)
    template = SweetTemplate(
        size, image_shape, patch_size, arrays, **flags, **form, decoder=decoder, **fields
    )
    path = tmp_path / "a.sweet"
    template.save(path)
    assert_same(SweetTemplate.load(path), template)


def test_the_file_is_a_plain_safetensors_file(rng, tmp_path):
    """What is read by the specification alone."""
    template = random_template(rng, decoder=ViTSize(1, 2, 4), record={"steps": 3})
    template.save(tmp_path / "a.sweet")
    content = (tmp_path / "a.sweet").read_bytes()
    arrays = arrays_of(content)
    assert set(arrays) == set(template.arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, template.arrays[name])
    header, _ = parse(content)
    assert json.loads(header["__metadata__"]["sweet_keras"]) == {
        "format_version": 2,
        "size": "L2H3",
        "head_dim": 4,
        "ranks": [5, 6, 7],
        "image_shape": [8, 12, 2],
        "patch_size": 4,
        "class_token": False,
        "positions": "sincos",
        "layer_scale": False,
        "register_tokens": 0,
        "norm_epsilon": 1e-6,
        "mlp_ratio": 4,
        "activation": "gelu",
        "pixel_mean": [127.5],
        "pixel_std": [127.5],
        "decoder": [1, 2, 4],
        "record": {"steps": 3},
    }


def test_a_file_of_version_1_has_the_default_form():
    """One that version 0.1.0 wrote."""
    path = Path(__file__).parents[1] / "fixtures/backend.sweet"
    header, _ = parse(path.read_bytes())
    assert '"format_version": 1' in header["__metadata__"]["sweet_keras"]
    assert "mlp_ratio" not in header["__metadata__"]["sweet_keras"]
    template = SweetTemplate.load(path)
    form = (template.register_tokens, template.norm_epsilon, template.mlp_ratio)
    assert (*form, template.activation) == (0, 1e-6, 4, "gelu")


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path])
def test_paths_of_any_kind(kind, rng, tmp_path):
    template = random_template(rng)
    path = kind(tmp_path / "\u9ce5 a.sweet")
    template.save(path)
    assert_same(SweetTemplate.load(path), template)


def test_arrays_in_other_memory_orders(rng, tmp_path):
    template = random_template(rng)
    arrays = {name: np.asfortranarray(array) for name, array in template.arrays.items()}
    arrays["core"] = np.repeat(template.arrays["core"], 2, axis=1)[:, ::2]
    strided = SweetTemplate(template.size, template.image_shape, 4, arrays)
    assert not strided.arrays["core"].flags.c_contiguous
    strided.save(tmp_path / "a.sweet")
    assert_same(SweetTemplate.load(tmp_path / "a.sweet"), template)


def test_a_resized_template_is_saved_as_any_other(rng, tmp_path):
    """Its ranks are larger than its width."""
    template = random_template(rng, "L3H3", ranks=(30, 12, 12)).resize("L1H1", (4, 4, 2))
    template.save(tmp_path / "a.sweet")
    assert_same(SweetTemplate.load(tmp_path / "a.sweet"), template)


def test_loaded_arrays_outlive_the_file(rng, tmp_path):
    template, other = random_template(rng), random_template(rng)
    path = tmp_path / "a.sweet"
    template.save(path)
    loaded = SweetTemplate.load(path)
    other.save(path)
    assert_same(loaded, template)
    assert_same(SweetTemplate.load(path), other)
    path.unlink()
    assert_same(loaded, template)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


CIRCULAR = {}
CIRCULAR["self"] = CIRCULAR


@pytest.mark.parametrize(
    "record",
    [
        *({"loss": math.nan}, {"loss": [1.0, math.inf]}, {"rng": np.random}, {"set": {1}}),
        *({"array": np.zeros(2)}, {(1, 2): 3}, {"bytes": b""}, CIRCULAR, {"deep": nested(10**5)}),
    ],
    ids=lambda record: next(iter(map(str, record))),
)
def test_a_record_that_is_not_json_is_refused(record, rng, tmp_path):
    with pytest.raises(ValueError, match=r"`record` must hold JSON values\. Received: "):
        random_template(rng, record=record).save(tmp_path / "a.sweet")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("exists", [False, True])
def test_a_failure_while_saving_leaves_the_old_file(exists, error, rng, tmp_path, monkeypatch):
    old, path = random_template(rng), tmp_path / "a.sweet"
    if exists:
        old.save(path)
    save_file = safetensors.numpy.save_file

    def save_half(arrays, filename, metadata=None):
        save_file(arrays, filename, metadata)
        os.truncate(filename, os.path.getsize(filename) // 2)
        raise error

    monkeypatch.setattr(safetensors.numpy, "save_file", save_half)
    with pytest.raises(type(error)):
        random_template(rng).save(path)
    assert os.listdir(tmp_path) == (["a.sweet"] if exists else [])
    if exists:
        assert_same(SweetTemplate.load(path), old)


def test_a_disk_that_really_fills_up(rng, tmp_path):
    """The limit on the size of files stops the write in the middle."""
    old, path = random_template(rng, "L1H1"), tmp_path / "a.sweet"
    old.save(path)
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * path.stat().st_size, hard))
    try:
        with pytest.raises(OSError, match=r"could not be written.*too large"):
            random_template(rng, "L6H6").save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["a.sweet"]
    assert_same(SweetTemplate.load(path), old)


def test_a_missing_folder_is_refused(rng, tmp_path):
    path = tmp_path / "missing" / "a.sweet"
    with pytest.raises(ValueError, match="`path` must lie in an existing folder") as caught:
        random_template(rng).save(path)
    assert str(caught.value).endswith(f"Received: {str(path)!r}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_write_permission(rng, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            random_template(rng).save(tmp_path / "a.sweet")
    finally:
        tmp_path.chmod(0o700)


def test_others_may_read_the_file(rng, tmp_path):
    before = os.umask(0o022)
    try:
        random_template(rng).save(tmp_path / "a.sweet")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.sweet").stat().st_mode) == 0o644
