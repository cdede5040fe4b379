"""Results that somebody has to be told at once: what the laboratory flags, and what the list of critical values says."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Criticality(StrEnum):
    LOW = "LOW"
    HIGH = "HIGH"
    ABNORMAL = "ABNORMAL"


# HL7 table 0078: critically abnormal, high and low. The laboratory knows the patient's exceptions: its word goes first.
FLAGS: Mapping[str, Criticality] = MappingProxyType(
    {"LL": Criticality.LOW, "HH": Criticality.HIGH, "AA": Criticality.ABNORMAL}
)
LOINC = "LN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Below `low` and above `high` a result of these tests is critical, in any of these units; in another nobody guesses."""

    analyte: str
    codes: frozenset[str]
    units: frozenset[str]
    low: float | None = None
    high: float | None = None

    def judge(self, quantity: float, comparator: str = "") -> Criticality | None:
        """Where the quantity is a bound ("> 450"), only if all that lies beyond it is critical."""
        is_below = self.low is not None and _is_beyond(self.low - quantity, "<", comparator)
        is_above = self.high is not None and _is_beyond(quantity - self.high, ">", comparator)
        if is_below:
            return Criticality.LOW
        return Criticality.HIGH if is_above else None


def _is_beyond(by: float, side: str, comparator: str) -> bool:
    if comparator == side:
        return by >= 0
    return comparator in ("", f"{side}=") and by > 0


_MILLIMOLES = frozenset({"mmol/l", "meq/l"})
_MILLIGRAMS = frozenset({"mg/dl"})
# However a sender writes a billion in a liter: a thousand in a microliter is as many.
_CELLS = frozenset(
    {"10*3/ul", "10*9/l", "x10^3/ul", "x10^9/l", "10^3/ul", "10^9/l", "x10*3/ul", "x10*9/l", "k/ul",
     "thou/ul", "giga.l-1", "10e3/ul", "10e9/l", "x10e3/ul", "x10e9/l"}
)  # fmt: skip


def _limits(
    analyte: str,
    codes: str,
    units: Collection[str],
    low: float | None = None,
    high: float | None = None,
) -> Limits:
    return Limits(
        analyte=analyte,
        codes=frozenset(codes.split()),
        units=frozenset(units),
        low=low,
        high=high,
    )


# No row keeps how it was judged: a result is judged by the list of today whenever it is told or shown, and says so with
# this version. No law has a universal list: each organization decides on its own (Joint Commission NPSG.02.03.01; the duty to alert: 42 CFR 493.1291(g)). This one is a default of ours, to be reviewed.
# Troponin, cultures and other results that are no numbers, and creatinine, which counts the first time alone, are left to
# the laboratory's flag. Codes are LOINC's for serum, plasma and blood.
VERSION = 1
DECIDED_ON = date(2026, 11, 28)
CRITICAL_VALUES = (
    _limits("potassium", "2823-3 6298-4", _MILLIMOLES, low=2.8, high=6.2),
    _limits("sodium", "2951-2 2947-0", _MILLIMOLES, low=120, high=160),
    _limits("glucose", "2345-7 2339-0", _MILLIGRAMS, low=45, high=450),
    _limits("calcium", "17861-6 49765-1", _MILLIGRAMS, low=6.5, high=13),
    _limits("hemoglobin", "718-7", {"g/dl"}, low=7, high=20),
    _limits("platelets", "777-3", _CELLS, low=20, high=1000),
    _limits("leukocytes", "6690-2", _CELLS, low=1.5, high=50),
    _limits("inr", "6301-6", {"", "1", "{inr}", "inr", "ratio"}, high=5.0),
    _limits("lactate", "2524-7", _MILLIMOLES, high=4.0),
)
_BY_CODE = {code: limits for limits in CRITICAL_VALUES for code in limits.codes}


def analyte_of(system: str, code: str) -> str:
    """What a test measures: the same word for the same substance; for what the list does not know, its own code."""
    known = _BY_CODE.get(code) if system == LOINC else None
    return known.analyte if known else f"{system}|{code}"


def judge(
    system: str,
    code: str,
    quantity: float | None,
    unit: str,
    flags: Collection[str],
    comparator: str = "",
) -> Criticality | None:
    """How critical a value is: as it is flagged, else by the list."""
    flagged = next((FLAGS[flag] for flag in flags if flag in FLAGS), None)
    limits = _BY_CODE.get(code) if system == LOINC else None
    listed = None
    if limits and quantity is not None and unit.replace(" ", "").lower() in limits.units:
        listed = limits.judge(quantity, comparator)
    if flagged is Criticality.ABNORMAL and listed:
        return listed  # which of the two it is
    return flagged or listed
