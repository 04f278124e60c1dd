import json
import types

import numpy as np
import pytest
import safetensors.numpy
from formats.foreign import images, outputs
from formats.networks import classifier, network, same_weights
from template_factory import random_template

import sweet_keras as sk
from sweet_keras.formats import published


def test_a_template(rng, tmp_path):
    record = {"steps": 300, "options": {"size": "L2H3"}, "losses": list(range(1000))}
    template = random_template(rng, record=record)
    folder = sk.publish(template, tmp_path / "birds", data="Birds | of Sweden", license="mit")
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "template.sweet"]
    pulled = sk.pull(folder)
    for name, array in template.arrays.items():
        np.testing.assert_array_equal(pulled.arrays[name], array)
    card = (folder / "README.md").read_text()
    for text in ("# birds", "Birds | of Sweden", "ranks | 5 x 6 x 7", "options.size | L2H3"):
        assert text in card
    assert "steps | 300" in card and "losses" not in card and 'license: "mit"' in card
    assert "Nothing was measured." in card


def test_a_network(rng, tmp_path):
    vit = network(rng, register_tokens=2, layer_scale=0.5, norm_epsilon=1e-3, mlp_ratio=2)
    pulled = sk.pull(sk.publish(vit, tmp_path / "vit"))
    same_weights(vit, pulled)
    assert pulled.get_config() == {**vit.get_config(), "name": pulled.name}


def test_a_classifier(rng, tmp_path):
    model = classifier(rng, "token", image_shape=(8, 16, 3))
    results = {"accuracy on birds": "93.1 %"}
    folder = sk.publish(model, tmp_path / "model", results=results, name="Birds")
    pulled = sk.pull(folder)
    pixels = images(rng, (8, 16, 3))
    np.testing.assert_array_equal(outputs(pulled, pixels), outputs(model, pixels))
    assert pulled.class_names == ("ant", "bee", "cat")
    card = (folder / "README.md").read_text()
    assert "# Birds" in card and "| accuracy on birds | 93.1 % |" in card
    assert "names | ant, bee, cat" in card


def test_folders(rng, tmp_path):
    vit = network(rng)
    sk.publish(vit, tmp_path / "vit")
    with pytest.raises(ValueError, match=r"`folder` must be new.*which exists"):
        sk.publish(vit, tmp_path / "vit")
    sk.publish(random_template(rng), tmp_path / "vit", overwrite=True)
    assert isinstance(sk.pull(tmp_path / "vit"), sk.SweetTemplate)
    with pytest.raises(ValueError, match=r"`model` must be a ViTBackbone.*Received: int"):
        sk.publish(3, tmp_path / "other")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"a folder without template\.sweet"):
        sk.pull(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"one that sweet_keras\.publish wrote"):
        sk.push(tmp_path / "empty", "me/birds")


@pytest.mark.parametrize(
    "change",
    [
        {"size": "L9999H9999"},
        {"image_shape": [1 << 30, 1 << 30, 3]},
        {"activation": "relu"},
        {"extra": 1},
        {"mlp_ratio": 3},
        {"register_tokens": 1},
    ],
)
def test_what_does_not_fit_is_refused(rng, tmp_path, change):
    folder = sk.publish(network(rng), tmp_path / "vit")
    content = json.loads((folder / "sweet.json").read_text())
    content["vit"] |= change
    (folder / "sweet.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="`path` must be a checkpoint"):
        sk.pull(folder)
    for source in (folder / "sweet.json", "nowhere", "one/two/three"):
        with pytest.raises(ValueError, match="no folder, and no OWNER/NAME of a repository"):
            sk.pull(source)


def test_damaged_weights(rng, tmp_path):
    folder = sk.publish(network(rng), tmp_path / "vit")
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    arrays = safetensors.numpy.load_file(path)
    arrays["norm1/bias"][0, 0] = np.nan
    safetensors.numpy.save_file(arrays, path)
    with pytest.raises(ValueError, match="NaN or infinite"):
        sk.pull(folder)
    path.write_bytes(content[:-4])
    with pytest.raises(ValueError, match="`path` must be a checkpoint"):
        sk.pull(folder)


def test_hugging_face(rng, tmp_path, monkeypatch):
    """What is asked of huggingface_hub; nothing is sent."""
    calls = []
    folder = sk.publish(network(rng), tmp_path / "vit")

    class Api:
        def __init__(self, token):
            calls.append(token)

        def create_repo(self, repository, private, exist_ok):
            calls.append((repository, private, exist_ok))

        def upload_folder(self, repo_id, folder_path, allow_patterns):
            assert {path.name for path in folder_path.iterdir()} <= set(allow_patterns)
            return f"https://hf/{repo_id}"

    def download(name, revision, token, allow_patterns):
        calls.append((name, revision, token))
        return str(folder)

    hub = types.SimpleNamespace(HfApi=Api, snapshot_download=download)
    monkeypatch.setattr(published, "optional_library", lambda name, extra: hub)
    assert sk.push(folder, "me/birds", private=True, token="t")  # noqa: S106 == "https://hf/me/birds"
    pulled = sk.pull("me/birds", revision="v1")
    same_weights(pulled, sk.pull(folder))
    assert calls == ["t", ("me/birds", True, True), ("me/birds", "v1", None)]
