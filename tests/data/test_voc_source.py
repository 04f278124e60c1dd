import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import AnnotatedSource, VocSource

OBJECT = (
    "<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{xmin}</xmin>"
    "<ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>"
    "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax>"
    "</bndbox></part></object>"
)


def thing(name="jay", xmin=3, ymin=4, xmax=12, ymax=11, difficult=0):
    return OBJECT.format(name=name, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, difficult=difficult)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def save_palette(path, values):
    """A mask as VOC has them: a palette whose colours are not the numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values)
    picture.putpalette(np.random.default_rng(0).permutation(256 * 3).astype(np.uint8).tobytes())
    picture.save(path)


def put(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


@pytest.fixture
def write(tmp_path, rng):
    """Adds a record to a VOC folder."""

    def write(name="a", *objects, size=(20, 30), stated=True, filename=None, suffix="jpg"):
        height, width = size
        save(
            tmp_path / "JPEGImages" / f"{name}.{suffix}", rng.integers(0, 256, (*size, 3), np.uint8)
        )
        said = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        put(
            tmp_path / "Annotations" / f"{name}.xml",
            f"<annotation><filename>{filename or name + '.jpg'}</filename>"
            f"{said if stated else ''}{''.join(objects)}</annotation>",
        )
        return tmp_path

    return write


def test_boxes_against_painted_pixels(write, rng):
    """VOC's corners are the first and the last pixel of the object, counted from 1."""
    expected = {}
    for name in ("b", "a", "c"):
        rows, texts = [], []
        for _ in range(int(rng.integers(1, 6))):
            pixels = np.zeros((20, 30), bool)
            top, left = rng.integers(0, 19), rng.integers(0, 29)
            pixels[top : top + rng.integers(1, 9), left : left + rng.integers(1, 9)] = True
            y, x = np.nonzero(pixels)
            kind, difficult = str(rng.choice(["owl", "jay"])), int(rng.integers(2))
            corners = (x.min() + 1, y.min() + 1, x.max() + 1, y.max() + 1)
            texts.append(thing(kind, *corners, difficult))
            rows.append((pixels, kind, difficult))
        expected[name] = rows
        folder = write(name, *texts, thing("owl"), thing("jay"))
    source = VocSource(folder)
    assert isinstance(source, AnnotatedSource) and source.classes == ("jay", "owl")
    assert (source.has_boxes, source.has_masks, source.mask_classes) == (True, False, None)
    assert [source[index]["id"] for index in range(3)] == ["a", "b", "c"]
    assert source.name == folder.name and source.problems == ()
    for index in range(3):
        record, rows = source[index], expected[source[index]["id"]]
        assert len(record["boxes"]) == len(rows) + 2
        assert record["boxes"][-1].tolist() == [2, 3, 12, 11]
        for number, (pixels, kind, difficult) in enumerate(rows):
            painted = np.zeros((20, 30), bool)
            left, top, right, bottom = record["boxes"][number].astype(int)
            painted[top:bottom, left:right] = True
            np.testing.assert_array_equal(painted, pixels)
            assert source.classes[record["classes"][number]] == kind
            assert record["crowd"][number] == difficult
            assert record["areas"][number] == pixels.sum()
        stored = np.array(Image.open(folder / "JPEGImages" / f"{record['id']}.jpg"))
        np.testing.assert_array_equal(record["image"], stored)
        annotation = source.annotation(index)
        assert annotation["image_size"] == (20, 30)
        for key in ("id", "boxes", "classes", "crowd", "areas"):
            np.testing.assert_array_equal(annotation[key], source[index - 3][key])
    with pytest.raises(IndexError):
        source[3]


def test_splits_share_their_classes(write):
    write("a", thing("owl"))
    write("b", thing("crow"))
    folder = write("c", thing("jay"), thing("owl"))
    put(folder / "ImageSets" / "Main" / "train.txt", "c\r\na\r\n\r\n")
    put(folder / "ImageSets" / "Main" / "val.txt", "b\n")
    train, val = VocSource(folder), VocSource(folder, "val")
    assert train.classes == val.classes == ("crow", "jay", "owl")
    assert [record["id"] for record in train] == ["c", "a"] and len(val) == 1
    assert val[0]["classes"].tolist() == [0]
    named = VocSource(folder, "val", classes=("owl", "jay", "crow"))
    assert named[0]["classes"].tolist() == [2]
    with pytest.raises(ValueError, match=r"split='test', .*\['train', 'val'\]"):
        VocSource(folder, "test")
    put(folder / "ImageSets" / "Main" / "val.txt", "b\nb\n")
    with pytest.raises(ValueError, match="twice"):
        VocSource(folder, "val")


def test_without_lists_there_is_one_split(write):
    with pytest.raises(ValueError, match='there is only "train"'):
        VocSource(write("a", thing()), "val")


def test_masks(write, rng):
    masks = {}
    for name in ("a", "b"):
        masks[name] = rng.choice(np.array([0, 1, 2, 255], np.uint8), (20, 30))
        folder = write(name, thing("owl"), thing("jay"))
        save_palette(folder / "SegmentationClass" / f"{name}.png", masks[name])
    write("c", thing())  # without a mask
    put(folder / "ImageSets" / "Main" / "train.txt", "a\nb\nc\n")
    assert len(VocSource(folder)) == 3
    source = VocSource(folder, masks=True)
    assert source.mask_classes == ("background", "jay", "owl") and len(source) == 2
    for record in source:
        np.testing.assert_array_equal(record["mask"], masks[record["id"]])
        assert len(record["boxes"]) == 2
    assert "mask" not in source.annotation(0)
    put(folder / "ImageSets" / "Segmentation" / "train.txt", "b\n")
    assert [record["id"] for record in VocSource(folder, masks=True)] == ["b"]
    put(folder / "ImageSets" / "Segmentation" / "train.txt", "b\nc\n")
    with pytest.raises(ValueError, match=r"record 'c': .*Received: 'c\.png'"):
        VocSource(folder, masks=True)


def test_broken_masks(write):
    for name in ("a", "b", "c", "d"):
        folder = write(name, thing())
        save_palette(folder / "SegmentationClass" / f"{name}.png", np.ones((20, 30), np.uint8))
    save_palette(folder / "SegmentationClass" / "a.png", np.ones((30, 20), np.uint8))
    save_palette(folder / "SegmentationClass" / "b.png", np.full((20, 30), 2, np.uint8))
    save(folder / "SegmentationClass" / "c.png", np.zeros((20, 30, 3), np.uint8))
    source = VocSource(folder, masks=True)
    messages = (r"a\.xml: .*20 wide and 30 high", r"b\.xml: .*value 2", r"c\.xml: .*mode RGB")
    for index, message in enumerate(messages):
        with pytest.raises(ValueError, match=message):
            source[index]
    with pytest.warns(UserWarning, match="Left out 3"):
        source = VocSource(folder, masks=True, on_error="skip")
    assert [record["id"] for record in source] == ["d"] and len(source.problems) == 3
    colours = [(9, 9, 9), (0, 0, 0)]
    folder = write("e", thing())
    save(folder / "SegmentationClass" / "e.png", np.zeros((20, 30, 3), np.uint8))
    put(folder / "ImageSets" / "Segmentation" / "train.txt", "e\n")
    assert (VocSource(folder, masks=True, colors=colours)[0]["mask"] == 1).all()


def test_the_image_is_the_one_of_the_same_stem(write):
    folder = write("a", thing(), suffix="png", filename="photo.jpeg", stated=False)
    assert VocSource(folder)[0]["image"].shape == (20, 30, 3)
    assert VocSource(folder).annotation(0)["image_size"] == (20, 30)
    (folder / "JPEGImages" / "a.png").rename(folder / "JPEGImages" / "photo.jpeg")
    assert VocSource(folder).annotation(0)["image_size"] == (20, 30)


def test_size_zero_means_unknown(write):
    folder = write("a", thing(xmax=99), size=(20, 30))
    path = folder / "Annotations" / "a.xml"
    zero = "<width>0</width><height>0</height>"
    path.write_text(path.read_text().replace("<width>30</width><height>20</height>", zero))
    assert VocSource(folder)[0]["boxes"].tolist() == [[2, 3, 30, 11]]


def test_boxes_are_cut_and_degenerate_ones_dropped(write):
    folder = write(
        "a",
        thing(xmin=-5, ymin=0, xmax=40, ymax="20.5"),
        thing(xmin=12, xmax=11),
        thing(xmin=12, xmax=12),  # one pixel
        thing(ymin="nan"),
        thing(xmin=30.5, xmax=50),
    )
    source = VocSource(folder)
    assert source[0]["boxes"].tolist() == [[0, 0, 30, 20], [11, 3, 12, 11]]
    assert source.dropped_boxes == len(source.problems) == 3
    assert "a.xml: object 1: " in source.problems[0]


BROKEN_OBJECTS = {
    "outside": thing(xmin=32, xmax=40),
    "text": thing(xmin="left"),
    "difficult": thing(difficult="maybe"),
    "no box": "<object><name>jay</name></object>",
    "half a box": "<object><name>jay</name><bndbox><xmin>3</xmin></bndbox></object>",
    "no name": thing(name=""),
    "empty": "<object/>",
    "unknown": thing("wren"),
}


@pytest.mark.parametrize("name", BROKEN_OBJECTS)
def test_broken_objects(write, name):
    folder = write("a", thing(), BROKEN_OBJECTS[name])
    where = r"a\.xml: object 1: .*Received: "
    with pytest.raises(ValueError, match=where):
        VocSource(folder, classes=("jay",))
    with pytest.warns(UserWarning, match=where):
        source = VocSource(folder, on_error="skip", classes=("jay",))
    assert source[0]["boxes"].tolist() == [[2, 3, 12, 11]] and source.dropped_boxes == 1


BODY = "<annotation><filename>{}</filename>" + thing() + "</annotation>"
LAUGHS = "".join(f'<!ENTITY x{k + 1} "{f"&x{k};" * 10}">' for k in range(9))
BROKEN_FILES = {
    "no XML": "<annotation>",
    "empty": "",
    "binary": "\0\1\2",
    "another kind": "<html/>",
    "external entity": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    + BODY.format("&e;"),
    "laughs": f'<!DOCTYPE a [<!ENTITY x0 "ha">{LAUGHS}]>' + BODY.format("&x9;"),
    "plain document type": "<!DOCTYPE annotation>" + BODY.format("a.jpg"),
    "undeclared entity": BODY.format("&e;"),
    "unknown encoding": '<?xml version="1.0" encoding="klingon"?>' + BODY.format("a.jpg"),
    "size as text": "<annotation><size><width>x</width><height>5</height></size></annotation>",
    "half a size": "<annotation><size><width>-30</width><height>5</height></size></annotation>",
    "huge": "<annotation><size><width>999999999</width><height>999999999</height></size>"
    "</annotation>",
    "too many digits": f"<annotation><size><width>{'9' * 5000}</width><height>5</height></size>"
    "</annotation>",
    "escaping": BODY.format("../../etc/passwd"),
    "absolute": BODY.format("/etc/passwd"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_broken_files(write, name):
    write("a", thing())
    folder = write("b", thing())
    put(folder / "Annotations" / "b.xml", BROKEN_FILES[name])
    with pytest.raises(ValueError, match=r"b\.xml|record 'b'"):
        VocSource(folder)
    with pytest.warns(UserWarning, match="Left out 1 .*record 'b'"):
        source = VocSource(folder, on_error="skip")
    assert [record["id"] for record in source] == ["a"] and len(source.problems) == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_document_types_are_found_in_any_encoding(write, encoding):
    folder = write("a", thing())
    path, text = folder / "Annotations" / "a.xml", BODY.format("a.jpg")
    put(path, f'<?xml version="1.0" encoding="{encoding}"?>{text}', encoding)
    assert len(VocSource(folder)[0]["boxes"]) == 1
    hidden = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY e "a">]>{text}'
    put(path, hidden, encoding)
    with pytest.raises(ValueError, match="DOCTYPE"):
        VocSource(folder)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "missing", "a\0b", "a" * 999])
def test_lists_name_records_of_the_folder(write, name):
    folder = write("a", thing())
    put(folder / "ImageSets" / "Main" / "train.txt", f"a\n{name}\n")
    with pytest.raises(ValueError, match=r"record .*Received: "):
        VocSource(folder)
    with pytest.warns(UserWarning, match="Left out 1"):
        assert len(VocSource(folder, on_error="skip")) == 1


def test_broken_annotations_of_another_split_are_not_reported_when_skipping(write):
    write("a", thing())
    folder = write("b")
    put(folder / "Annotations" / "b.xml", "<")
    put(folder / "ImageSets" / "Main" / "train.txt", "a\n")
    assert VocSource(folder, on_error="skip").problems == ()
    assert len(VocSource(folder, classes=("jay",))) == 1


def test_images_without_files_or_of_another_size(write):
    for name in ("a", "b", "c"):
        folder = write(name, thing())
    (folder / "JPEGImages" / "a.jpg").unlink()
    save(folder / "JPEGImages" / "b.jpg", np.zeros((30, 20, 3), np.uint8))
    with pytest.raises(ValueError, match=r"record 'a': .*a\.jpg"):
        VocSource(folder)
    with pytest.warns(UserWarning, match="Left out 2"):
        source = VocSource(folder, on_error="skip")
    assert [record["id"] for record in source] == ["c"]
    write("a", thing())
    with pytest.raises(ValueError, match=r"b\.xml: .*20 wide and 30 high"):
        VocSource(folder)[1]


def test_refuses(write, tmp_path):
    with pytest.raises(ValueError, match="without Annotations, JPEGImages"):
        VocSource(tmp_path)
    folder = write("a")
    with pytest.raises(ValueError, match=r"`classes`.*Received: "):
        VocSource(folder)  # no object, so no class
    with pytest.raises(ValueError, match="without SegmentationClass"):
        VocSource(folder, masks=True)
    with pytest.raises(ValueError, match="`on_error`"):
        VocSource(folder, on_error="ignore")
