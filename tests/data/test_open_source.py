import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import ArraySource, ImageFolder, open_source


def save(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((6, 5, 3), value, np.uint8)).save(path)


def test_the_bundled_sample():
    train, test = open_source("fashion-mnist"), open_source("fashion-mnist", "test")
    assert (len(train), len(test)) == (10_000, 2_000)
    assert train.name == "fashion-mnist" and train.classes[9] == "Ankle boot"
    assert train.image_shape == (28, 28, 1)


def test_npz_and_idx(tmp_path, rng):
    images = rng.integers(0, 256, (3, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(
        b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    )
    opened = [
        open_source(tmp_path / "a.npz"),
        open_source(str(tmp_path / "t10k-images-idx3-ubyte")),
        open_source(tmp_path, "test"),
    ]
    for source in opened:
        assert isinstance(source, ArraySource)
        np.testing.assert_array_equal(source.images[..., 0], images)


def test_an_image_folder(tmp_path):
    save(tmp_path / "jay" / "a.png")
    source = open_source(tmp_path, channels=1)
    assert isinstance(source, ImageFolder) and source.image_shape == (None, None, 1)
    with pytest.raises(ValueError, match="`train` and `test`"):
        open_source(tmp_path, "test")


def test_folders_of_splits_share_the_classes_of_the_training_split(tmp_path):
    for name in ("train/crow/a.png", "train/jay/a.png", "train/owl/a.png", "val/owl/b.png"):
        save(tmp_path / name)
    train, test = open_source(tmp_path), open_source(tmp_path, "test")
    assert train.classes == test.classes == ("crow", "jay", "owl")
    assert test.labels.tolist() == [2] and test.name == train.name == tmp_path.name
    assert len(open_source(tmp_path, "validation")) == 1
    save(tmp_path / "val" / "wren" / "a.png")
    with pytest.raises(ValueError, match="wren"):
        open_source(tmp_path, "test")


def test_flat_splits(tmp_path):
    save(tmp_path / "train" / "a.png")
    save(tmp_path / "test" / "b.png")
    assert open_source(tmp_path, "test").files[0].name == "b.png"
    assert not open_source(tmp_path, "test").has_labels


def test_skip_is_passed_on(tmp_path):
    save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="Skipped 1 of 2"):
        assert len(open_source(tmp_path, on_error="skip")) == 1


def test_refuses(tmp_path):
    with pytest.raises(ValueError, match="spec='cifar'"):
        open_source("cifar")
    with pytest.raises(ValueError, match="split='val'"):
        open_source("fashion-mnist", "val")
    save(tmp_path / "train" / "a.png")
    with pytest.raises(ValueError, match=r"\['train'\], split='test'"):
        open_source(tmp_path, "test")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match="Received: "):
        open_source(tmp_path / "notes.txt")
