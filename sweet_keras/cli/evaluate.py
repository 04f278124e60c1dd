"""`sweet evaluate`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.finetune_config import EvaluateConfig


def evaluate(call: Invocation) -> None:
    """Measures a fine-tuned network on labelled images, in all and by class.

    Accuracy of a classifier, average precision (AP, as COCO defines it) of a detector, mean
    intersection over union (mIoU) of a segmenter. Goes in: model.keras of a fine-tuning, and
    labelled images. Comes out: a table, and with --json a file.

    Example:
        sweet evaluate runs/l6h6/model.keras --data birds/ --split test --json accuracy.json

        sweet evaluate runs/boxes/model.keras --data coco/ --split val
    """
    from sweet_keras.cli.tables import class_table
    from sweet_keras.runs.evaluate import evaluate as run

    call.console.print(class_table(*run(call.config, console=call.progress)))
    if call.config.json is not None:
        call.say(f"Written to {call.config.json}")


EVALUATE = Command(name="evaluate", config=EvaluateConfig, body=evaluate)
