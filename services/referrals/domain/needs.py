"""Needs as Gravity names them, and our own small list of kinds of services.

The needs are the codes of SDOHCC-CodeSystemTemporaryCodes. The list of services is CareHub's own: the 211 LA taxonomy is
licensed, and none of its terms or codes is here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

NEEDS = frozenset({
    "food-insecurity", "housing-instability", "homelessness", "inadequate-housing", "transportation-insecurity",
    "financial-insecurity", "material-hardship", "educational-attainment", "employment-status", "veteran-status",
    "stress", "social-connection", "intimate-partner-violence", "elder-abuse", "personal-health-literacy",
    "health-insurance-coverage-status", "medical-cost-burden", "digital-literacy", "digital-access",
    "utility-insecurity", "incarceration-status", "language-access",
})  # fmt: skip
TELLS_OF_VIOLENCE = frozenset({"intimate-partner-violence", "elder-abuse"})
RIDES = "transportation-insecurity"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Kinds of services with the needs that each helps with. A change is a new edition with its day."""

    name: str
    edition: date
    source: str
    needs_of: Mapping[str, frozenset[str]]


def _table(text: str) -> Mapping[str, frozenset[str]]:
    rows = (line.split() for line in text.strip().splitlines())
    return MappingProxyType({kind: frozenset(needs) for kind, *needs in rows})


SERVICE_TYPES = Taxonomy(
    name="carehub-services",
    edition=date(2026, 11, 28),
    source="CareHub's own list, keyed to the domains of SDOHCC-CodeSystemTemporaryCodes (Gravity, SDOHCC)",
    needs_of=_table("""
        food-pantry food-insecurity
        meal-delivery food-insecurity
        snap-help food-insecurity financial-insecurity
        wic food-insecurity
        emergency-shelter homelessness housing-instability
        rent-assistance housing-instability financial-insecurity
        housing-navigation housing-instability homelessness inadequate-housing
        utility-help utility-insecurity
        nemt transportation-insecurity
        ride-volunteer transportation-insecurity
        ride-voucher transportation-insecurity
        bus-pass transportation-insecurity
        legal-aid housing-instability health-insurance-coverage-status incarceration-status
        job-help employment-status
        violence-hotline intimate-partner-violence elder-abuse
        child-care material-hardship
        peer-support social-connection stress
        phone-internet digital-access digital-literacy
        home-modification inadequate-housing
        """),
)


def needs_of(codes: Iterable[str]) -> frozenset[str]:
    """The needs that the terms of a service stand for: terms of our list, and needs by their own names."""
    found = set[str]()
    for code in codes:
        found |= SERVICE_TYPES.needs_of.get(code, frozenset({code} & NEEDS))
    return frozenset(found)
