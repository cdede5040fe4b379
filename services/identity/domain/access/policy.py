"""The rules that differ by place and change with the law, as dated data.

Not legal advice: a network's counsel chooses the jurisdiction and may add a stricter one.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.identity.domain.access.terms import ALL_LABELS, KEPT_APART, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`free` are the labels that a treatment relationship shows without the patient's consent.

    Whoever has an emergency access that waits for its review for longer than `glass_review` opens no other.
    """

    jurisdiction: str
    version: int
    effective_on: date
    free: frozenset[Label]
    hidden_from_parents: frozenset[Label]
    adolescent_age: int
    adult_age: int
    treatment_lead: timedelta
    treatment_tail: timedelta
    break_glass: timedelta
    reauthentication: timedelta
    glass_review: timedelta
    sources: tuple[str, ...]


_HIDDEN_FROM_PARENTS = frozenset(
    {
        Label.SUD,
        Label.PART2,
        Label.MENTAL_HEALTH,
        Label.HIV,
        Label.STD,
        Label.REPRODUCTIVE,
        Label.VIOLENCE,  # abuse: the representative may be the abuser
        Label.MINOR_CONFIDENTIAL,
    }
)
# Federal law lets all of it flow for treatment, except Part 2 records and what is kept apart.
_FREE_FEDERAL = ALL_LABELS - KEPT_APART - {Label.PART2}
# Where the state asks for consent: minors, HIV, mental health, genetic, reproductive.
_FREE_STRICT = _FREE_FEDERAL - {
    Label.MINOR_CONFIDENTIAL,
    Label.HIV,
    Label.MENTAL_HEALTH,
    Label.GENETIC,
    Label.REPRODUCTIVE,
}
_SOURCES = (
    "42 CFR Part 2, 2024 final rule (89 FR 12472), effective 2024-04-16, compliance 2026-02-16: 2.31, 2.32, 2.51",
    "45 CFR 164.502(b): minimum necessary does not apply to treatment disclosures",
    "45 CFR 164.502(g)(3), (g)(5): minors, abuse; 164.508(a)(2): psychotherapy notes",
    "45 CFR 164.312(a): emergency access procedure; 60 minutes is our default",
    "ages 12 and 18, lead and tail of a treatment relationship, re-authentication, days to a review: our defaults",
)


def _policy(jurisdiction: str, free: frozenset[Label]) -> Policy:
    return Policy(
        jurisdiction=jurisdiction,
        version=1,
        effective_on=date(2024, 4, 16),
        free=free,
        hidden_from_parents=_HIDDEN_FROM_PARENTS,
        adolescent_age=12,
        adult_age=18,
        treatment_lead=timedelta(days=14),
        treatment_tail=timedelta(days=365),
        break_glass=timedelta(minutes=60),
        reauthentication=timedelta(minutes=5),
        glass_review=timedelta(days=5),
        sources=_SOURCES,
    )


# A change of the law is a new entry with its day; no entry is ever edited.
POLICIES = (_policy("US", _FREE_FEDERAL), _policy("US-STRICT", _FREE_STRICT))


def policy_at(jurisdiction: str, at: datetime) -> Policy | None:
    """The newest policy of the jurisdiction in effect; None is nobody's permission."""
    in_effect = [
        policy
        for policy in POLICIES
        if policy.jurisdiction == jurisdiction and policy.effective_on <= at.date()
    ]
    return max(in_effect, key=lambda policy: policy.effective_on, default=None)
