"""Scenes of plain squares, whose masks can be read off the picture."""

import hashlib

import numpy as np
import pytest

from sweet_keras.data import fashion_mnist
from sweet_keras.data.compose_scenes import SceneOptions, compose_scene
from sweet_keras.data.scene_background import scene_background

LEVELS = np.arange(200, 250, 5)  # brighter than any background


@pytest.fixture(scope="module")
def squares():
    """Squares of 20 pixels, each of its own gray level."""
    return np.broadcast_to(LEVELS[:, None, None], (10, 20, 20)).astype("uint8")


@pytest.fixture(scope="module")
def scenes(squares):
    return [compose_scene(squares, index) for index in range(120)]


def test_shapes_and_types(scenes):
    for scene in scenes:
        count = len(scene.objects)
        assert scene.image.shape == (64, 64) and scene.image.dtype == np.uint8
        assert scene.masks.shape == (count, 64, 64) and scene.masks.dtype == bool
        assert scene.boxes.shape == (count, 4) and scene.boxes.dtype == np.float32
        assert scene.objects.dtype == np.int32 and scene.scales.shape == (count,)


def test_the_masks_are_the_visible_pixels(scenes):
    for scene in scenes:
        for level in set(LEVELS[scene.objects].tolist()):
            same = scene.masks[LEVELS[scene.objects] == level]
            np.testing.assert_array_equal(same.any(axis=0), scene.image == level)
        assert scene.image[~scene.masks.any(axis=0)].max() < LEVELS[0]


def test_no_pixel_belongs_to_two(scenes):
    assert max(scene.masks.sum(axis=0).max() for scene in scenes) == 1


def test_boxes_are_the_bounds_of_the_masks(scenes):
    for scene in scenes:
        for mask, box in zip(scene.masks, scene.boxes, strict=True):
            pixels = [(x, y) for y in range(64) for x in range(64) if mask[y, x]]
            xs, ys = zip(*pixels, strict=True)
            assert box.tolist() == [min(xs), min(ys), max(xs) + 1, max(ys) + 1]


def test_later_objects_cover_earlier_ones_but_not_too_much(scenes):
    shares = []
    for scene in scenes:
        whole = np.round(20 * scene.scales) ** 2
        shares.append(scene.masks.sum(axis=(1, 2)) / whole)
    assert all(share[-1] == 1 for share in shares)
    every = np.concatenate(shares)
    assert 0.4 <= every.min() < 0.55 and (every < 1).mean() > 0.2


def test_counts_scales_and_objects_take_every_value(scenes):
    counts = np.bincount([len(scene.objects) for scene in scenes])
    assert counts[0] == 0 and len(counts) == 6 and counts[1:].min() > 5
    scales = np.concatenate([scene.scales for scene in scenes])
    assert 0.6 <= scales.min() < 0.7 and 1.5 < scales.max() <= 1.6
    assert set(np.concatenate([scene.objects for scene in scenes]).tolist()) == set(range(10))
    covered = np.any([scene.masks.any(axis=0) for scene in scenes], axis=0)
    assert all(edge.any() for edge in (covered[0], covered[-1], covered[:, 0], covered[:, -1]))
    assert covered.mean() > 0.95


def test_options(squares):
    options = SceneOptions(size=(24, 40), counts=(2, 3), scales=(0.5, 0.5), visible=1.0)
    scenes = [compose_scene(squares, index, options=options) for index in range(40)]
    for scene in scenes:
        assert scene.image.shape == (24, 40)
        assert (scene.scales == 0.5).all()
        assert (scene.masks.sum(axis=(1, 2)) == 100).all()
    assert {len(scene.objects) for scene in scenes} >= {2, 3}


def test_a_full_scene_gets_fewer_objects_than_were_drawn(squares):
    options = SceneOptions(size=(20, 20), counts=(3, 3), scales=(1.0, 1.0))
    scene = compose_scene(squares, 0, options=options)
    assert len(scene.objects) == 1 and scene.masks.all()


def test_a_scene_depends_on_seed_split_and_index_only(squares):
    again = compose_scene(squares, 7)
    assert np.array_equal(again.image, compose_scene(squares, 7, "train", 0).image)
    others = [
        compose_scene(squares, 8),
        compose_scene(squares, 7, split="test"),
        compose_scene(squares, 7, seed=1),
    ]
    assert len({scene.image.tobytes() for scene in (again, *others)}) == 4


def test_the_scenes_of_the_benchmark_stay_what_they_are():
    """Results of different versions and machines can be compared only because of this."""
    (garments, _), _ = fashion_mnist()
    digest = hashlib.sha256()
    for index in range(20):
        scene = compose_scene(garments[..., 0], index)
        digest.update(scene.image.tobytes() + np.packbits(scene.masks).tobytes())
    assert digest.hexdigest()[:16] == "bf17df0953ba76ed"


def test_garments_are_in_front_of_anything_but_black():
    (garments, _), _ = fashion_mnist()
    levels = []
    for index in range(50):
        scene = compose_scene(garments[..., 0], index)
        levels.append(scene.image[~scene.masks.any(axis=0)].mean())
    assert min(levels) > 10 and max(levels) < 150 and np.std(levels) > 15


def test_backgrounds_differ_in_level_and_contrast(rng):
    backgrounds = np.array([scene_background(rng, (16, 24)) for _ in range(60)])
    assert backgrounds.shape == (60, 16, 24)
    assert backgrounds.min() >= 0 and backgrounds.max() < LEVELS[0]
    means, contrasts = backgrounds.mean(axis=(1, 2)), backgrounds.std(axis=(1, 2))
    assert means.min() < 50 and means.max() > 90
    assert contrasts.min() < 8 and contrasts.max() > 15


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (0, 4)}, r"`size` must be \(height, width\). Received: size=\(0, 4\)"),
        ({"counts": (0, 4)}, r"`counts` must be .* Received: counts=\(0, 4\)"),
        ({"counts": (4, 3)}, r"`counts` must be .* Received: counts=\(4, 3\)"),
        ({"scales": (0.0, 1.0)}, r"`scales` must be .* Received: scales=\(0.0, 1.0\)"),
        ({"visible": 1.5}, r"`visible` must be in \[0, 1\]. Received: visible=1.5"),
    ],
)
def test_bad_options(changes, message):
    with pytest.raises(ValueError, match=message):
        SceneOptions(**changes)


def test_bad_objects(squares):
    with pytest.raises(ValueError, match=r"`objects` must be uint8 .* Received: float64"):
        compose_scene(squares / 255, 0)
    with pytest.raises(ValueError, match=r"Received: uint8 of shape \(10, 20, 20, 1\)"):
        compose_scene(squares[..., None], 0)
    with pytest.raises(ValueError, match=r"must be square.* Received: shape \(10, 20, 10\)"):
        compose_scene(squares[..., :10], 0)
    with pytest.raises(ValueError, match=r"no larger than a scene.*size=\(31, 64\)"):
        compose_scene(squares, 0, options=SceneOptions(size=(31, 64)))
    with pytest.raises(ValueError, match="`objects` must be bright on black"):
        compose_scene(np.zeros_like(squares), 0)
