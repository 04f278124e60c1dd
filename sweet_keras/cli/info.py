"""`sweet info`."""

from sweet_keras.cli.command import Command, Invocation
from sweet_keras.runs.init_config import InfoConfig


def info(call: Invocation) -> None:
    """Says what a template or a network is, how it was trained, and whether it is healthy.

    Goes in: a .sweet or a .keras file. Comes out: a table; of a template that was made from a
    network, how much of each kernel it keeps; a warning if singular values of its kernels are far
    above those of networks that train well.

    Example:
        sweet info runs/birds/template.sweet
    """
    from sweet_keras.cli.tables import errors_table, facts_table, health_table, ranks_table
    from sweet_keras.runs.info import describe
    from sweet_keras.runs.spectrum import SICK

    facts, record, health, decomposition = describe(call.config.file)
    call.console.print(facts_table(call.config.file, facts))
    if record:
        call.console.print(facts_table("How it was trained", record))
    if decomposition:
        call.console.print(errors_table(decomposition))
        call.console.print(ranks_table(decomposition))
    call.console.print(health_table(health))
    sick = [kind for kind in health if kind.sick]
    if sick:
        names = ", ".join(kind.kind for kind in sick)
        call.say(
            f"Warning: {names}: largest singular value above {SICK:g}. Networks made of such "
            "kernels fine-tune badly: the factors of the template have probably exploded in the "
            "pre-training. Try a lower --learning-rate.",
            style="bold red",
        )


INFO = Command(name="info", config=InfoConfig, body=info)
