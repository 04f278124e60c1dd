"""Fine-tuning for detection and segmentation, from files to report and back."""

import dataclasses
import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from dense_checks import filter_warnings
from template_factory import random_template

import sweet_keras as sk
from sweet_keras.cli.app import run
from sweet_keras.data import open_annotated
from sweet_keras.data.compose_scenes import SceneOptions
from sweet_keras.data.write_scenes import write_scenes
from sweet_keras.evaluation.predict import predict
from sweet_keras.report import write_report
from sweet_keras.runs.compare import compare
from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.dense_task import encoder_of
from sweet_keras.runs.detection import Detection
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.evaluate import evaluate
from sweet_keras.runs.examples import load_examples, save_examples
from sweet_keras.runs.finetune import finetune
from sweet_keras.runs.finetune_config import EvaluateConfig, FinetuneConfig
from sweet_keras.runs.info import describe
from sweet_keras.runs.results_table import read_table
from sweet_keras.runs.segmentation import Segmentation
from sweet_keras.runs.shared_model import SharedModel
from sweet_keras.runs.starting_point import load_model

pytest.importorskip("pycocotools")
pytestmark = [pytest.mark.keras, filter_warnings]


def needs(library):
    return pytest.mark.skipif(find_spec(library) is None, reason=f"needs {library}")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A COCO data set of two classes: bright squares and bright bars."""
    folder = tmp_path_factory.mktemp("scenes")
    objects = np.zeros((2, 14, 14), "uint8")
    objects[0, 2:12, 2:12], objects[1, 5:9, 1:13] = 250, 250
    options = SceneOptions(size=(64, 64), counts=(1, 2), scales=(1.5, 2.0))
    for split, count in (("train", 8), ("test", 3)):
        write_scenes(folder, objects, [0, 1], ["square", "bar"], split, count, 0, options)
    return str(folder)


@pytest.fixture
def template(rng, tmp_path):
    path = tmp_path / "t.sweet"
    options = {"head_dim": 8, "ranks": (3, 8, 8), "image_shape": (28, 28, 1), "patch_size": 4}
    random_template(rng, "L1H1", **options).save(path)
    return str(path)


# Each library once: all their models are in tests/cv and tests/hub, and compiling takes minutes.
@pytest.mark.parametrize(
    ("task", "metric", "library"),
    [
        pytest.param("detect", "AP", "keras_cv", marks=needs("keras_cv")),
        pytest.param("segment", "mIoU", "keras_hub", marks=needs("keras_hub")),
    ],
)
def test_finetune_then_evaluate(scenes, template, tmp_path, console, task, metric, library):
    out = tmp_path / "run"
    options = {"image_size": "64", "pyramid_channels": 8, "epochs": 1, "batch_size": 4}
    config = FinetuneConfig(
        model=template, data=scenes, out=str(out), task=task, library=library, **options
    )
    results = finetune(config, console=console)
    trial = results.trials[0]
    assert results.task.metric == metric
    assert results.task.train_labels == 7 and results.task.test_images == 3
    assert results.task.classes[-2:] == ("square", "bar")
    page = write_report(out, png=False).read_text()
    assert f"{metric} {trial.accuracy:.1%} on 3 test images" in page and "Examples" in page
    # The saved network, loaded in its own library, is the one that was measured, wherever it is;
    # it knows its classes by their names.
    path = shutil.move(out / "model.keras", tmp_path / "elsewhere.keras")
    model = load_model(str(path))
    assert type(model).__module__.startswith(library)
    assert sk.class_names_of(model) == results.task.classes
    measured = tmp_path / "measured.json"
    options = {"data": _with_classes_in_another_order(scenes, tmp_path), "json": str(measured)}
    score, classes, name = evaluate(EvaluateConfig(model=str(path), **options), console)
    assert name == metric and classes == results.task.classes
    assert score.overall == pytest.approx(trial.accuracy, abs=1e-6)
    assert score.by_class == pytest.approx(trial.class_accuracy, abs=1e-6)
    assert json.loads(measured.read_text())[metric] == score.overall
    other = _with_classes_in_another_order(scenes, tmp_path, square="circle")
    with pytest.raises(ValueError, match=r"no classes but those .*, bar\. Received: .* circle"):
        evaluate(EvaluateConfig(model=str(path), data=other), console)
    described = describe(str(path))
    facts, health = described.facts, described.health
    assert facts["kind"].startswith("detector of 2" if task == "detect" else "segmenter of 3")
    assert library in facts["kind"] and facts["classes"] == ", ".join(classes)
    assert facts["images"].startswith("64 x 64 pixels, 1 channel") and "L1H1" in facts["size"]
    assert f"{encoder_of(model).count_params():,}" in facts["parameters"] and len(health) == 6
    # The examples are the first, second and third test image.
    examples = load_examples(RunDirectory(out).examples)
    source = open_annotated(scenes, "test", task=task, channels=1)
    found = list(predict(model, source, batch_size=2))
    for row in range(3):
        np.testing.assert_array_equal(examples["images"][row], source[row]["image"])
        if task == "segment":
            np.testing.assert_array_equal(examples["true"][row], source[row]["mask"])
            assert (examples["found"][row] == found[row]).mean() > 0.99
        else:
            true = examples["true"][row]
            true = true[true[:, 4] >= 0]
            np.testing.assert_allclose(true[:, :4], source[row]["boxes"], atol=1e-4)
            np.testing.assert_array_equal(true[:, 4], source[row]["classes"])
            assert (found[row]["boxes"][:, 2:] > found[row]["boxes"][:, :2]).all()


def test_examples_can_be_drawn_after_measuring(scenes, tmp_path):
    """KerasHub's RetinaNet on TensorFlow predicts in batches of one size only."""
    pytest.importorskip("keras_hub")
    vit = sk.ViTBackbone("L1H1", image_shape=(28, 28, 1), patch_size=4, head_dim=8)
    options = {"library": "keras_hub", "channels": 8}
    detector = sk.image_detector(vit, ("square", "bar"), image_shape=(64, 64, 1), **options)
    task = Detection(**options)
    source = task.open(scenes, "test", channels=1)
    assert task.measure(detector, source, (64, 64, 1)).images == 3
    save_examples(detector, source, (64, 64, 1), tmp_path / "examples.npz")
    assert load_examples(tmp_path / "examples.npz")["images"].shape == (3, 64, 64, 1)


def _with_classes_in_another_order(scenes, folder, **names):
    """The same test images, "bar" before "square", and classes under other names."""
    made = folder / f"other{len(names)}"
    shutil.copytree(Path(scenes) / "test", made / "test")
    content = json.loads((Path(scenes) / "annotations" / "instances_test.json").read_text())
    for entry in (*content["categories"], *content["annotations"]):
        key = "category_id" if "category_id" in entry else "id"
        entry[key] = 10 - entry[key]
    for entry in content["categories"]:
        entry["name"] = names.get(entry["name"], entry["name"])
    (made / "annotations").mkdir()
    (made / "annotations" / "instances_test.json").write_text(json.dumps(content))
    return str(made)


def test_broken_annotations_are_left_out_if_wished(scenes, tmp_path, capsys):
    """On the command line: one line that names file and record, and --on-error skip."""
    pytest.importorskip("keras_hub")
    data = _with_classes_in_another_order(scenes, tmp_path)
    vit = sk.ViTBackbone("L1H1", image_shape=(28, 28, 1), patch_size=4, head_dim=8)
    names = ("background", "square", "bar")
    options = {"image_shape": (64, 64, 1), "channels": 8, "library": "keras_hub"}
    path = str(tmp_path / "segmenter.keras")
    sk.image_segmenter(vit, names, **options).save(path)
    picture = next(iter(sorted((Path(data) / "test").iterdir())))
    picture.write_bytes(picture.read_bytes()[:200])
    line = ["evaluate", path, "--data", data]
    assert run(line) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("Error: ") and f"{picture.name}: unreadable image. Received" in error
    with pytest.warns(UserWarning, match="Left out 1 broken"):
        assert run([*line, "--on-error", "skip", "--json", str(tmp_path / "score.json")]) == 0
    assert json.loads((tmp_path / "score.json").read_text())["images"] == 2
    (Path(data) / "annotations" / "instances_test.json").write_text("{")
    assert run([*line, "--on-error", "skip"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("Error: ") and "instances_test.json: unreadable JSON. Re" in error


@pytest.mark.parametrize(
    "library", [pytest.param(name, marks=needs(name)) for name in ("keras_cv", "keras_hub")]
)
def test_every_start_gets_the_same_head(rng, library):
    """Drawn by the seed alone; the network's own weights are those given."""
    vit = sk.ViTBackbone("L1H1", image_shape=(28, 28, 1), patch_size=4, head_dim=8)
    task = Detection(library=library, channels=8)

    def shared():
        keras.initializers.RandomNormal()(())  # what was drawn before must not matter
        return SharedModel(task, vit, ("a", "b"), (64, 64, 1), keras.optimizers.Adam())

    def started(model, seed):
        encoder = encoder_of(model.model)
        weights = [rng.normal(size=array.shape) for array in encoder.get_weights()]
        model.start(weights, seed)
        for array, given in zip(encoder.get_weights(), weights, strict=True):
            np.testing.assert_allclose(array, given, rtol=1e-6)
        own = {id(variable) for variable in encoder.weights}
        return [
            keras.ops.convert_to_numpy(variable).copy()
            for variable in model.model.weights
            if id(variable) not in own
        ]

    one, two = shared(), shared()
    first, other, elsewhere, again = (
        started(model, seed) for model, seed in ((one, 1), (one, 2), (two, 1), (one, 1))
    )
    for a, b, c in zip(first, again, elsewhere, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    for a, b in zip(first, other, strict=True):
        np.testing.assert_array_equal(np.sort(a, axis=None), np.sort(b, axis=None))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_compare(scenes, data_of_objects, tmp_path, console):
    pytest.importorskip("keras_hub")
    config = CompareConfig(
        data=data_of_objects,
        annotated=scenes,
        annotated_size="64",
        task="segment",
        library="keras_hub",
        pyramid_channels=8,
        out=str(tmp_path / "out"),
        methods=("xavier", "sweet_slice"),
        sizes=("L1H1",),
        seeds=2,
        source_size="L1H2",
        head_dim=8,
        patch_size=4,
        decoder="L1H1",
        pretrain_epochs=1,
        pretrain_batch_size=8,
        labels=4,
        finetune_steps=2,
        finetune_batch_size=2,
        curve_points=1,
        learning_rates=(1e-3,),
        validation=0.3,
    )
    results = compare(config, console=console)
    assert results.task.metric == "mIoU" and results.task.classes == ("background", "square", "bar")
    assert len(results.trials) == 4 and all(trial.more for trial in results.trials)
    rows = read_table(RunDirectory(config.out).table)
    assert {row.labels for row in rows} == {4}
    assert "Mean IoU" in write_report(config.out, png=False).read_text()
    # Wherever the scenes lie, nothing is trained again.
    moved = shutil.copytree(scenes, tmp_path / "elsewhere" / Path(scenes).name)
    again = compare(dataclasses.replace(config, annotated=str(moved)), resume=True, console=console)
    assert again.trials == results.trials


@pytest.fixture
def data_of_objects(tmp_path, rng):
    """Small images without classes that matter, to pre-train on."""
    path = tmp_path / "objects.npz"
    images = rng.integers(0, 255, (16, 28, 28, 1)).astype("uint8")
    np.savez(
        path, x_train=images, y_train=np.arange(16) % 2, x_test=images, y_test=np.arange(16) % 2
    )
    return str(path)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"task": "classify", "head": "retinanet"}, "--head must be left out to classify"),
        ({"task": "detect", "anchor_size": 0.0}, "--anchor-size must be positive"),
        ({"task": "detect", "dropout": 0.1}, "--dropout must be 0 to detect"),
    ],
)
def test_options_that_do_not_fit(options, expected):
    with pytest.raises(ValueError, match=expected):
        FinetuneConfig(model="t.sweet", data="x", out="y", **options)


def test_data_that_teach_nothing_are_refused(tmp_path):
    """Before anything is trained: images without objects, masks of a single class."""
    from PIL import Image

    folder = tmp_path / "coco"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        Image.new("L", (32, 32)).save(folder / split / "1.png")
        (folder / "annotations").mkdir(exist_ok=True)
        content = {
            "images": [{"id": 1, "file_name": "1.png", "width": 32, "height": 32}],
            "categories": [{"id": 1, "name": "thing"}],
            "annotations": [],
        }
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    pytest.importorskip("keras_hub")
    with pytest.raises(ValueError, match="There must be objects in the images"):
        Detection().open(str(folder), "train", 1)
    for kind in ("images", "masks"):
        (tmp_path / "binary" / "train" / kind).mkdir(parents=True)
        pixels = np.zeros((32, 32), "uint8")
        pixels[8:20, 8:20] = 255
        Image.fromarray(pixels).save(tmp_path / "binary" / "train" / kind / "1.png")
    task = Segmentation()
    source = task.open(str(tmp_path / "binary"), "train", 1)
    with pytest.raises(
        ValueError, match=r"at least two classes .* Write 1 for objects that are 255"
    ):
        task.classes(source)
