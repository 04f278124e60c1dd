import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweet_keras.runs.compare_config import CompareConfig
from sweet_keras.runs.config import Config, option, read_values
from sweet_keras.runs.finetune_config import EvaluateConfig, FinetuneConfig
from sweet_keras.runs.init_config import InfoConfig, InitConfig
from sweet_keras.runs.pretrain_config import PretrainConfig
from sweet_keras.runs.quickstart_config import QuickstartConfig

COMPLETE = {
    PretrainConfig: {"data": "photos", "out": "run"},
    FinetuneConfig: {"model": "t.sweet", "data": "photos", "out": "run"},
    EvaluateConfig: {"model": "m.keras", "data": "photos"},
    InitConfig: {"template": "t.sweet", "size": ["L1H2"], "out": "vit.keras"},
    InfoConfig: {"file": "t.sweet"},
    QuickstartConfig: {},
    CompareConfig: {"data": "photos", "out": "run"},
}


class Walk(Config):
    steps: int = option(10, "Number of steps.")
    pace: float = option(1.0, "Metres per second.")
    name: str = option("walk", "Any text: with a colon # and a hash.")
    back: bool | None = option(None, "Whether to come back.")
    stops: tuple[str, ...] = option((), "Where to rest.")


@pytest.mark.parametrize("kind", COMPLETE, ids=lambda kind: kind.__name__)
def test_defaults_survive_yaml_and_json(kind, tmp_path):
    config = kind.from_mapping(COMPLETE[kind])
    files = {"a.yaml": config.to_yaml(), "a.json": json.dumps(config.to_mapping())}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        assert kind.from_mapping(read_values(tmp_path / name)) == config


@pytest.mark.parametrize("kind", COMPLETE, ids=lambda kind: kind.__name__)
def test_every_option_is_explained(kind):
    for field in kind.options().values():
        text = field.metadata["help"]
        assert text[0].isupper() and text.endswith("."), field.name


@given(
    st.builds(
        dict,
        steps=st.integers(),
        pace=st.floats(allow_nan=False, allow_infinity=False),
        name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
        back=st.none() | st.booleans(),
        stops=st.lists(st.text("abc: #-'\"1", max_size=6)),
    )
)
def test_any_values_survive_yaml(values):
    config = Walk.from_mapping(values)
    assert Walk.from_mapping(yaml.safe_load(config.to_yaml())) == config


def test_yaml_holds_every_field_and_its_explanation():
    text = PretrainConfig.from_mapping(COMPLETE[PretrainConfig]).to_yaml()
    for name in PretrainConfig.options():
        assert f"\n{name}: " in f"\n{text}"
    assert "# Images in each step; all, if there are fewer." in text


def test_finetune_option_from_is_a_keyword_of_python():
    config = FinetuneConfig.from_mapping({**COMPLETE[FinetuneConfig], "from": "random"})
    assert config.start == "random"
    assert config.to_mapping()["from"] == "random"


def test_numbers_as_yaml_reads_them():
    # YAML 1.1 takes 1e-3 for text, and ranks may be written as a list.
    values = {**COMPLETE[PretrainConfig], "learning-rate": "1e-3", "ranks": [1, 2, 3]}
    config = PretrainConfig.from_mapping({**values, "image_size": 96, "weight_decay": 0})
    assert config.learning_rate == 0.001
    assert config.ranks == "1,2,3"
    assert config.image_size == "96"
    assert isinstance(config.weight_decay, float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 3}, "Unknown option 'epoch' in my.yaml. Did you mean 'epochs'? Received: epoch"),
        ({"qqqq": 3}, "Unknown option 'qqqq' in my.yaml. Known: data, out"),
        ({"epochs": 2.5}, "--epochs must be of type int. Received: 2.5"),
        ({"epochs": float("inf")}, "--epochs must be of type int. Received: inf"),
        ({"learning_rate": "inf"}, "--learning-rate must be of type float. Received: 'inf'"),
        ({"epochs": True}, "--epochs must be of type int. Received: True"),
        ({"epochs": 0}, "--epochs must be a positive integer. Received: 0"),
        ({"epochs": "many"}, "--epochs must be of type int. Received: 'many'"),
        ({"jit": "yes"}, "--jit must be of type bool. Received: 'yes'"),
        ({"channels": 2}, "--channels must be one of 1, 3. Received: 2"),
        ({"dtype": "float8"}, "--dtype must be one of float32"),
        ({"mask_ratio": 1.0}, "--mask-ratio must be in (0, 1)"),
        ({"warmup": 1}, "--warmup must be in [0, 1). Received: 1.0"),
        ({"size": "6x6"}, "must be written like 'L6H12'"),
        ({"image_size": "224x"}, "--image-size must be the side of a square"),
        ({"ranks": "3,4"}, "--ranks must be 'auto', a share"),
        ({"ranks": "0.0"}, "`ranks` as a share must be in (0, 1]. Received: 0.0"),
        (
            {"ranks": "145,768,768"},
            "--ranks must be at most 144,768,768 at L12H12 with heads of 64",
        ),
        ({"data": None}, "--data is required: Images to learn from"),
    ],
)
def test_wrong_values_are_named(change, message):
    with pytest.raises(ValueError) as error:
        PretrainConfig.from_mapping({**COMPLETE[PretrainConfig], **change}, "my.yaml")
    assert message in str(error.value)
    assert "Received:" in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "- 1\n- 2\n", "must hold a YAML or JSON file"),
        ("a.yaml", "a: [1", "Cannot parse"),
        ("a.json", "{", "Cannot parse"),
        ("a.json", "1" * 5000, "Cannot parse"),
        ("a.json", "[" * 10**5, "Cannot parse"),
        ("a.yaml", "\x00", "Cannot parse"),
    ],
)
def test_files_that_hold_no_options(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        read_values(tmp_path / name)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"Cannot read .*Received"):
        read_values(tmp_path / "none.yaml")


def test_init_knows_when_out_is_a_folder():
    several = {"template": "t.sweet", "size": ["L1H1", "L2H2"]}
    assert InitConfig.from_mapping({**several, "out": "vits"}).size == ("L1H1", "L2H2")
    with pytest.raises(ValueError, match="--out must be a folder"):
        InitConfig.from_mapping({**several, "out": "vit.keras"})
    with pytest.raises(ValueError, match=r"--out must be a file ending in \.keras"):
        InitConfig.from_mapping({"template": "t.sweet", "size": "L1H1", "out": "vits"})
    with pytest.raises(ValueError, match="--size must be given once"):
        InitConfig.from_mapping({"template": "t", "size": ["L1H1", "L1H1"], "out": "vits"})


def test_configs_cannot_be_changed():
    config = Walk()
    with pytest.raises(AttributeError):
        config.steps = 3
