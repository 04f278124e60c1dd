import dataclasses
import functools

import keras
import numpy as np
import pytest
from keras_checks import randomize
from safetensors.numpy import load_file

import sweet_keras as sk
from sweet_keras.core.template import SweetTemplate
from sweet_keras.data import open_source
from sweet_keras.evaluation.frechet_distance import frechet_distance
from sweet_keras.runs import training
from sweet_keras.runs.checkpoints import Checkpoints
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.finetune import finetune
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.generator_start import GeneratorStart
from sweet_keras.runs.info import describe
from sweet_keras.runs.pretrain import pretrain
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.read_log import read_log
from sweet_keras.runs.results import Results
from sweet_keras.runs.samples import load_samples
from sweet_keras.runs.training import session

pytestmark = pytest.mark.keras

FORM = {"image_shape": (8, 8, 1), "patch_size": 4, "head_dim": 4}


class Killed(BaseException):
    """Not caught by anything, as a killed process catches nothing."""


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]


def assert_same(model, other):
    for one, two in zip(weights(model), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)


def generator_in(path, backbone, rng, classes=2, **options):
    """A generator with random weights, and the file it is saved in."""
    generator = sk.ImageGenerator(backbone, classes, **options)
    generator.build()
    randomize(generator, rng)
    generator.save(path)
    return generator


def options_for(path, data, **options):
    return FinetuneConfig(model=str(path), data=data, out="x", task="generate", **options)


@pytest.fixture
def classifier(rng, tmp_path):
    """An untrained one, whose features are as good as any."""
    model = sk.ImageClassifier(sk.ViTBackbone("L1H1", **FORM), 2, class_names=("0", "1"))
    randomize(model, rng)
    model.save(tmp_path / "classifier.keras")
    return model


def test_a_template_learns_to_generate(data, tmp_path, console, tiny, monkeypatch):
    few = functools.partialmethod(sk.ImageGenerator.generate, steps=2)
    monkeypatch.setattr(sk.ImageGenerator, "generate", few)
    options = {**tiny, "head_dim": 4, "epochs": 1, "subnetwork_rate": 0.0, "task": "generate"}
    del options["mask_ratio"], options["decoder"]
    config = PretrainConfig(data=data, out=str(tmp_path / "run"), **options, label_dropout=0.3)
    results = pretrain(config, console=console)
    run = RunDirectory(config.out)
    assert Results.load(run.results) == results
    assert results.pretraining.objective == "flow" and results.pretraining.steps == 5
    assert results.task.classes == ("0", "1") and results.task.train_labels == 40
    template = SweetTemplate.load(run.template)
    generator = keras.saving.load_model(run.model)
    assert generator.label_dropout == 0.3 and template.record["options"]["task"] == "generate"
    for name, array in generator.template().arrays.items():
        np.testing.assert_array_equal(template.arrays[name], array, err_msg=name)
    images, labels = load_samples(run.samples)
    assert labels.tolist() == [0] * 8 + [1] * 8 and images.shape == (16, 8, 8, 1)
    facts = describe(str(run.model)).facts
    assert facts["kind"] == "generator of 2 classes (flow)" and "L2H2" in facts["size"]


@pytest.mark.once
def test_generating_takes_labels(tmp_path, console, tiny):
    np.savez(tmp_path / "d.npz", x_train=np.zeros((9, 8, 8, 1), "uint8"))
    options = {**tiny, "mask_ratio": 0.75, "decoder": None, "task": "generate"}
    config = PretrainConfig(data=str(tmp_path / "d.npz"), out=str(tmp_path / "run"), **options)
    with pytest.raises(ValueError, match=r"--data must have labels\. Received: .* without labels"):
        pretrain(config, console=console)
    assert not (tmp_path / "run").exists()


@pytest.mark.once
def test_starting_points(rng, data, tmp_path):
    """Every way to start, against the library's own functions."""
    source = open_source(data)
    carrying = generator_in(tmp_path / "g.keras", sk.SweetTemplateViT("L2H2", **FORM), rng)

    def started(path, **options):
        with session("float32", 5):
            start = GeneratorStart(options_for(path, data, seed=5, **options))
            return start.method, start.generator(source, source, 2)[0]

    method, sliced = started(tmp_path / "g.keras", size="L1H1", label_dropout=0.25)
    assert method == "sweet_slice" and sliced.label_dropout == 0.25 and sliced.seed == 5
    assert_same(sliced, sk.materialize_generator(carrying, "L1H1"))
    method, random = started(tmp_path / "g.keras", size="L1H1", start="random")
    assert method == "xavier" and random.backbone.size == sliced.backbone.size
    assert not np.any(random.pixels.kernel)  # as new
    method, adapted = started(tmp_path / "g.keras", size="L1H2", start="adapt", batch_size=20)
    assert method == "sweet_adapt" and adapted.backbone.size == sk.ViTSize(1, 2, 4)
    cut = sk.materialize_generator(carrying, "L1H2")
    differences = [np.abs(a - b).max() for a, b in zip(weights(adapted), weights(cut), strict=True)]
    assert 1e-4 < max(differences) < 0.5  # two steps away
    sliced.save(tmp_path / "plain.keras")
    method, again = started(tmp_path / "plain.keras")
    assert method == "file" and again.label_dropout == 0.25
    assert_same(again, sliced)
    sliced.backbone.save(tmp_path / "vit.keras")
    method, around = started(tmp_path / "vit.keras", objective="ddpm")
    assert method == "file" and around.objective == "ddpm"
    assert_same(around.backbone, sliced.backbone)
    carrying.template().save(tmp_path / "t.sweet")
    method, cut = started(tmp_path / "t.sweet", size="L1H1")
    assert method == "sweet_slice"
    assert_same(cut.backbone, sk.materialize(carrying.template(), "L1H1"))


@pytest.mark.once
def test_options_that_do_not_fit_a_generator(rng, data, tmp_path, console, classifier):
    generator_in(tmp_path / "g.keras", sk.ViTBackbone("L1H1", **FORM), rng)
    generator_in(tmp_path / "three.keras", sk.ViTBackbone("L1H1", **FORM), rng, classes=3)
    wide = {**FORM, "image_shape": (8, 12, 1)}
    sk.ImageClassifier(sk.ViTBackbone("L1H1", **wide), 2).save(tmp_path / "wide.keras")
    names = ("a", "b", "c")
    sk.ImageClassifier(sk.ViTBackbone("L1H1", **FORM), 3, class_names=names).save(
        tmp_path / "names.keras"
    )
    wrong = {
        "--size must be left out with a generator that carries no template": {"size": "L1H1"},
        "--from must be auto or random with a generator": {"start": "adapt"},
        "--image-size must be left out with a generator": {"image_size": "8"},
        "--objective must be flow, as in": {"objective": "ddpm"},
        "--sampler must be one of heun, euler for the objective flow": {"sampler": "ddim"},
        "--data must have the 3 classes of the generator": {"model": f"{tmp_path}/three.keras"},
        "--classifier must be a network of 'sweet finetune'": {"classifier": f"{tmp_path}/g.keras"},
        r"Received: one for images \(8, 12, 1\)": {"classifier": f"{tmp_path}/wide.keras"},
        "Received: one for a, b, c": {"classifier": f"{tmp_path}/names.keras"},
    }
    config = options_for(tmp_path / "g.keras", data, epochs=1)
    for message, options in wrong.items():
        changed = dataclasses.replace(config, out=str(tmp_path / "run"), **options)
        with pytest.raises(ValueError, match=message):
            finetune(changed, console=console)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def config(rng, data, tmp_path, classifier):
    """Options of a generator that is measured."""
    generator_in(tmp_path / "g.keras", sk.SweetTemplateViT("L1H2", **FORM), rng)
    options = {
        "size": "L1H1", "epochs": 2, "batch_size": 8, "ema": 0.7, "measure_every": 1,
        "samples": 16, "sampler": "euler", "sample_steps": 2, "seed": 4,
        "classifier": str(tmp_path / "classifier.keras"),
    }  # fmt: skip
    config = options_for(tmp_path / "g.keras", data, **options)
    return dataclasses.replace(config, out=str(tmp_path / "whole"))


@pytest.mark.once
def test_what_is_measured(data, console, classifier, config):
    """The same, measured anew with the model in the file."""
    made = finetune(config, console=console).generation
    run = RunDirectory(config.out)
    labels = np.arange(16) % 2
    model = keras.saving.load_model(run.model)
    images = model.generate(labels, steps=2, sampler="euler", guidance=2.0, seed=4)
    test = np.load(data)
    features = keras.Model(classifier.input, classifier.get_layer("logits").input)
    real, fake = (features.predict(x, verbose=0) for x in (test["x_test"], images))
    assert made.frechet == pytest.approx(frechet_distance(real, fake), rel=1e-4, abs=1e-6)
    guessed = classifier.predict(images, verbose=0).argmax(axis=-1)
    assert made.label_agreement == pytest.approx((guessed == labels).mean())
    right = classifier.predict(test["x_test"], verbose=0).argmax(axis=-1) == test["y_test"]
    assert made.accuracy == pytest.approx(right.mean())
    assert load_samples(run.samples)[0].shape == (16, 8, 8, 1)


def test_killed_and_resumed_runs_end_as_a_whole_one(tmp_path, console, monkeypatch, config):
    results = finetune(config, console=console)
    run = RunDirectory(config.out)
    assert Results.load(run.results) == results
    made, model = results.generation, keras.saving.load_model(run.model)
    assert made.curve_steps == (5, 10) and made.curve_frechet[-1] == made.frechet
    # The average of the weights is kept, and the checkpoint has the weights as well.
    state = load_file(Checkpoints(run.checkpoints).files()[0])
    for variable in weights(model):
        kept = [k for k, a in state.items() if a.shape == variable.shape and (a == variable).all()]
        assert any(name.startswith("optimizer/") for name in kept)
        assert not any(name.startswith("model/") for name in kept)
    # A run that dies at the end of its last epoch, before that is saved.
    killed = dataclasses.replace(config, out=str(tmp_path / "killed"))
    end_of_epoch = training.CSVLog.on_epoch_end

    def dies(log, epoch, logs=None):
        if epoch == 1:
            raise Killed
        end_of_epoch(log, epoch, logs)

    monkeypatch.setattr(training.CSVLog, "on_epoch_end", dies)
    with pytest.raises(Killed):
        finetune(killed, console=console)
    monkeypatch.undo()
    resumed = finetune(killed, console=console, resume=True)
    # One that was killed between its training and its results has nothing left to train.
    run.results.unlink()
    again = finetune(config, console=console, resume=True)
    for other, found in ((killed, resumed), (config, again)):
        there = RunDirectory(other.out)
        assert_same(keras.saving.load_model(there.model), model)
        assert found.generation.curve_frechet == made.curve_frechet
        assert len(read_log(there.log)) == 2
