"""`sweet pretrain`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.cli.run_and_report import run_and_report
from sweet_keras.runs.pretrain_config import PretrainConfig


def pretrain(call: Invocation) -> None:
    """Learns a template from images, without labels, as a masked autoencoder.

    Goes in: images of any kind that --data opens. Comes out: a folder with template.sweet, the file
    that every network is made from, and with report.html, log.csv, tensorboard/, config.yaml and
    a checkpoint to go on from.

    Example:
        sweet pretrain --data photos/ --out runs/birds --size L12H12 --epochs 200

        sweet pretrain --data photos/ --out runs/small --image-size 96 --patch-size 8 --size L6H6

        sweet pretrain --out runs/birds --resume --epochs 300
    """
    from sweet_keras.runs.directory import RunDirectory
    from sweet_keras.runs.pretrain import pretrain as run

    _, first, more, report = run_and_report(call, run)
    template = RunDirectory(call.config.out).template
    call.say(f"{first}.", *more, f"Template: {template}", f"Report: {report}")


PRETRAIN = Command(
    name="pretrain", config=PretrainConfig, body=pretrain, writes_run=True, resumable=True
)
