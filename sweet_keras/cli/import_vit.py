"""`sweet import`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.import_config import ImportConfig


def import_vit(call: Invocation) -> None:
    """Makes a network or a template of a vision transformer that another library trained.

    It reads timm, facebookresearch's MAE, Hugging Face's ViT, ViTMAE, Dinov2 and SigLIP, KerasHub
    and big_vision, and sees which one it is from the names. Nothing in a file is executed.

    Goes in: a checkpoint. Comes out: a plain network (.keras), or a template (.sweet) that
    `sweet init` cuts networks of any size out of.

    Example:
        sweet import dinov2-small/ dino.sweet --energy 0.9 --order energy

        sweet import mae_pretrain_vit_base.pth mae.keras --image-size 224x320
    """
    from sweet_keras.runs.import_vit import import_vit

    vit, template = import_vit(call.config)
    height, width, channels = vit.image_shape
    call.say(
        f"{vit.size} with heads of {vit.head_dim}, {height} x {width} x {channels} pixels, "
        f"{vit.count_params():,} parameters"
    )
    if template is not None:
        ranks = " x ".join(map(str, template.ranks))
        error = template.record["decomposition"]["error"]
        call.say(
            f"template of ranks {ranks}, {template.parameters:,} parameters, relative error of "
            f"the kernels {error:.3g}"
        )
    call.say(f"written to {call.config.out}")


IMPORT = Command(name="import", config=ImportConfig, body=import_vit)
