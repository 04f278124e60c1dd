"""What the parts of a dataset are called."""

from __future__ import annotations

# The folder of a split may bear any of these names; the first one found is taken.
SPLIT_NAMES = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
    "validation": ("validation", "valid", "val"),
    "val": ("val", "valid", "validation"),
}


def split_names(split: str) -> tuple[str, ...]:
    """The names under which a split may be found, in the order to look for them.

    Args:
        split: Name of a split; one that is not in the table stands for itself.

    Returns:
        The names.
    """
    return SPLIT_NAMES.get(split, (split,))
