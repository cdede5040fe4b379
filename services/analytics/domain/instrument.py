"""The instruments as they ship: versioned files, each with its source and the day from which it can be used."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

INSTRUMENTS = Path(__file__).parent.parent / "instruments"


@cache
def read_instrument(name: str) -> Mapping[str, Any]:
    """The file of an instrument. ValueError if it does not say where it comes from, and since when."""
    told = yaml.safe_load((INSTRUMENTS / f"{name}.yaml").read_text("utf-8"))
    for needed in ("key", "version", "effective_from", "source"):
        if not told.get(needed):
            raise ValueError(f"{name} does not say its {needed}")
    return MappingProxyType(told)


def step(table: Mapping[int, int], value: int) -> int:
    """The points of a value in a table of beginnings: those of the last beginning that is not above it."""
    return table[max(start for start in table if start <= value)]
