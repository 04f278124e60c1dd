import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweet_keras.data import read_npz


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (6, 5, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("images", "labels"), "train"),
        (("x", "y"), "train"),
        (("x_train", "y_train"), "train"),
        (("x_test", "y_test"), "test"),
        (("train_images", "train_labels"), "train"),
        (("val_images", "val_labels"), "val"),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_names(tmp_path, images, names, split, save):
    save(tmp_path / "birds.npz", **{names[0]: images, names[1]: np.arange(6)[:, None]})
    source = read_npz(tmp_path / "birds.npz", split)
    np.testing.assert_array_equal(source.images, images)
    np.testing.assert_array_equal(source.labels, range(6))
    assert source.name == "birds"


def test_without_labels(tmp_path, images):
    np.savez(tmp_path / "birds.npz", images=images)
    assert not read_npz(tmp_path / "birds.npz").has_labels


def test_another_split_is_not_guessed(tmp_path, images):
    np.savez(tmp_path / "birds.npz", images=images)
    with pytest.raises(ValueError, match=r"x_test or test_images.*\['images'\]"):
        read_npz(tmp_path / "birds.npz", "test")


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "objects.npz", images=np.array([print, len], object))
    with pytest.raises(ValueError, match="only numbers"):
        read_npz(tmp_path / "objects.npz")


def test_max_bytes(tmp_path, images):
    np.savez(tmp_path / "birds.npz", images=images)
    assert len(read_npz(tmp_path / "birds.npz", max_bytes=images.nbytes)) == 6
    with pytest.raises(ValueError, match=f"at most {images.nbytes - 1} bytes"):
        read_npz(tmp_path / "birds.npz", max_bytes=images.nbytes - 1)


def test_a_size_that_the_file_cannot_hold(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (2**20, 2**10, 2**10, 3)}
    )
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())
    with pytest.raises(ValueError, match="more than the file can hold"):
        read_npz(tmp_path / "bomb.npz", max_bytes=2**100)


def _sound(compress):
    buffer = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    save(buffer, images=np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    return buffer.getvalue()


@pytest.mark.parametrize("compress", [False, True])
def test_damage_raises_value_error(tmp_path_factory, compress):
    path = tmp_path_factory.mktemp("damage") / "file.npz"
    sound = _sound(compress)

    @given(st.data())
    @settings(max_examples=200, deadline=None)
    def damage(data):
        content = bytearray(sound)
        if data.draw(st.booleans()):
            content = content[: data.draw(st.integers(0, len(content) - 1))]
        else:
            start = data.draw(st.integers(0, len(content) - 1))
            patch = data.draw(st.binary(min_size=1, max_size=8))
            content[start : start + len(patch)] = patch
        path.write_bytes(content)
        try:
            source = read_npz(path)
        except ValueError as error:
            assert "Received: " in str(error)
            assert not isinstance(error, UnicodeError)
        else:  # the damage hit what nobody reads, such as a date
            assert source.images.size == 60

    damage()
