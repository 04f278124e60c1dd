import base64
import dataclasses
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from sweet_keras.report import write_report
from sweet_keras.report.palette import COLOURS
from sweet_keras.runs.directory import RunDirectory
from sweet_keras.runs.measurements import Task

HOSTILE = "<script>alert('x')</script> \"quoted\" & $\\frac{ünbalanced$"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects text, elements and addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.addresses, self.text = [], [], [], ""
        self.headings = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)
        if "style" not in self.open:
            self.text += data


def test_whole_report(run, invent):
    invent().save(run.results)
    assert write_report(run.path) == run.report
    text = run.report.read_text()
    page = Page(text)
    assert page.headings == [
        "Accuracy",
        "Learning curves",
        "Reconstructions",
        "Loss of the pre-training",
        "Cost",
        "Spectrum of the kernels, L2H2",
        "How it was made",
    ]
    assert page.elements.count("svg") == 6
    # Nothing comes from anywhere else.
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert not re.search(r"url\((?!#)", text) and "@import" not in text
    # Command, options and versions are there.
    assert "finetune_steps" in page.text and "numpy" in page.text
    assert HOSTILE in page.text.replace("'\"'\"'", "'")
    assert {path.name for path in run.figures.iterdir()} == {
        f"{name}.png"
        for name in ("accuracy", "learning", "reconstructions", "loss", "cost", "spectrum")
    }


def test_texts_of_users_are_escaped(run, invent):
    results = invent()
    task = Task(data=HOSTILE, classes=(HOSTILE, "b"), train_labels=3, test_images=2)
    trial = dataclasses.replace(results.trials[0], method=HOSTILE, size=HOSTILE)
    for trials in ((trial,), (trial, results.trials[0])):
        changed = dataclasses.replace(results, task=task, trials=trials, notes=(HOSTILE,))
        changed.save(run.results)
        text = write_report(run.path, png=False).read_text()
        assert "<script" not in text
        page = Page(text)
        assert page.elements.count("svg") >= 5
        assert page.text.count("alert('x')") >= 4


def test_figures_follow_light_and_dark(run, invent):
    invent().save(run.results)
    text = write_report(run.path, png=False).read_text()
    style, body = re.search(r"<style>(.*?)</style></head>(.*)", text, re.DOTALL).groups()
    assert "prefers-color-scheme:dark" in style
    drawn = re.sub(r"base64,[^\"]*", "", body)
    for colour in COLOURS:
        assert f"--{colour.name}:{colour.light}" in style
        assert f"--{colour.name}:{colour.dark}" in style
        assert colour.light not in drawn
    assert re.findall(r"#[0-9a-f]{6}\b", drawn) == []  # no colour that would not follow
    assert "var(--adapt)" in drawn


def test_ids_of_the_figures_differ(run, invent):
    invent().save(run.results)
    text = write_report(run.path, png=False).read_text()
    figures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    clips = [set(re.findall(r'<clipPath id="([^"]+)"', figure)) for figure in figures]
    assert sum(map(len, clips)) == len(set().union(*clips)) > 0


def test_images_are_those_of_the_run(run, invent):
    invent(sizes=("L1H1",)).save(run.results)
    text = write_report(run.path, png=False).read_text()
    encoded = re.findall(r'href="data:image/png;base64,([^"]+)"', text)
    images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(e))).convert("L")) for e in encoded]
    with np.load(run.reconstruction) as file:
        expected = [image[..., 0] for name in file for image in file[name]]
    assert len(images) == len(expected)
    for image, wanted in zip(images, expected, strict=True):
        # No pixel is interpolated; the colour map rounds.
        assert np.abs(image.astype(int) - wanted).max() <= 1


def test_report_is_made_of_files_again_and_again(run, invent):
    invent().save(run.results)
    first = write_report(run.path, png=False).read_text()
    assert write_report(run.path, png=False).read_text() == first


def test_unfinished_run(run):
    page = Page(write_report(run.path, png=False).read_text())
    assert "This run is not finished" in page.text
    assert page.headings == ["Reconstructions", "Loss of the pre-training", "How it was made"]


def test_pretraining(run, invent):
    results = invent()
    spectra = tuple(dataclasses.replace(part, method="template") for part in results.spectra[:6])
    dataclasses.replace(results, command="pretrain", trials=(), spectra=spectra).save(run.results)
    page = Page(write_report(run.path, png=False).read_text())
    assert "A template of 900 numbers, 45% of the plain L2H2" in page.text
    assert "Accuracy" not in page.headings


def test_one_fine_tuning(run, invent):
    results = invent()
    run.reconstruction.unlink()
    changed = dataclasses.replace(
        results, command="finetune", pretraining=None, trials=results.trials[1:2]
    )
    changed.save(run.results)
    page = Page(write_report(run.path, png=False).read_text())
    assert page.headings[:4] == [
        "Learning curves",
        "Accuracy of each class",
        "Loss of the fine-tuning",
        "Spectrum of the kernels, L2H2",
    ]
    assert "gets 52.5% of 40 test images right after learning from 16 labels" in page.text


def test_no_run(tmp_path):
    with pytest.raises(ValueError, match="Expected the directory of a run"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_broken_files(run, invent):
    run.results.write_text("{}")
    with pytest.raises(ValueError, match=r"results\.json"):
        write_report(run.path, png=False)
    invent().save(run.results)
    np.savez(run.reconstruction, original=np.zeros((2, 2)), masked=1, reconstructed=2)
    with pytest.raises(ValueError, match="three uint8 arrays"):
        write_report(RunDirectory(run.path).path)


def test_a_report_needs_no_keras():
    code = "import sys, sweet_keras.report\nsys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
