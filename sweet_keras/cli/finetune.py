"""`sweet finetune`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.cli.run_and_report import run_and_report
from sweet_keras.runs.finetune_config import FinetuneConfig


def finetune(call: Invocation) -> None:
    """Trains a classifier, detector, segmenter or generator, from a template or a network.

    Goes in: a template (a network of --size is made of it first) or a .keras file, and labelled
    images. Comes out: a folder with model.keras, results.json with the accuracy, AP or mIoU on the
    test images, report.html, log.csv, tensorboard/ and a checkpoint to go on from. Of a generator
    images are kept, and measured if there is a --classifier for the same classes.

    Example:
        sweet finetune runs/birds/template.sweet --size L6H6 --data birds/ --out runs/l6h6

        sweet finetune vit.keras --data birds/ --labels 1000 --out runs/few

        sweet finetune T.sweet --size L6H6 --from random --data birds/ --out runs/random

        sweet finetune T.sweet --size L6H6 --task detect --data coco/ --image-size 512 --out boxes

        sweet finetune runs/gen/model.keras --size L3H3 --task generate --data birds/
        --classifier runs/l6h6/model.keras --out runs/gen-l3h3
    """
    from sweet_keras.runs.directory import RunDirectory
    from sweet_keras.runs.finetune import finetune as run

    _, first, more, report = run_and_report(call, run)
    model = RunDirectory(call.config.out).model
    call.say(f"{first}.", *more, f"Model: {model}", f"Report: {report}")


FINETUNE = Command(
    name="finetune", config=FinetuneConfig, body=finetune, writes_run=True, resumable=True
)
