import keras
import numpy as np
import pytest
from template_factory import random_template

import sweet_keras as sk
from sweet_keras.initialization.materialize import vit_like
from sweet_keras.runs.classification import Classification
from sweet_keras.runs.evaluate import evaluate
from sweet_keras.runs.finetune import split_labels
from sweet_keras.runs.finetune_config import EvaluateConfig, FinetuneConfig
from sweet_keras.runs.info import describe
from sweet_keras.runs.init import make_networks
from sweet_keras.runs.init_config import InitConfig
from sweet_keras.runs.starting_point import StartingPoint, load_network
from sweet_keras.runs.training import session

pytestmark = pytest.mark.keras


@pytest.fixture
def template(rng, tmp_path):
    template = random_template(
        rng,
        "L2H2",
        head_dim=4,
        ranks=(3, 4, 4),
        image_shape=(8, 8, 1),
        patch_size=4,
        decoder=sk.ViTSize(1, 1, 4),
    )
    template.save(tmp_path / "t.sweet")
    return template


def test_starting_points(template, data, tmp_path):
    """Every way to start, against the library's own functions."""
    path = str(tmp_path / "t.sweet")
    options = {"model": path, "size": "L1H1", "data": data, "out": "x"}

    def kernel(vit):
        return vit.arrays()["qkv/kernel"]

    sliced, _ = StartingPoint(FinetuneConfig(**options)).network(None)
    np.testing.assert_array_equal(kernel(sliced), kernel(sk.materialize(template, "L1H1")))
    with session("float32", seed=5):
        random, _ = StartingPoint(FinetuneConfig(**options, start="random")).network(None)
    with session("float32", seed=5):
        expected = vit_like(template, "L1H1")
    np.testing.assert_array_equal(kernel(random), kernel(expected))
    assert np.abs(kernel(random) - kernel(sliced)).max() > 0.01
    sliced.save(tmp_path / "vit.keras")
    options = {"model": str(tmp_path / "vit.keras"), "data": data, "out": "x"}
    start = StartingPoint(FinetuneConfig(**options))
    loaded, _ = start.network(None)
    assert start.method == "file"
    np.testing.assert_array_equal(kernel(loaded), kernel(sliced))
    twin, _ = StartingPoint(FinetuneConfig(**options, start="random")).network(None)
    assert np.abs(kernel(twin) - kernel(sliced)).max() > 0.01
    with pytest.raises(ValueError, match=r"--size must be left out with a \.keras file"):
        StartingPoint(FinetuneConfig(**options, size="L1H1"))
    with pytest.raises(ValueError, match="--from must be auto or random"):
        StartingPoint(FinetuneConfig(**options, start="slice"))


def test_labels_are_split_without_overlap(data):
    from sweet_keras.data import open_source

    source = open_source(data)
    options = {"model": "x", "data": data, "out": "x"}
    learned, held = split_labels(
        source, FinetuneConfig(**options, labels=20, val_fraction=0.2), Classification()
    )
    assert (len(learned), len(held)) == (16, 4)
    assert np.bincount(learned.labels).tolist() == [8, 8]
    everything, nothing = split_labels(
        source, FinetuneConfig(**options, val_fraction=0), Classification()
    )
    assert everything is source and nothing is None


def test_init_writes_networks(template, data, tmp_path, console):
    options = {"template": str(tmp_path / "t.sweet"), "size": ("L1H1", "L3H2")}
    config = InitConfig(**options, out=str(tmp_path / "vits"))
    small, large = make_networks(config, console)
    assert small.path == tmp_path / "vits" / "L1H1.keras" and small.method == "cut"
    vit = keras.saving.load_model(large.path)
    expected = sk.materialize(template, "L3H2").arrays()
    for name, array in vit.arrays().items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    assert large.parameters == vit.count_params()
    with pytest.raises(ValueError, match=r"--overwrite to replace files\. Received: .*L1H1"):
        list(make_networks(config, console))


def test_adapt_epochs_go_with_adapt():
    with pytest.raises(ValueError, match="--adapt-epochs must be left out without --adapt"):
        InitConfig(template="t.sweet", size="L1H2", out="vit.keras", adapt_epochs=3.0)


def test_init_adapts(template, data, tmp_path, console):
    config = InitConfig(
        template=str(tmp_path / "t.sweet"),
        size="L1H2",
        out=str(tmp_path / "vit.keras"),
        adapt=data,
        adapt_epochs=0.5,
        batch_size=10,
    )
    (made,) = make_networks(config, console)
    assert made.method == "adapted"
    vit = keras.saving.load_model(made.path)
    cut = sk.materialize(template, "L1H2")
    assert np.abs(vit.arrays()["qkv/kernel"] - cut.arrays()["qkv/kernel"]).max() > 1e-4


@pytest.mark.parametrize("content", [None, b"", b"PK nonsense"])
def test_files_that_are_no_networks(tmp_path, content):
    if content is not None:
        (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected .*\.keras file.*Received"):
        load_network(str(tmp_path / "m.keras"))


def test_networks_of_others(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="a Sequential"):
        load_network(str(tmp_path / "m.keras"))


def test_backbones_cannot_be_evaluated(template, data, tmp_path):
    sk.materialize(template).save(tmp_path / "vit.keras")
    with pytest.raises(ValueError, match="MODEL must be a classifier"):
        evaluate(EvaluateConfig(model=str(tmp_path / "vit.keras"), data=data))


def test_info_on_a_template(rng, tmp_path):
    template = random_template(
        rng, "L2H3", head_dim=4, record={"data": "photos", "options": {"a": 1}}
    )
    template.save(tmp_path / "t.sweet")
    facts, record, health, decomposition = describe(str(tmp_path / "t.sweet"))
    assert decomposition == {}
    vit = sk.materialize(template)
    fixed = template.arrays["positions"].size if template.positions == "sincos" else 0
    dense = f"{sum(int(np.prod(v.shape)) for v in vit.trainable_variables) + fixed:,}"
    assert dense in facts["parameters"] and f"{template.parameters:,}" in facts["parameters"]
    assert record == {"data": "photos", "a": 1}
    largest = np.linalg.svd(vit.arrays()["output/kernel"], compute_uv=False).max()
    assert health[3].largest == pytest.approx(largest, rel=1e-4)
