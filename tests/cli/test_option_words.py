import pytest

from sweet_keras.cli.option_words import in_option_words
from sweet_keras.runs.finetune_config import EvaluateConfig, FinetuneConfig


@pytest.mark.parametrize(
    ("config", "text", "expected"),
    [
        (
            FinetuneConfig,
            "`image_shape` must be multiples of `patch_size`. Received: `image_shape`=(3, 3)",
            "--image-size must be multiples of `patch_size`. Received: `image_shape`=(3, 3)",
        ),
        (
            FinetuneConfig,
            'Masks have no boxes: open it with task="segment". Received: task="detect"',
            'Masks have no boxes: open it with --task segment. Received: task="detect"',
        ),
        (FinetuneConfig, "`start` must be x. Received: y", "--from must be x. Received: y"),
        (FinetuneConfig, "`model` is given without a name", "`model` is given without a name"),
        (EvaluateConfig, '`spec` or `window` and task="x"', '--data or `window` and task="x"'),
    ],
)
def test_arguments_become_options(config, text, expected):
    assert in_option_words(text, config) == expected
