import json

import numpy as np
import pytest
from PIL import Image

from sweet_keras.data import open_annotated
from sweet_keras.data.mask_colors import number_mask_colors, read_mask_colors

COLOURS = np.array([(128, 64, 128), (0, 0, 142), (0, 0, 230), (0, 0, 0)], np.uint8)
CONTENT = {"road": "#804080", "ignored": "#000000", "car": ["#00008E", "#0000e6"]}


@pytest.fixture
def folder(tmp_path, rng):
    """RGB masks, and the number of each of their colours."""
    picks = {}
    for split in ("train", "test"):
        for kind in ("images", "masks"):
            (tmp_path / split / kind).mkdir(parents=True)
        picks[split] = rng.integers(0, 4, (9, 8))
        Image.fromarray(COLOURS[picks[split]]).save(tmp_path / split / "masks" / "a.png")
        Image.new("RGB", (8, 9)).save(tmp_path / split / "images" / "a.png")
    (tmp_path / "colors.json").write_text(json.dumps(CONTENT))
    return tmp_path, picks


def test_a_folder_finds_its_colours(folder):
    path, picks = folder
    for split in ("train", "test"):
        source = open_annotated(path, split, task="segment")
        assert source.classes == source.mask_classes == ("road", "car")
        np.testing.assert_array_equal(
            source[0]["mask"], np.array([0, 1, 1, 255], np.uint8)[picks[split]]
        )


def test_without_the_file_it_is_asked_for(folder):
    path, _ = folder
    (path / "colors.json").unlink()
    with pytest.raises(ValueError, match=r"a\.png: unreadable mask.*colors\.json.*Received"):
        open_annotated(path, "train", task="segment")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"ignored": "#000000"}', '{"a": "red"}', '{"a": []}', '{"a": [1, 2, 3]}',
     '{"a": "#0000000"}', '{"a": null}'],
)  # fmt: skip
def test_other_files(tmp_path, text):
    (tmp_path / "colors.json").write_text(text)
    with pytest.raises(ValueError, match=r"colors\.json: Expected an object of .*Received: "):
        read_mask_colors(tmp_path / "colors.json")


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="Received: unreadable JSON"):
        read_mask_colors(tmp_path / "colors.json")


def test_a_colour_of_two_classes():
    with pytest.raises(ValueError, match=r"one class\. Received: #010203 twice, also for 'b'"):
        number_mask_colors({"a": ((1, 2, 3),), "b": ((1, 2, 3),)})
