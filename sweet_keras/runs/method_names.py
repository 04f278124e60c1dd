"""What the ways to start a network are called, in files, tables and on the command line.

Known without importing Keras; `sweet_keras.runs.methods` says what they do.
"""

# In the order of tables and figures: untrained, from one plain network, from a source trained for
# the method, the upper reference, ours.
METHODS = (
    "random",
    "xavier",
    "mimetic",
    "weight_selection",
    "prefix",
    "share",
    "heur_lg",
    "auto_lg",
    "tleg",
    "wave",
    "ligo",
    "direct",
    "sweet_slice",
    "sweet_adapt",
)

# The better of these at a size is what all others are measured against there.
BASELINES = ("random", "xavier")


def split_name(name: str) -> tuple[str, str | None]:
    """Takes `"sweet_adapt:no_width_masks"` apart into method and variant.

    Args:
        name: A method, or a method and a variant of its template.

    Returns:
        The method, and the variant or None.
    """
    method, colon, variant = name.partition(":")
    return method, variant if colon else None


def order_of(name: str) -> tuple:
    """Returns what sorts names: as in `METHODS`, variants after all of them, others last."""
    method, variant = split_name(name)
    known = METHODS.index(method) if method in METHODS else len(METHODS)
    return variant is not None, known, name
