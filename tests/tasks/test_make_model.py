import importlib.util

import keras
import numpy as np
import pytest
from dense_checks import filter_warnings

import sweet_keras as sk
from sweet_keras.tasks.choose_head import choose_head, head_of, heads

pytestmark = filter_warnings


@pytest.fixture
def vit():
    return sk.ViTBackbone("L1H1", image_shape=(28, 28, 1), patch_size=4, head_dim=8)


def install(monkeypatch, *names):
    """Makes it look as if of the libraries only these were installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in names or None)


def test_the_library_that_is_installed_is_chosen(monkeypatch):
    install(monkeypatch, "keras_cv", "keras_hub")
    assert choose_head("detect").library == "keras_hub"
    assert choose_head("detect", library="keras_cv").library == "keras_cv"
    assert choose_head("detect", "yolov8").library == "keras_cv"
    install(monkeypatch, "keras_cv")
    assert choose_head("detect").library == "keras_cv"
    assert choose_head("segment").name == "segformer"


def test_what_to_install_is_said(monkeypatch):
    install(monkeypatch)
    with pytest.raises(ImportError, match=r"'sweet_keras\[hub\]' or .*'sweet_keras\[cv\]'"):
        choose_head("segment")
    with pytest.raises(ImportError, match=r"yolov8.*'sweet_keras\[cv\]'$"):
        choose_head("detect", "yolov8")


def test_unknown_models():
    with pytest.raises(ValueError, match=r"`head` must be one of .*yolov8 \(keras_cv\).*Received"):
        choose_head("detect", "segformer")
    with pytest.raises(ValueError, match=r"library='keras_hub'"):
        choose_head("detect", "yolov8", "keras_hub")
    with pytest.raises(ValueError, match="`library` must be None or one of keras_cv, keras_hub"):
        choose_head("detect", library="torchvision")


def test_every_model_is_named_once_in_its_library():
    for library in ("keras_cv", "keras_hub"):
        if importlib.util.find_spec(library) is None:
            continue
        for head in heads():
            if head.library == library:
                module = importlib.import_module(library).models
                assert isinstance(getattr(module, head.model_class), type)


def test_arguments_that_do_not_fit(vit):
    pytest.importorskip("keras_cv")
    for classes in (0, True, "cat", (), ("cat", "cat"), ("cat", 1)):
        with pytest.raises(ValueError, match=r"`classes` must be a number of .* Received: "):
            sk.image_detector(vit, classes, library="keras_cv")
    with pytest.raises(ValueError, match=r"Options of yolov8 .*none\. Received: anchor_size"):
        sk.image_detector(vit, 2, head="yolov8", anchor_size=2.0)


def test_names_of_classes(vit):
    pytest.importorskip("keras_hub")
    options = {"image_shape": (64, 64, 1), "channels": 8, "library": "keras_hub"}
    named = sk.image_segmenter(vit, ["sky", "road"], head="deeplab", **options)
    assert sk.class_names_of(named) == ("sky", "road") and named.num_classes == 2
    again = type(named).from_config(named.get_config())
    assert sk.class_names_of(again) == ("sky", "road")
    assert sk.class_names_of(sk.image_segmenter(vit, 2, **options)) is None
    assert sk.class_names_of(sk.ImageClassifier(vit, 2, class_names=("a", "b"))) == ("a", "b")
    assert sk.class_names_of(vit) is None


@pytest.mark.parametrize(("side", "fits"), [(28, True), (64, True), (80, False), (68, False)])
def test_images_that_cannot_be_halved_are_refused(vit, side, fits):
    pytest.importorskip("keras_cv")
    options = {"head": "yolov8", "image_shape": (64, side, 1), "channels": 8}
    if fits:
        detector = sk.image_detector(vit, 2, **options)
        assert detector(np.zeros((1, 64, side, 1), "uint8"), training=False)
    else:
        with pytest.raises(ValueError, match=rf"multiples of 32 always do.*\(64, {side}, 1\)"):
            sk.image_detector(vit, 2, **options)


@pytest.mark.parametrize("library", ["keras_cv", "keras_hub"])
def test_a_retinanet_starts_by_seeing_nothing(rng, vit, library):
    """The prior of the paper: every class with about one per cent everywhere, boxes unmoved."""
    pytest.importorskip(library)
    shape = (64, 64, 1)
    model = sk.image_detector(vit, 3, library=library, image_shape=shape, channels=8)
    assert head_of(model).library == library and head_of(vit) is None
    images = rng.integers(0, 256, (2, *shape)).astype("uint8")
    # Compiled once: op by op it takes JAX several times as long.
    found = keras.Model(model.inputs, model.output).predict(images, verbose=0)
    logits = found["cls_logits" if library == "keras_hub" else "classification"]
    deltas = found["bbox_regression" if library == "keras_hub" else "box"]
    assert logits.shape[-1] == 3
    assert np.median(logits) == pytest.approx(-np.log(99), abs=1.0)
    assert abs(np.median(deltas)) < 1.0


def test_anchors_have_the_size_asked_for(vit):
    pytest.importorskip("keras_hub")
    options = {"library": "keras_hub", "image_shape": (64, 64, 1), "channels": 8}
    small = sk.image_detector(vit, 2, anchor_size=2.0, **options)
    anchors = small.anchor_generator(np.zeros((1, 64, 64, 1), "float32"))
    boxes = keras.ops.convert_to_numpy(anchors["P3"])
    sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    assert sides.min() == pytest.approx(16.0, rel=0.01)  # two strides of 8 pixels
