"""Options of a run: one frozen dataclass per command, readable from and written to a file."""

import dataclasses
import difflib
import json
import os
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, dataclass_transform

import yaml

from sweet_keras.runs.coerce import coerce

_REQUIRED = dataclasses.MISSING


def option(
    default: Any = _REQUIRED,
    help: str = "",
    *,
    group: str = "Options",
    metavar: str | None = None,
    name: str | None = None,
    positional: bool = False,
    may_change: bool = False,
) -> Any:
    """Declare one option as a dataclass field.

    Args:
        default: value when nothing is given; without it the option is required.
        help: what the option does, with its unit.
        group: heading under which `--help` lists it.
        metavar: placeholder for the value in `--help`.
        name: name on the command line and in files, where it cannot be the field's name.
        positional: given without its name on the command line.
        may_change: whether a resumed run may use another value than the interrupted one.

    Returns:
        A dataclass field.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": help,
            "group": group,
            "metavar": metavar,
            "name": name,
            "positional": positional,
            "may_change": may_change,
        },
    )


def option_name(field: dataclasses.Field) -> str:
    """Return the name of an option in files, for example `batch_size`."""
    return field.metadata.get("name") or field.name


def flag(field: dataclasses.Field) -> str:
    """Return the name of an option on the command line, for example `--batch-size`."""
    return "--" + option_name(field).replace("_", "-")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
class Config:
    """Base of the options of one command.

    Subclasses are turned into frozen, keyword-only dataclasses whose fields are declared with
    `option`. Values are checked when an instance is made: types here, ranges in `check`. A subclass
    gives an option of its base another default by plain assignment, `steps = 20`.

    Example:
        >>> class WalkConfig(Config):
        ...     steps: int = option(10, "Number of steps.")
        >>> WalkConfig.from_mapping({"steps": "3"}).steps
        3
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the subclass a frozen, keyword-only dataclass."""
        super().__init_subclass__(**kwargs)
        for name, field in getattr(cls, "__dataclass_fields__", {}).items():
            if name in cls.__dict__ and name not in cls.__annotations__:
                cls.__annotations__[name] = field.type
                again = dataclasses.field(default=cls.__dict__[name], metadata=field.metadata)
                setattr(cls, name, again)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        """Coerce and check every value."""
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = coerce(hints[field.name], getattr(self, field.name), flag(field))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self) -> None:
        """Check ranges and combinations; raise `ValueError` naming the option."""

    def require(self, name: str, valid: bool, expected: str) -> None:
        """Raise a `ValueError` about the option `name` unless `valid`.

        Args:
            name: name of the field.
            valid: whether its value is acceptable.
            expected: what an acceptable value is.

        Raises:
            ValueError: if `valid` is false.
        """
        if not valid:
            field = self.options()[name]
            raise ValueError(f"{flag(field)} must be {expected}. Received: {getattr(self, name)!r}")

    @classmethod
    def options(cls) -> dict[str, dataclasses.Field]:
        """Return the fields by field name, in order of declaration."""
        return {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str = "the options") -> Self:
        """Make a configuration of option names and values.

        Args:
            values: options by name, as in a file (`batch_size` or `batch-size`).
            source: where they come from, for the error message.

        Returns:
            The configuration, with defaults for all that is missing.

        Raises:
            ValueError: for an unknown option, a missing one, or a value of the wrong type.
        """
        fields = {option_name(field): field for field in cls.options().values()}
        chosen = {}
        for key, value in normalise_keys(cls, values, source).items():
            chosen[fields[key].name] = value
        for key, field in fields.items():
            if field.default is _REQUIRED and chosen.get(field.name) is None:
                shown = key.upper() if field.metadata["positional"] else flag(field)
                raise ValueError(
                    f"{shown} is required: {field.metadata['help']} Received: no {shown}"
                )
        return cls(**chosen)

    def to_mapping(self) -> dict[str, Any]:
        """Return all options by name, with values that JSON and YAML can hold."""
        values = {}
        for field in self.options().values():
            value = getattr(self, field.name)
            values[option_name(field)] = list(value) if isinstance(value, tuple) else value
        return values

    def to_yaml(self) -> str:
        """Return all options as YAML, each under a comment that explains it."""
        lines = []
        for field in self.options().values():
            name = option_name(field)
            value = self.to_mapping()[name]
            lines.append("# " + " ".join(field.metadata["help"].split()))
            lines.append(yaml.safe_dump({name: value}, default_flow_style=False, width=10**6))
        return "\n".join(lines)


def normalise_keys(cls: type[Config], values: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return `values` by option name; raise `ValueError` for a name that is not an option."""
    known = [option_name(field) for field in cls.options().values()]
    normal = {}
    for key, value in values.items():
        name = str(key).replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(known)}."
            raise ValueError(
                f"Unknown option '{key}' in {source}. {hint} Received: {key}={value!r}"
            )
        normal[name] = value
    return normal


def read_values(path: str | os.PathLike) -> dict[str, Any]:
    """Read options from a YAML or JSON file.

    Args:
        path: a file ending in `.yaml`, `.yml` or `.json` that holds one mapping.

    Returns:
        The options in the file; names are not checked yet.

    Raises:
        ValueError: if the file is missing or is no mapping in YAML or JSON.
    """
    path = Path(path)
    expected = "a YAML or JSON file with one 'option: value' to a line"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"Cannot read {path}: expected {expected}. Received: {error}") from error
    try:
        values = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    # ValueError also of numbers with too many digits, and dates that do not exist.
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"Cannot parse {path}: expected {expected}. Received: {reason}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold {expected}. Received: {type(values).__name__}")
    return values
