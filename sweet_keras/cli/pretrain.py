"""`sweet pretrain`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.cli.run_and_report import run_and_report
from sweet_keras.runs.pretrain_config import PretrainConfig


def pretrain(call: Invocation) -> None:
    """Learns a template from images: without labels as a masked autoencoder, or as a generator.

    Goes in: images of any kind that --data opens, to generate with labels. Comes out: a folder with
    template.sweet, the file that every network is made from, and with report.html, log.csv,
    tensorboard/, config.yaml and a checkpoint to go on from. With --task generate also model.keras,
    the generator with its template inside, which 'sweet finetune --task generate' cuts to any size.

    Example:
        sweet pretrain --data photos/ --out runs/birds --size L12H12 --epochs 200

        sweet pretrain --data photos/ --out runs/small --image-size 96 --patch-size 8 --size L6H6

        sweet pretrain --data birds/ --task generate --image-size 64 --patch-size 4 --out runs/gen

        sweet pretrain --out runs/birds --resume --epochs 300
    """
    from sweet_keras.runs.directory import RunDirectory
    from sweet_keras.runs.pretrain import pretrain as run

    _, first, more, report = run_and_report(call, run)
    folder = RunDirectory(call.config.out)
    model = f"Generator: {folder.model}" if call.config.task == "generate" else ""
    call.say(f"{first}.", *more, f"Template: {folder.template}", model, f"Report: {report}")


PRETRAIN = Command(
    name="pretrain", config=PretrainConfig, body=pretrain, writes_run=True, resumable=True
)
