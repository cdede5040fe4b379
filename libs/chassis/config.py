"""The environment as a frozen dataclass, read once and checked at start."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


class ConfigError(Exception):
    """A setting is missing or cannot be read. Says which variable, and what it should look like."""


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("should be 1 or 0")


_READERS: Mapping[type, Any] = {str: str, int: int, float: float, bool: _flag, Path: Path}


def read(settings: type[S], env: Mapping[str, str], prefix: str = "") -> S:
    """Fill `settings` from variables named PREFIX_FIELD. A field without a default must be there."""
    hints = get_type_hints(settings)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in dataclasses.fields(settings):
        name = f"{prefix}_{field.name}".upper().lstrip("_")
        text = env.get(name)
        if text is None:
            if (
                field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING
            ):
                problems.append(f"{name} is not set")
            continue
        try:
            values[field.name] = _READERS[hints[field.name]](text)
        except ValueError as error:
            problems.append(f"{name} is set but cannot be read: {error}")
    if problems:
        raise ConfigError("; ".join(problems))
    return settings(**values)
