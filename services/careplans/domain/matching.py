"""Which medicines of two lists stand side by side, and how they differ.

Side by side: the same RxNorm, else the same ingredients. The same: name, dose and frequency mean the same, and somebody
wrote them. In doubt two are different, for a difference too many costs a look, and one too few a patient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.careplans.domain.medicine import Medicine


class Difference(StrEnum):
    """In the order in which they are shown."""

    DIFFERENT = "DIFFERENT"
    ONLY_AFTER = "ONLY_AFTER"
    ONLY_BEFORE = "ONLY_BEFORE"
    SAME = "SAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two medicines side by side, or one alone. `differing`: name, dose or frequency."""

    before: Medicine | None
    after: Medicine | None
    differing: tuple[str, ...] = ()

    @property
    def difference(self) -> Difference:
        if self.before is None:
            return Difference.ONLY_AFTER
        if self.after is None:
            return Difference.ONLY_BEFORE
        return Difference.DIFFERENT if self.differing else Difference.SAME


_Alike = Callable[[Medicine, Medicine], bool]


def compare(before: Sequence[Medicine], after: Sequence[Medicine]) -> tuple[Pair, ...]:
    """Every medicine of both lists once, by difference; within that in the order in which they are written.

    One that is on a list twice is there twice. The most alike find each other first, so that of two strengths of one medicine
    each meets its own.
    """
    left, right = list(enumerate(before)), list(enumerate(after))
    found: list[tuple[int, Pair]] = []
    for alike in _STEPS:
        for place, one in list(left):
            met = next((each for each in right if alike(one, each[1])), None)
            if met:
                left.remove((place, one))
                right.remove(met)
                pair = Pair(before=one, after=met[1], differing=differing(one, met[1]))
                found.append((place, pair))
    found += [(place, Pair(before=one, after=None)) for place, one in left]
    found += [(place, Pair(before=None, after=one)) for place, one in right]
    order = list(Difference)
    found.sort(key=lambda each: (order.index(each[1].difference), each[0]))
    return tuple(pair for _, pair in found)


def differing(before: Medicine, after: Medicine) -> tuple[str, ...]:
    """What differs, or what nobody wrote: of what is not written nobody knows that it is the same."""
    parts = (
        ("name", not _is_same_name(before, after)),
        ("dose", not before.exact_dose or before.exact_dose != after.exact_dose),
        (
            "frequency",
            not before.exact_frequency or before.exact_frequency != after.exact_frequency,
        ),
    )
    return tuple(name for name, differs in parts if differs)


def _is_same_name(one: Medicine, other: Medicine) -> bool:
    return _has_same_code(one, other) or one.exact_name == other.exact_name


def _has_same_code(one: Medicine, other: Medicine) -> bool:
    return bool(one.rxnorm) and one.rxnorm == other.rxnorm


def _is_alike(one: Medicine, other: Medicine) -> bool:
    return _has_same_code(one, other) or one.ingredients == other.ingredients


def _differs_in(*most: str) -> _Alike:
    return lambda one, other: _is_alike(one, other) and set(differing(one, other)) <= set(most)


# From the most alike to what only has its ingredients in common.
_STEPS: tuple[_Alike, ...] = (
    lambda one, other: _has_same_code(one, other) and not differing(one, other),
    _differs_in(),
    _differs_in("frequency"),
    _differs_in("dose"),
    _has_same_code,
    _differs_in("dose", "frequency"),
    _is_alike,
)
