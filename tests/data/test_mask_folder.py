import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import AnnotatedSource, MaskFolder


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def save_palette(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values)
    picture.putpalette(np.random.default_rng(0).permutation(256 * 3).astype(np.uint8).tobytes())
    picture.save(path)


@pytest.fixture
def folders(tmp_path, rng):
    """Three images of different sizes with gray and palette masks of 4 classes, and the masks."""
    masks = {}
    for name, height in (("b", 9), ("day/a", 11), ("c", 7)):
        masks[name] = rng.choice(np.array([0, 1, 2, 3, 255], np.uint8), (height, 8))
        save(tmp_path / "images" / f"{name}.png", rng.integers(0, 256, (height, 8, 3), np.uint8))
        writer = save_palette if name == "c" else save
        writer(tmp_path / "masks" / f"{name}.png", masks[name])
    return tmp_path / "images", tmp_path / "masks", masks


def test_masks_and_images(folders):
    images, masks, expected = folders
    source = MaskFolder(images, masks, classes=("sky", "road", "car", "tree"))
    assert isinstance(source, AnnotatedSource) and len(source) == 3
    assert (source.has_boxes, source.has_masks, source.has_labels) == (False, True, False)
    assert source.classes == source.mask_classes == ("sky", "road", "car", "tree")
    assert [source[index]["id"] for index in range(3)] == ["b", "c", "day/a"]
    assert source.problems == () and source.dropped_boxes == 0
    for index in range(3):
        record = source[index]
        assert set(record) == {"image", "id", "mask"} and record["mask"].dtype == np.uint8
        np.testing.assert_array_equal(record["mask"], expected[record["id"]])
        np.testing.assert_array_equal(source[index - 3]["mask"], record["mask"])
        stored = np.array(Image.open(images / f"{record['id']}.png"))
        np.testing.assert_array_equal(record["image"], stored)
        assert source.annotation(index) == {"id": record["id"], "image_size": stored.shape[:2]}


def test_classes_are_counted_when_not_given(folders):
    images, masks, expected = folders
    for mask in expected.values():
        mask[mask == 3] = 255
    for name, mask in expected.items():
        save(masks / f"{name}.png", mask)
    assert MaskFolder(images, masks).classes == ("0", "1", "2")


def png(values, bits):
    """A gray PNG file of few bits, which pillow reads but does not write."""
    rows = b""
    for row in values:
        digits = "".join(f"{value:0{bits}b}" for value in row)
        digits += "0" * (-len(digits) % 8)
        rows += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, 0, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return (
        signature
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_gray_levels_are_taken_as_they_are_stored(tmp_path, rng, bits):
    values = rng.integers(0, min(2**bits, 255), (6, 7))
    save(tmp_path / "images" / "a.png", np.zeros((6, 7, 3), np.uint8))
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(png(values, bits))
    mask = MaskFolder(tmp_path / "images", tmp_path / "masks")[0]["mask"]
    np.testing.assert_array_equal(mask, values)


COLOURS = [(0, 0, 0), (10, 20, 30), (30, 20, 10), (255, 255, 255)]


@pytest.mark.parametrize("form", ["list", "mapping"])
def test_colours(tmp_path, rng, form):
    values = rng.integers(0, 4, (9, 8))
    save(tmp_path / "images" / "a.jpg", np.zeros((9, 8, 3), np.uint8))
    save(tmp_path / "masks" / "a.png", np.array(COLOURS, np.uint8)[values])
    folders = tmp_path / "images", tmp_path / "masks"
    with pytest.raises(ValueError, match=r"a\.png: .*`colors`.*Received: .*mode RGB"):
        MaskFolder(*folders, classes=("x", "y"))[0]
    if form == "list":
        source, table = MaskFolder(*folders, colors=COLOURS), [0, 1, 2, 3]
    else:
        table = [1, 0, 1, 255]
        mapping = dict(zip(COLOURS, table, strict=True))
        source = MaskFolder(*folders, colors=mapping, classes=("x", "y"))
    np.testing.assert_array_equal(source[0]["mask"], np.array(table)[values])
    with pytest.raises(ValueError, match=r"Received: \(255, 255, 255\) in row"):
        MaskFolder(*folders, colors=COLOURS[:3], classes=("x", "y", "z"))[0]


def test_black_and_white_masks_by_colour(tmp_path, rng):
    values = rng.integers(0, 2, (9, 8))
    save(tmp_path / "images" / "a.jpg", np.zeros((9, 8, 3), np.uint8))
    save(tmp_path / "masks" / "a.png", (values * 255).astype(np.uint8))
    colours = [(0, 0, 0), (255, 255, 255)]
    source = MaskFolder(tmp_path / "images", tmp_path / "masks", colors=colours)
    np.testing.assert_array_equal(source[0]["mask"], values)


@pytest.mark.parametrize(
    "colours", [[], [(1, 2)], [(0, 0, 256)], ["red"], [(0, 0, 0)] * 2, {(0, 0, 0): 256}, [1, 2, 3]]
)
def test_refuses_other_colours(folders, colours):
    with pytest.raises(ValueError, match=r"`colors` must .*Received: "):
        MaskFolder(*folders[:2], colors=colours)


def test_images_without_masks_and_masks_without_images(folders, rng):
    images, masks, _ = folders
    save(images / "alone.png", rng.integers(0, 256, (9, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"record 'alone': .*Received: .*alone\.png without"):
        MaskFolder(images, masks)
    (images / "alone.png").rename(images / "day" / "alone.png")
    (masks / "day" / "b.png").write_bytes((masks / "b.png").read_bytes())
    with pytest.warns(UserWarning, match="Left out 2"):
        source = MaskFolder(images, masks, on_error="skip")
    assert len(source) == 3 and len(source.problems) == 2
    assert "day/alone" in source.problems[0] and "day/b" in source.problems[1]


def test_two_images_of_one_name(folders):
    images, masks, _ = folders
    save(images / "b.jpg", np.zeros((9, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r"Received: b\.jpg and b\.png"):
        MaskFolder(images, masks)


def test_broken_masks_and_images(folders):
    images, masks, _ = folders
    for name in ("wide", "high", "cut", "jpeg", "broken"):
        save(images / f"{name}.png", np.zeros((9, 8, 3), np.uint8))
        save(masks / f"{name}.png", np.zeros((9, 8), np.uint8))
    save(masks / "wide.png", np.zeros((8, 9), np.uint8))
    save(masks / "high.png", np.full((9, 8), 4, np.uint8))
    (masks / "cut.png").write_bytes((masks / "b.png").read_bytes()[:50])
    save(masks / "jpeg.jpg", np.zeros((9, 8), np.uint8))
    (masks / "jpeg.jpg").rename(masks / "jpeg.png")
    (images / "broken.png").write_text("no image")
    classes = ("sky", "road", "car", "tree")
    source = MaskFolder(images, masks, classes)
    messages = {
        "wide": r"wide\.png: The mask must be as large .*Received: 9 wide and 8 high",
        "high": r"high\.png: .*Received: value 4",
        "cut": r"cut\.png: unreadable mask",
        "jpeg": r"jpeg\.png: unreadable mask",
        "broken": r"broken\.png: unreadable image",
    }
    ids = [source.annotation(index)["id"] for index in range(8) if index != 1]
    ids.insert(1, "broken")  # its size cannot be told
    for name, message in messages.items():
        with pytest.raises(ValueError, match=message):
            source[ids.index(name)]
    with pytest.warns(UserWarning, match="Left out 5"):
        source = MaskFolder(images, masks, classes, on_error="skip")
    assert [record["id"] for record in source] == ["b", "c", "day/a"]
    with pytest.warns(UserWarning, match="Left out"):
        assert len(MaskFolder(images, masks, on_error="skip").classes) == 5
    with pytest.raises(ValueError, match="unreadable mask"):
        MaskFolder(images, masks)


def test_bombs(tmp_path):
    save(tmp_path / "images" / "a.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "masks").mkdir()
    Image.new("1", (5000, 4000)).save(tmp_path / "masks" / "a.png")
    with pytest.raises(ValueError, match=r"5000x4000 is more than max_pixels=1000000"):
        MaskFolder(tmp_path / "images", tmp_path / "masks", max_pixels=10**6)


def test_16_bit_masks_are_refused(tmp_path):
    save(tmp_path / "images" / "a.png", np.zeros((4, 4, 3), np.uint8))
    save(tmp_path / "masks" / "a.png", np.full((4, 4), 300, np.uint16))
    with pytest.raises(ValueError, match="up to 8 bits"):
        MaskFolder(tmp_path / "images", tmp_path / "masks")


def test_refuses(tmp_path, folders):
    images, masks, _ = folders
    with pytest.raises(ValueError, match="`images` must be a folder"):
        MaskFolder(tmp_path / "missing", masks)
    with pytest.raises(ValueError, match="`masks` must be a folder"):
        MaskFolder(images, tmp_path / "missing")
    for classes in ((), ("a", "a")):
        with pytest.raises(ValueError, match="`classes`"):
            MaskFolder(images, masks, classes)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="none of 0 records"):
        MaskFolder(tmp_path / "empty", tmp_path / "empty")
