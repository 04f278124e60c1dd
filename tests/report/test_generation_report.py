"""What a report says and shows of a generator."""

import dataclasses
import re

import numpy as np
import pytest

from sweet_keras.report import write_report
from sweet_keras.report.generation import generation_headline
from sweet_keras.report.headline import headline
from sweet_keras.report.sample_grid import sample_grid
from sweet_keras.runs.measurements import Generation, Task
from sweet_keras.runs.results import Results

MADE = Generation(
    method="sweet_adapt",
    size="L3H6",
    seed=0,
    objective="ddpm",
    steps=400,
    learning_rate=4e-3,
    seconds=60.0,
    initialization_seconds=2.0,
    parameters=1000,
    sampler="ddim",
    sample_steps=25,
    guidance=1.0,
    classifier="c.keras",
    accuracy=0.875,
    images=500,
    frechet=12.345,
    precision=0.25,
    recall=0.125,
    label_agreement=0.8125,
    curve_steps=(200, 400),
    curve_frechet=(30.0, 12.345),
)
RESULTS = Results(
    command="finetune",
    finished="2026-01-01T00:00:00+00:00",
    task=Task(data="photos", classes=("cat", "<dog>"), train_labels=3000, test_images=2000),
    generation=MADE,
)
UNMEASURED = dataclasses.replace(
    MADE,
    classifier=None,
    accuracy=None,
    images=0,
    frechet=None,
    precision=None,
    recall=None,
    label_agreement=None,
    curve_steps=(),
    curve_frechet=(),
)


@pytest.fixture
def generated(run, rng):
    """A run directory with images that were generated."""
    run.reconstruction.unlink()
    images = rng.integers(0, 256, (6, 8, 10, 3)).astype("uint8")
    np.savez(run.samples, images=images, labels=np.array([0, 0, 0, 1, 1, 1]))
    return run


def test_the_report_says_whose_features_the_distance_is_in(generated):
    RESULTS.save(generated.results)
    assert Results.load(generated.results) == RESULTS
    text = write_report(generated.path).read_text()
    assert re.findall("<h2>(.*?)</h2>", text)[:3] == [
        "Generated images",
        "Fréchet distance by step",
        "Loss of the fine-tuning",
    ]
    assert "Mean squared error of the predicted noise" in text
    assert "c.keras, which gets 87.5% of the test images right" in text
    assert "&lt;dog&gt;" in text and "<dog>" not in text and "FID" not in text
    assert {path.name for path in generated.figures.iterdir()} == {
        "samples.png",
        "frechet.png",
        "loss.png",
    }


def test_the_headline_has_the_numbers():
    first, more = headline(RESULTS)
    assert "12.3" in first and "81.2% recognised" in first and first.startswith("L3H6")
    text = " ".join(more)
    assert "SWEET adapt" in text and "400 steps on 3,000 images" in text
    assert "25 steps of ddim" in text and "without guidance" in text
    assert "Precision 0.250, recall 0.125, of 500 images beside 2,000" in text


def test_without_a_classifier_nothing_is_claimed(generated):
    results = dataclasses.replace(RESULTS, generation=UNMEASURED)
    results.save(generated.results)
    first, more = generation_headline(results)
    assert first == "L3H6 learned to generate images of 2 classes"
    assert "Nothing was measured" in more[1]
    text = write_report(generated.path, png=False).read_text()
    assert "Generated images" in text and "Fréchet" not in text


def test_a_template_that_learned_to_generate(generated, invent):
    results = invent(trials=())
    made = dataclasses.replace(results.pretraining, objective="flow")
    dataclasses.replace(results, pretraining=made).save(generated.results)
    text = write_report(generated.path, png=False).read_text()
    assert "with labels, to generate" in text and "Generated images" in text
    assert "mean squared error of the predicted velocity, is 0.600" in text
    assert "Loss of the pre-training" in text and "hidden patches" not in text


def test_an_unfinished_run_is_described_by_its_options(generated):
    generated.config.write_text("task: generate\nobjective: ddpm\n")
    text = write_report(generated.path, png=False).read_text()
    assert "Loss of the training" in text and "predicted noise" in text


@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_has_its_place(rng, channels):
    """The picture is read back from the figure."""
    labels = np.array([4, 0, 4, 0, 0])
    images = rng.integers(0, 256, (5, 6, 9, channels)).astype("uint8")
    (axes,) = sample_grid(images, labels, ("shoe",)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["shoe", "4"]
    picture = np.asarray(axes.images[0].get_array())
    for row, rows in enumerate([[1, 3, 4], [0, 2]]):
        for column, index in enumerate(rows):
            cut = picture[7 * row : 7 * row + 6, 10 * column : 10 * column + 9]
            np.testing.assert_array_equal(cut[..., :3], np.broadcast_to(images[index], (6, 9, 3)))
            assert (cut[..., 3] == 255).all()
    assert (picture[..., 3] == 255).sum() == 5 * 6 * 9  # the rest is transparent


@pytest.mark.parametrize(
    "change", [{"precision": 1.5}, {"frechet": -1.0}, {"curve_steps": (1, 2, 3)}]
)
def test_numbers_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="Received"):
        dataclasses.replace(MADE, **change).check()
