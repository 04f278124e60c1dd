"""Which options go with which task."""

import pytest

from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.finetune_config import FinetuneConfig
from sweet_keras.runs.pretrain_config import PretrainConfig

FINETUNE = {"model": "t.sweet", "data": "fashion-mnist", "out": "x"}
PRETRAIN = {"data": "fashion-mnist", "out": "x"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("objective", "ddpm"),
        ("label_dropout", 0.2),
        ("ema", 0.9),
        ("classifier", "c.keras"),
        ("samples", 10),
        ("sampler", "ddim"),
        ("sample_steps", 5),
        ("guidance", 1.0),
        ("measure_every", 2),
    ],
)
def test_options_of_generators_are_refused_elsewhere(name, value):
    for task in ("classify", "segment"):
        flag = "--" + name.replace("_", "-")
        with pytest.raises(ValueError, match=f"{flag} must be left out to {task}"):
            FinetuneConfig(**FINETUNE, task=task, **{name: value})
    needs = {"classifier": "c.keras"} | {name: value}
    assert getattr(FinetuneConfig(**FINETUNE, task="generate", **needs), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("val_fraction", 0.2), ("augment", False), ("dropout", 0.1), ("head", "yolov8")],
)
def test_options_of_other_tasks_are_refused(name, value):
    with pytest.raises(ValueError, match="must be left out to generate"):
        FinetuneConfig(**FINETUNE, task="generate", **{name: value})


def test_pretraining_has_two_tasks():
    for name, value in (("decoder", "L1H1"), ("mask_ratio", 0.5)):
        with pytest.raises(ValueError, match="must be left out to generate"):
            PretrainConfig(**PRETRAIN, task="generate", **{name: value})
    with pytest.raises(ValueError, match="--objective must be left out to reconstruct"):
        PretrainConfig(**PRETRAIN, objective="flow")
    assert PretrainConfig(**PRETRAIN, task="generate").learning() == {}


def test_generators_are_not_compared():
    with pytest.raises(ValueError, match="--task must be"):
        CompareConfig(data="fashion-mnist", out="x", task="generate")


def test_ranges():
    wrong = {
        "--ema must be in": {"ema": 1.0},
        "--label-dropout must be in": {"label_dropout": 1.0},
        "--samples must be at least 4": {"samples": 3},
        "--sample-steps must be a positive integer": {"sample_steps": 0},
        "--measure-every must be a positive integer": {"measure_every": 0, "classifier": "c.keras"},
        "--measure-every must be left out without --classifier": {"measure_every": 2},
    }
    for message, options in wrong.items():
        with pytest.raises(ValueError, match=message):
            FinetuneConfig(**FINETUNE, task="generate", **options)


def test_defaults_of_the_tasks():
    generate = FinetuneConfig(**FINETUNE, task="generate")
    assert generate.learning_rate == 4e-3
    assert FinetuneConfig(**FINETUNE).learning_rate == 1e-3
    assert FinetuneConfig(**FINETUNE, task="generate", learning_rate=0.1).learning_rate == 0.1
    assert [generate.momentum(steps) for steps in (10, 200, 10**6)] == [0.0, 0.9, 0.999]
    assert FinetuneConfig(**FINETUNE, task="generate", ema=0.5).momentum(10) == 0.5
