"""What a command is: its options, and a function that does it."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_type_hints

from cyclopts import Group, Parameter
from rich.console import Console

from sweet_keras.runs.config import Config, option_name, read_values


@dataclasses.dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call of a command.

    Attributes:
        config: All options.
        arguments: The command line after `sweet`.
        console: Where results go.
        progress: Where progress goes.
        overwrite: Whether a run that lies in the way is removed.
        resume: Whether a run is gone on with.
    """

    config: Any
    arguments: list[str]
    console: Console
    progress: Console
    overwrite: bool = False
    resume: bool = False

    def say(self, *lines: str, style: str | None = None) -> None:
        """Prints lines as they are, whatever is in them."""
        say(self.console, *lines, style=style)


def say(console: Console, *lines: str, style: str | None = None) -> None:
    """Prints lines that are not empty: no markup, and no line breaks of our own."""
    for line in filter(None, lines):
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A command of `sweet`.

    Attributes:
        name: As on the command line.
        config: Its options.
        body: What it does; its docstring is the help text.
        writes_run: Whether it writes a run directory, and so takes `--overwrite`.
        resumable: Whether it takes `--resume`.
        shared: Whether several processes may work on one run, each started with `--resume`, the
            first one too.
    """

    name: str
    config: type[Config]
    body: Callable[[Invocation], None]
    writes_run: bool = False
    resumable: bool = False
    shared: bool = False

    def help(self) -> str:
        """Returns the help text in Markdown: the docstring, its examples as one code block."""
        text, _, examples = inspect.cleandoc(self.body.__doc__ or "").partition("Example:")
        lines = inspect.cleandoc(examples).replace("\n\n", "\n")
        # Not "Example:" again, which cyclopts would take for a section of a docstring and drop.
        return f"{text.rstrip()}\n\nFor example\n\n```bash\n{lines}\n```\n"

    def signature(self) -> inspect.Signature:
        """Returns the signature from which the command line is parsed and the help is written."""
        hints = get_type_hints(self.config)
        groups = {}
        parameters = []
        for field in sorted(self.config.options().values(), key=_place):
            about = field.metadata
            group = groups.setdefault(
                about["group"], Group(about["group"], sort_key=10 + len(groups))
            )
            required = field.default is dataclasses.MISSING
            parameter = Parameter(
                name=None if about["positional"] else f"--{option_name(field).replace('_', '-')}",
                help=_escaped(about["help"]) + (" **Required.**" if required else ""),
                group=group,
                metavar=about["metavar"],
                show_default=False if required else _shown(field.default),
                negative=None if hints[field.name] in (bool, bool | None) else (),
            )
            # A missing value is reported by the configuration, which may come from a file as well.
            hint = hints[field.name] | None if required else hints[field.name]
            parameters.append(
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.POSITIONAL_ONLY
                    if about["positional"]
                    else inspect.Parameter.KEYWORD_ONLY,
                    default=None if required else field.default,
                    annotation=Annotated[hint, parameter],
                )
            )
        return inspect.Signature([*parameters, *self._common()])

    def resolve(self, given: Mapping[str, Any]) -> tuple[Config, bool, bool]:
        """Makes a configuration of what was given on the command line.

        Args:
            given: Values by field name, of the given options only.

        Returns:
            The configuration, whether to overwrite, and whether to resume.

        Raises:
            ValueError: For unknown, missing or wrong values, in a file or on the command line.
        """
        given = dict(given)
        file = given.pop("config_file", None)
        # Commands that write no run may have an option of that name.
        overwrite = self.writes_run and given.pop("overwrite", False)
        resume = given.pop("resume", False)
        if overwrite and resume:
            raise ValueError("--overwrite and --resume exclude each other. Received: both")
        fields = self.config.options()
        values = {option_name(fields[name]): value for name, value in given.items()}
        source = "the options"
        if file is not None:
            from sweet_keras.runs.config import normalise_keys

            source = str(file)
            values = {**normalise_keys(self.config, read_values(file), source), **values}
        if resume:
            from sweet_keras.runs.directory import RunDirectory, resumed_options

            if "out" not in values:
                raise ValueError("--resume needs --out, the run to go on with. Received: no --out")
            run = RunDirectory(values["out"])
            if not (self.shared and run.state == "new"):
                values = resumed_options(self.config, values, run, self.name)
        return self.config.from_mapping(values, source), overwrite, resume

    def _common(self) -> list[inspect.Parameter]:
        """Returns the options that are about this call and not part of the configuration."""
        group = Group("This call", sort_key=100)
        flags = {}
        if self.resumable:
            flags["resume"] = (
                "Go on with the interrupted run in --out, from where it was last saved, with "
                "the options it was started with."
            )
        if self.shared:
            flags["resume"] += (
                " Processes that are started with it share the work; the first one starts the run."
            )
        if self.writes_run:
            flags["overwrite"] = "Remove the run that lies in --out, and start anew."
        flags["debug"] = "Show where an error comes from."
        common = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False,
                annotation=Annotated[
                    bool, Parameter(help=text, group=group, negative=(), show_default=False)
                ],
            )
            for name, text in flags.items()
        ]
        file = Parameter(
            name="--config",
            help="Read options from this YAML or JSON file; those on the command line win. The "
            "config.yaml of a run is such a file.",
            group=group,
            metavar="FILE",
        )
        common.append(
            inspect.Parameter(
                "config_file",
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[str | None, file],
            )
        )
        return common


def _place(field: dataclasses.Field) -> tuple[bool, bool]:
    """Files first, then what must be given; the rest as declared."""
    return not field.metadata["positional"], field.default is not dataclasses.MISSING


def _shown(default: Any) -> Any:
    """Returns what cyclopts shows as the default: nothing for one that the help explains."""
    if default is None:
        return False
    if isinstance(default, tuple):
        return lambda value: ", ".join(map(str, value))
    if isinstance(default, bool):
        return lambda value: "yes" if value else "no"
    return True


def _escaped(text: str) -> str:
    """Returns plain text as Markdown."""
    return text.replace("*", r"\*").replace("[", r"\[").replace("_", r"\_")
