"""`sweet init`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.init_config import InitConfig


def init(call: Invocation) -> None:
    """Makes plain networks of the sizes you need from a template.

    Without --adapt a network is cut out in well under a second. With it, it is fitted to images for
    a fraction of an epoch, without labels, while the template's core stays as it is.

    Goes in: a template. Comes out: a .keras file for each size, that `keras.saving.load_model`
    reads and `sweet finetune` trains; nothing of the template is left in it.

    Example:
        sweet init runs/birds/template.sweet --size L6H6 --out vit.keras

        sweet init runs/birds/template.sweet --size L3H3 --size L6H12 --adapt photos/ --out vits
    """
    from sweet_keras.runs.init import make_networks

    for made in make_networks(call.config, console=call.progress):
        call.say(
            f"{made.size}: {made.parameters:,} parameters, {made.method} in {made.seconds:.2f} s, "
            f"written to {made.path}"
        )


INIT = Command(name="init", config=InitConfig, body=init)
