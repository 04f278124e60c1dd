"""Parsing the command line, running a command, and what becomes of errors."""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import absl.logging
from cyclopts import App, CycloptsError
from rich.console import Console

from sweet_keras.cli.command import Command, Invocation, say
from sweet_keras.cli.compare import COMPARE
from sweet_keras.cli.evaluate import EVALUATE
from sweet_keras.cli.export import EXPORT
from sweet_keras.cli.finetune import FINETUNE
from sweet_keras.cli.import_vit import IMPORT
from sweet_keras.cli.info import INFO
from sweet_keras.cli.init import INIT
from sweet_keras.cli.option_words import in_option_words
from sweet_keras.cli.pretrain import PRETRAIN
from sweet_keras.cli.quickstart import QUICKSTART
from sweet_keras.cli.sample import SAMPLE

BACKENDS = ("tensorflow", "torch", "jax")
COMMANDS = (
    QUICKSTART,
    PRETRAIN,
    INIT,
    FINETUNE,
    EVALUATE,
    COMPARE,
    SAMPLE,
    INFO,
    IMPORT,
    EXPORT,
)

_HELP = """
One weight template, pre-trained once without labels; every Vision Transformer made from it.

The road: `sweet pretrain` learns a template from images, `sweet init` cuts plain networks of any
size out of it, `sweet finetune` trains one on labels, `sweet evaluate` measures it.
`sweet quickstart` shows all of this on bundled images in minutes; `sweet compare` measures ways to
start a network against each other. `sweet import` and `sweet export` go from and to the
checkpoints of other libraries.

The framework is chosen by the environment variable KERAS_BACKEND: tensorflow, torch or jax.
"""


def run(arguments: list[str]) -> int:
    """Runs one command line.

    Args:
        arguments: What comes after `sweet`.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong options or files, 130 interrupted,
        143 terminated.
    """
    console, progress = Console(), Console(stderr=True)
    debug = "--debug" in arguments
    # The frameworks' own notes to their developers would stand between the user and the results.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    absl.logging.set_verbosity(absl.logging.ERROR)  # grain warns where JAX is not installed
    # torch's threads spin while they wait for each other. Spinning for long made steps of small
    # networks ten times slower where other processes want the same cores, not spinning at all two
    # times slower where none do (measured on two cores); so they spin for a moment.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        app = build_app(arguments, console, progress)
        app(arguments)
    except KeyboardInterrupt as error:
        if debug:
            raise
        # What a training says that was saved first; its signal as shells count.
        say(progress, str(error) or "Interrupted.", _hint_to_resume(arguments))
        return 128 + getattr(error, "signal", signal.SIGINT)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CycloptsError as error:
        say(progress, f"Error: {error}", _hint_to_help(arguments))
        return 2
    except Exception as error:
        if debug:
            raise
        missing = isinstance(error, ModuleNotFoundError) and error.name in BACKENDS
        if missing or str(error).startswith("Unable to import backend"):  # as keras says it
            say(progress, f"Error: {_about_backend()}")
            return 2
        code = 2 if is_usage_error(error) else 1
        text = _one_line(error)
        called = [command for command in COMMANDS if command.name in arguments[:1]]
        if code == 2 and called:
            text = in_option_words(text, called[0].config)
        say(progress, f"Error: {text}", "" if code == 2 else "See --debug.")
        return code
    return 0


def build_app(arguments: list[str], console: Console, progress: Console) -> App:
    """Returns the command line of all commands.

    Args:
        arguments: What comes after `sweet`, to be noted in run directories.
        console: Where results go.
        progress: Where progress goes.
    """
    from sweet_keras import __version__

    app = App(
        name="sweet",
        help=_HELP,
        version=__version__,
        help_format="markdown",
        console=console,
        error_console=progress,
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for order, command in enumerate(COMMANDS):
        function = _function(command, arguments, console, progress)
        app.command(function, name=command.name, help=command.help(), sort_key=order)
    return app


def is_usage_error(error: BaseException) -> bool:
    """Whether an error is about what the user gave, and not about the program.

    Messages of this library about wrong arguments end in what was received.
    """
    return isinstance(error, FileNotFoundError) or (
        isinstance(error, ValueError) and "Received:" in str(error)
    )


def _function(
    command: Command, arguments: list[str], console: Console, progress: Console
) -> Callable[..., None]:
    signature = command.signature()

    def function(*positional: Any, **given: Any) -> None:
        given.update(signature.bind_partial(*positional).arguments)
        given.pop("debug", None)
        config, overwrite, resume = command.resolve(given)
        command.body(
            Invocation(
                config=config,
                arguments=arguments,
                console=console,
                progress=progress,
                overwrite=overwrite,
                resume=resume,
            )
        )

    function.__signature__ = signature
    return function


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if is_usage_error(error) else f"{type(error).__name__}: {text}"


def _about_backend() -> str:
    received = os.environ.get("KERAS_BACKEND") or "nothing, which keras takes for tensorflow"
    return (
        "KERAS_BACKEND must name a framework that is installed: "
        f"{', '.join(BACKENDS)}. Received: {received}"
    )


def _hint_to_help(arguments: list[str]) -> str:
    known = [command.name for command in COMMANDS if command.name in arguments[:1]]
    return f"See sweet {' '.join([*known, '--help'])}."


def _hint_to_resume(arguments: list[str]) -> str:
    resumable = [command.name for command in COMMANDS if command.resumable]
    if not arguments or arguments[0] not in resumable:
        return ""
    from sweet_keras.runs.directory import RunDirectory

    outs = [after for before, after in itertools.pairwise(arguments) if before == "--out"]
    if not any(RunDirectory(out).config.exists() for out in outs):
        return ""
    return "Go on from where it was last saved with --resume."
