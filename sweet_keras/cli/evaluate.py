"""`sweet evaluate`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.finetune_config import EvaluateConfig


def evaluate(call: Invocation) -> None:
    """Measures how many labelled images a fine-tuned network gets right, in all and by class.

    Goes in: model.keras of a fine-tuning, and labelled images. Comes out: a table, and with --json
    a file.

    Example:
        sweet evaluate runs/l6h6/model.keras --data birds/ --split test --json accuracy.json
    """
    from sweet_keras.cli.tables import class_table
    from sweet_keras.runs.evaluate import evaluate as run

    accuracy, classes = run(call.config, console=call.progress)
    call.console.print(class_table(accuracy, classes))
    if call.config.json is not None:
        call.say(f"Written to {call.config.json}")


EVALUATE = Command(name="evaluate", config=EvaluateConfig, body=evaluate)
