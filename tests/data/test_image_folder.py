import logging

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import ImageFolder


@pytest.fixture
def photo(rng):
    """A smooth picture, so that JPEG keeps it nearly unchanged."""
    ramp = np.linspace(0, 200, 24)[:, None] + np.linspace(0, 50, 36)[None]
    return np.stack([ramp, ramp[::-1], np.full_like(ramp, 90)], axis=-1).astype(np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def test_classes_and_order(tmp_path, photo):
    for name in ("jay/b.png", "jay/deep/a.PNG", "crow/2.jpg", "crow/10.jpeg", "crow/.hidden.png"):
        save(tmp_path / name, photo)
    (tmp_path / "crow" / "notes.txt").write_text("no image")
    (tmp_path / ".cache").mkdir()
    source = ImageFolder(tmp_path)
    assert source.classes == ("crow", "jay") and source.name == tmp_path.name
    names = [file.relative_to(tmp_path).as_posix() for file in source.files]
    assert names == ["crow/10.jpeg", "crow/2.jpg", "jay/b.png", "jay/deep/a.PNG"]
    assert source.labels.tolist() == [0, 0, 1, 1] and source.labels.dtype == np.int32
    assert source[2]["label"] == 1
    np.testing.assert_array_equal(source[2]["image"], photo)
    assert source.image_shape == (None, None, 3)
    with pytest.raises(IndexError):
        source[4]


def test_flat_folder_has_no_labels(tmp_path, photo):
    save(tmp_path / "b.png", photo)
    save(tmp_path / "a.bmp", photo)
    source = ImageFolder(tmp_path)
    assert [file.name for file in source.files] == ["a.bmp", "b.png"]
    assert source.classes is None and source.labels is None and set(source[0]) == {"image"}


def test_classes_of_the_training_set_fix_the_labels(tmp_path, photo):
    save(tmp_path / "jay" / "a.png", photo)
    source = ImageFolder(tmp_path, classes=("crow", "jay", "owl"))
    assert source.labels.tolist() == [1] and source.classes == ("crow", "jay", "owl")
    with pytest.raises(ValueError, match=r"Received: .*\['jay'\]"):
        ImageFolder(tmp_path, classes=("crow",))


def test_gray_is_the_luma_of_the_colours(tmp_path, photo):
    save(tmp_path / "a.png", photo)
    image = ImageFolder(tmp_path, channels=1)[0]["image"]
    assert image.shape == (24, 36, 1)
    expected = photo @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(image[..., 0], expected, atol=1)


def test_gray_files_as_colours(tmp_path, photo):
    save(tmp_path / "a.png", photo[..., 0])
    image = ImageFolder(tmp_path)[0]["image"]
    np.testing.assert_array_equal(image, np.repeat(photo[..., :1], 3, axis=-1))


def test_16_bit_gray_keeps_its_high_byte(tmp_path, rng):
    pixels = rng.integers(0, 2**16, (6, 7), np.uint16)
    save(tmp_path / "a.png", pixels)
    save(tmp_path / "b.tif", pixels)
    for record in ImageFolder(tmp_path, channels=1):
        np.testing.assert_array_equal(record["image"][..., 0], pixels // 256)
    assert ImageFolder(tmp_path)[0]["image"].shape == (6, 7, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_is_laid_on_white(tmp_path, channels):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = 0, 128, 255  # black, ever less transparent
    save(tmp_path / "a.png", pixels)
    image = ImageFolder(tmp_path, channels=channels)[0]["image"]
    np.testing.assert_allclose(image[0, :, 0], [255, 127, 0], atol=1)


def test_palette_with_and_without_transparency(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.png", transparency=b"\xff\x00")
    picture.save(tmp_path / "c.gif", transparency=1)
    source = ImageFolder(tmp_path)
    assert source[0]["image"].tolist() == [[[10, 20, 30], [200, 100, 50]]]
    for index in (1, 2):
        assert source[index]["image"].tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    np.testing.assert_allclose(ImageFolder(tmp_path)[0]["image"][0, 0], [255, 0, 0], atol=3)


# Where the stored first row and first column belong, as the EXIF standard words it.
ORIENTATIONS = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_exif_orientation(tmp_path, rng, orientation, suffix):
    stored = rng.integers(0, 256, (3, 5, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    save(tmp_path / f"a.{suffix}", stored, exif=exif, **options)
    first_row, first_column = ORIENTATIONS[orientation]
    shown = stored if first_row in ("top", "bottom") else stored.swapaxes(0, 1)
    shown = shown[::-1] if "bottom" in (first_row, first_column) else shown
    shown = shown[:, ::-1] if "right" in (first_row, first_column) else shown
    np.testing.assert_array_equal(ImageFolder(tmp_path)[0]["image"], shown)


def test_a_broken_exif_block_is_no_broken_image(tmp_path, photo):
    save(tmp_path / "a.png", photo, exif=b"Exif\0\0MM\0*garbage")
    np.testing.assert_array_equal(ImageFolder(tmp_path)[0]["image"], photo)


def break_images(folder, photo):
    """Broken files of every kind among three sound ones; returns the names of the broken."""
    for name in ("a/ok1.jpg", "b/ok2.png", "b/ok3.jpg"):
        save(folder / name, photo)
    large = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for name in ("a/cut.jpg", "a/cut.png", "b/cut.webp", "b/cut.bmp"):
        save(folder / name, large)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) * 2 // 3])
    (folder / "a" / "empty.jpg").write_bytes(b"")
    (folder / "b" / "text.png").write_text("not an image at all")
    (folder / "b" / "script.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    Image.fromarray(photo[..., 0].astype(np.float32)).save(folder / "b" / "float.tif")
    return {"cut.jpg", "cut.png", "cut.webp", "cut.bmp"} | {
        "empty.jpg",
        "text.png",
        "script.jpg",
        "float.tif",
    }


def test_broken_images_raise_with_their_path(tmp_path, photo):
    broken = break_images(tmp_path, photo)
    source = ImageFolder(tmp_path)
    raised = set()
    for index, file in enumerate(source.files):
        try:
            source[index]
        except ValueError as error:
            assert str(error).startswith(f"{file}: unreadable image. Received: ")
            raised.add(file.name)
    assert raised == broken and source.skipped == []


def test_broken_images_are_skipped_and_reported(tmp_path, photo, caplog):
    broken = break_images(tmp_path, photo)
    with (
        caplog.at_level(logging.WARNING),
        pytest.warns(UserWarning, match=r"Skipped 8 of 11 images in .*`\.skipped`"),
    ):
        source = ImageFolder(tmp_path, on_error="skip")
    assert [file.name for file in source.files] == ["ok1.jpg", "ok2.png", "ok3.jpg"]
    assert source.labels.tolist() == [0, 1, 1]
    assert len([record for record in source]) == 3
    assert {skipped.path.name for skipped in source.skipped} == broken
    assert all(skipped.reason for skipped in source.skipped)
    assert [skipped.path for skipped in source.skipped] == sorted(s.path for s in source.skipped)
    for name in broken:
        assert name in caplog.text


def test_sound_folders_are_silent_with_skip(tmp_path, photo):
    save(tmp_path / "a.jpg", photo)
    assert ImageFolder(tmp_path, on_error="skip").skipped == []


def test_only_broken_images(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="Skipped 1 of 1"),
        pytest.raises(ValueError, match="None of 1 images"),
    ):
        ImageFolder(tmp_path, on_error="skip")


def test_decompression_bombs(tmp_path):
    Image.new("1", (5000, 4000)).save(tmp_path / "bomb.png")  # 2.5 kB
    Image.new("1", (10, 10)).save(tmp_path / "ok.png")
    with pytest.raises(ValueError, match=r"bomb\.png: .*5000x4000 is more than max_pixels=1000000"):
        ImageFolder(tmp_path, max_pixels=10**6)[0]
    with pytest.warns(UserWarning, match="Skipped 1 of 2"):
        assert len(ImageFolder(tmp_path, on_error="skip", max_pixels=10**6)) == 1


def test_a_bomb_beyond_pillows_own_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("1", (50, 50)).save(tmp_path / "bomb.png")
    with pytest.raises(ValueError, match=r"bomb\.png: unreadable"):
        ImageFolder(tmp_path)[0]


def test_refuses(tmp_path, photo):
    with pytest.raises(ValueError, match="must be a folder"):
        ImageFolder(tmp_path / "missing")
    with pytest.raises(ValueError, match="Expected images"):
        ImageFolder(tmp_path)
    save(tmp_path / "jay" / "a.png", photo)
    for options in ({"channels": 4}, {"on_error": "ignore"}, {"max_pixels": 0}):
        with pytest.raises(ValueError, match=r"must be .*Received: "):
            ImageFolder(tmp_path, **options)
    (tmp_path / "owl").mkdir()
    with pytest.raises(ValueError, match=r"empty \['owl'\]"):
        ImageFolder(tmp_path)
    (tmp_path / "owl").rmdir()
    save(tmp_path / "stray.png", photo)
    with pytest.raises(ValueError, match=r"stray\.png beside jay"):
        ImageFolder(tmp_path)
