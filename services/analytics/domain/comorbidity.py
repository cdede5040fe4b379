"""Which comorbidities the diagnoses of a patient say, by the published lists that ship as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from services.analytics.domain.instrument import read_instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One comorbidity: whose codes begin with one of the prefixes, and what it weighs."""

    key: str
    prefixes: tuple[str, ...]
    weight_1987: int
    weight_2011: int
    removes: str = ""


@cache
def charlson() -> Mapping[str, Category]:
    """The seventeen categories, by key."""
    told = read_instrument("charlson-2005")["categories"]
    return MappingProxyType(
        {
            key: Category(key=key, **{**one, "prefixes": tuple(one["prefixes"])})
            for key, one in told.items()
        }
    )


def comorbidities(codes: Iterable[str]) -> frozenset[str]:
    """The categories that ICD-10-CM codes belong to, with or without dots, each without the lesser ones it stands for."""
    plain = [code.replace(".", "").upper() for code in codes]
    found = {
        key for key, one in charlson().items() if any(c.startswith(one.prefixes) for c in plain)
    }
    return frozenset(found - {charlson()[key].removes for key in found})


def charlson_index(codes: Iterable[str], *, updated: bool = False) -> int:
    """The sum of the weights of 1987, or of the updated ones of 2011.

    No score shows it (LACE weighs the categories in its own way): published sums of it are what the categories are
    tested by.
    """
    return sum(
        charlson()[key].weight_2011 if updated else charlson()[key].weight_1987
        for key in comorbidities(codes)
    )
