"""LACE and HOSPITAL: how likely somebody comes back to hospital within thirty days, term by term.

What is not known has no points and makes the score partial: never a silent zero. Both are support for a decision, no
decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.analytics.domain.comorbidity import comorbidities
from services.analytics.domain.instrument import read_instrument, step
from services.analytics.domain.stay import Stay


class Band(StrEnum):
    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One item: what was found, in words, and its points. Without points: nothing is known of it."""

    key: str
    finding: str
    points: int | None

    @property
    def is_missing(self) -> bool:
        return self.points is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The terms of an instrument in its order; their sum is the score."""

    instrument: str
    variant: str
    terms: tuple[Term, ...]
    bands: Mapping[str, int]

    @property
    def score(self) -> int:
        return sum(term.points or 0 for term in self.terms)

    @property
    def is_partial(self) -> bool:
        return any(term.is_missing for term in self.terms)

    @property
    def band(self) -> Band:
        if self.score >= self.bands["high"]:
            return Band.HIGH
        return Band.MODERATE if self.score >= self.bands["moderate"] else Band.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What HOSPITAL wants to know beyond the visits. None: nobody told."""

    hemoglobin: float | None = None  # g/dL, the last before discharge
    sodium: float | None = None  # mmol/L, the last before discharge
    from_oncology: bool | None = None
    had_procedure: bool | None = None


def lace(stay: Stay) -> Score:
    """The LACE index of a stay. While the stay lasts its length is missing."""
    rules = read_instrument("lace-2010")
    found = comorbidities(stay.diagnoses)
    total = _lace_sum(rules, found, stay.diagnoses)
    visits = stay.emergency_visits
    return _score(
        rules,
        _length(stay, rules["length_of_stay"]),
        _urgent("acute_admission", stay, rules["acute_admission"]),
        Term(
            key="comorbidity",
            finding=_named(found) if stay.diagnoses else "no diagnosis was told",
            points=step(rules["comorbidity"], total) if stay.diagnoses else None,
        ),
        Term(
            key="emergency_visits",
            finding=f"{visits} in the 6 months before",
            points=step(rules["emergency_visits"], visits),
        ),
    )


def hospital(stay: Stay, findings: Findings, variant: str = "2016") -> Score:
    """The HOSPITAL score of a stay, as derived in 2013 or as validated in 2016."""
    rules = read_instrument(f"hospital-{variant}")
    nights, long = stay.nights, rules["long_stay"]
    admissions = stay.earlier_admissions
    return _score(
        rules,
        _below("hemoglobin", findings.hemoglobin, rules["hemoglobin_below"]),
        _flag("oncology_service", findings.from_oncology, rules["oncology_service"]),
        _below("sodium", findings.sodium, rules["sodium_below"]),
        _flag("procedure", findings.had_procedure, rules["procedure"]),
        _urgent("urgent_admission", stay, rules["urgent_admission"]),
        Term(
            key="earlier_admissions",
            finding=f"{admissions} in the 12 months before",
            points=step(rules["earlier_admissions"], admissions),
        ),
        Term(
            key="length_of_stay",
            finding=_nights(nights),
            points=None if nights is None else long["points"] * (nights >= long["nights"]),
        ),
    )


def _score(rules: Mapping[str, Any], *terms: Term) -> Score:
    return Score(
        instrument=rules["key"], variant=rules["version"], terms=terms, bands=rules["bands"]
    )


def _lace_sum(rules: Mapping[str, Any], found: frozenset[str], codes: tuple[str, ...]) -> int:
    weights: Mapping[str, int] = rules["comorbidity_points"]
    total = sum(weights.get(key, 0) for key in found)
    if "renal_disease" not in found:
        return total
    renal = rules["renal_disease"]
    plain = (code.replace(".", "").upper() for code in codes)
    is_severe = any(code.startswith(tuple(renal["severe_prefixes"])) for code in plain)
    # "Liver or renal disease" is one item: the worse of the two counts, once.
    points: int = renal["severe"] if is_severe else renal["mild"]
    liver = ("mild_liver_disease", "moderate_or_severe_liver_disease")
    counted = sum(weights[key] for key in found.intersection(liver))
    return total - counted + max(points, counted)


def _length(stay: Stay, table: Mapping[int, int]) -> Term:
    nights = stay.nights
    points = None if nights is None else step(table, max(nights, 0))
    return Term(key="length_of_stay", finding=_nights(nights), points=points)


def _nights(nights: int | None) -> str:
    if nights is None:
        return "still in hospital"
    return "1 night" if nights == 1 else f"{nights} nights"


def _urgent(key: str, stay: Stay, points: int) -> Term:
    is_urgent = stay.index.is_urgent
    words = {None: "the kind of admission is not known", True: "not planned", False: "planned"}
    return Term(
        key=key,
        finding=words[is_urgent],
        points=None if is_urgent is None else points * is_urgent,
    )


def _below(key: str, value: float | None, rule: Mapping[str, Any]) -> Term:
    if value is None:
        return Term(key=key, finding="no result was told", points=None)
    points = rule["points"] if value < rule["value"] else 0
    return Term(key=key, finding=f"{value:g} {rule['unit']}", points=points)


def _flag(key: str, value: bool | None, points: int) -> Term:
    if value is None:
        return Term(key=key, finding="was not told", points=None)
    return Term(key=key, finding="yes" if value else "no", points=points * value)


def _named(found: frozenset[str]) -> str:
    return ", ".join(sorted(key.replace("_", " ") for key in found)) or "none that counts"
