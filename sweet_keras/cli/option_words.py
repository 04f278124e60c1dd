"""Messages about arguments of Python, in the words of the command line."""

import re
from collections.abc import Mapping

from sweet_keras.runs.config import Config, flag

# What options become in Python, where that is called otherwise.
_OPTIONS = {"image_shape": "image_size", "spec": "data"}


def in_option_words(text: str, config: type[Config]) -> str:
    """Says the name of the option where a message names the argument that it became.

    Args:
        text: A message such as "`image_shape` must …", or 'open it with task="segment"'.
        config: Options of the command that was called.

    Returns:
        "--image-size must …", 'open it with --task segment'. What was received is left as it is,
        and so are arguments for which the command has no option.
    """
    fields = config.options()
    flags = {
        name: flag(fields[option])
        for name, option in ({name: name for name in fields} | _OPTIONS).items()
        if option in fields and not fields[option].metadata["positional"]
    }
    expected, received, rest = text.partition("Received:")
    expected = _translated(expected, flags)
    return expected + received + rest


def _translated(text: str, flags: Mapping[str, str]) -> str:
    text = re.sub(r"`(\w+)`", lambda found: flags.get(found[1], found[0]), text)
    return re.sub(
        r'\b(\w+)="(\w+)"',
        lambda found: f"{flags[found[1]]} {found[2]}" if found[1] in flags else found[0],
        text,
    )
