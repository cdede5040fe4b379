"""The reference decider and its matrix, by hand: what is compared with must itself be right."""

from datetime import UTC, date, datetime
from itertools import combinations
from math import prod

import pytest

from tests.reference.decider import may, reasons
from tests.reference.matrix import DIMENSIONS, covering, full_size, situation_of, subset
from tests.reference.terms import birthday

HERE = {
    "relationship": "none",
    "consent": "nothing said",
    "patient": "adult",
    "time": "on the eve",
    "row": "clinical",
    "purpose": "TREATMENT",
    "asker": "a colleague",
}


def shown(**told: str) -> bool:
    return may(*situation_of(tuple({**HERE, **told}.values())))


def why(**told: str) -> list[str]:
    return reasons(*situation_of(tuple({**HERE, **told}.values())))


ALONE = "the person alone"
ALLOWED: list[tuple[str, dict[str, str]]] = [
    ("OWN", {"relationship": "own row"}),
    ("OWN", {"relationship": "own row", "consent": "deny", "row": "withheld"}),
    ("OWN", {"relationship": "own row", "patient": "merged into another"}),
    ("OWN", {"relationship": "own row", "patient": "under no policy"}),
    ("REGISTERED", {"relationship": "registered, agreement", "row": "demographics"}),
    ("TREATED", {"relationship": "treated, agreement"}),
    ("TREATED", {"relationship": "treated, agreement", "purpose": "EMERGENCY"}),
    ("TREATED", {"relationship": "treated, agreement", "row": "HIV and STD results"}),
    ("TREATED", {"relationship": "treated, agreement", "row": "addiction, Part 2 program",
                 "consent": "permit all"}),
    ("TREATED", {"relationship": "treated, agreement with opt-in", "consent": "permit all"}),
    ("TREATED", {"relationship": "treated, agreement in part", "row": "result",
                 "purpose": "CARE_COORDINATION"}),
    ("TREATED", {"relationship": "treated, agreement", "time": "at the start"}),
    ("CARE_TEAM", {"relationship": "person on the care team, agreement", "asker": ALONE}),
    ("CARE_TEAM", {"relationship": "team on the care team, agreement",
                   "asker": "a colleague of the team"}),
    ("REFERRED", {"relationship": "referred to a facility", "row": "referral"}),
    ("REFERRED", {"relationship": "referred outside", "row": "demographics",
                  "asker": "the organization"}),
    ("SELF", {"relationship": "the patient", "asker": ALONE, "purpose": "PATIENT_REQUEST",
              "row": "addiction, Part 2 program"}),
    ("PROXY", {"relationship": "parent", "asker": ALONE, "purpose": "FAMILY_REQUEST",
               "patient": "turns 12", "row": "mental health visit"}),
    ("PROXY", {"relationship": "parent", "asker": ALONE, "purpose": "FAMILY_REQUEST",
               "patient": "turns 18", "row": "result"}),
    ("CONSENT", {"consent": "permit a facility", "row": "addiction, Part 2 program"}),
    ("CONSENT", {"consent": "permit a person counseling notes", "row": "counseling notes",
                 "asker": ALONE}),
    ("CONSENT", {"consent": "permit a person, deny all", "asker": ALONE}),
    ("BREAK_GLASS", {"relationship": "glass broken", "asker": ALONE, "purpose": "EMERGENCY"}),
    ("PART2_EMERGENCY", {"relationship": "glass broken, Part 2 emergency", "asker": ALONE,
                         "purpose": "EMERGENCY", "row": "addiction, Part 2 program"}),
]  # fmt: skip
REFUSED: list[dict[str, str]] = [
    {},
    {"relationship": "own row", "row": "counseling notes"},
    {"relationship": "own row", "row": "not labelled at all"},
    {"relationship": "own row", "purpose": "FAMILY_REQUEST"},
    {"relationship": "barred parent who works here", "asker": "the person at work"},
    {"relationship": "barred parent who works here", "asker": "the person at work",
     "patient": "merged into another"},
    {"relationship": "barred parent who works here", "asker": "the person at work",
     "patient": "under no policy"},
    {"relationship": "registered, agreement"},
    {"relationship": "treated, no agreement"},
    {"relationship": "treated, not covered"},
    {"relationship": "treated, agreement about others"},
    {"relationship": "treated, agreement with opt-in"},
    {"relationship": "treated, agreement that ends", "time": "on the birthday"},
    {"relationship": "treated, agreement", "time": "before"},
    {"relationship": "treated, agreement", "time": "relations ended"},
    {"relationship": "treated, agreement", "row": "withheld"},
    {"relationship": "treated, agreement", "row": "addiction, Part 2 program"},
    {"relationship": "treated, agreement", "purpose": "PAYMENT"},
    {"relationship": "treated, agreement", "consent": "deny"},
    {"relationship": "treated, agreement", "patient": "merged into another"},
    {"relationship": "treated, agreement", "patient": "under no policy"},
    {"relationship": "treated, agreement", "patient": "under a strict policy",
     "row": "HIV and STD results"},
    {"relationship": "treated, agreement", "consent": "permit, superseded",
     "row": "addiction, Part 2 program"},
    {"relationship": "treated, agreement", "consent": "permit, verbal",
     "row": "addiction, Part 2 program"},
    {"relationship": "person on the care team, has left", "asker": ALONE},
    {"relationship": "referred to a facility"},
    {"relationship": "the patient", "asker": ALONE, "purpose": "PATIENT_REQUEST",
     "patient": "turns 12"},
    {"relationship": "the patient", "asker": ALONE, "purpose": "PATIENT_REQUEST",
     "patient": "with a hold"},
    {"relationship": "parent", "asker": ALONE, "purpose": "FAMILY_REQUEST",
     "patient": "turns 18", "row": "mental health visit"},
    {"relationship": "parent", "asker": ALONE, "purpose": "FAMILY_REQUEST",
     "patient": "turns 18", "time": "on the birthday"},
    {"relationship": "parent", "asker": ALONE, "purpose": "FAMILY_REQUEST",
     "patient": "turns 12", "time": "on the birthday", "row": "message"},
    {"consent": "permit a facility", "time": "consents lapsed"},
    {"consent": "permit a facility, deny its organization"},
    {"consent": "permit all, deny a person", "relationship": "glass broken", "asker": ALONE,
     "purpose": "EMERGENCY"},
    {"relationship": "glass broken", "asker": ALONE, "purpose": "EMERGENCY",
     "time": "on the birthday"},
    {"relationship": "glass broken, stale login", "asker": ALONE, "purpose": "EMERGENCY"},
    {"relationship": "glass broken, Part 2, not medical", "asker": ALONE, "purpose": "EMERGENCY",
     "row": "addiction, Part 2 program"},
]  # fmt: skip


@pytest.mark.parametrize(("reason", "told"), ALLOWED)
def test_what_is_shown_is_shown_for_that_reason(reason: str, told: dict[str, str]):
    assert reason in why(**told)


@pytest.mark.parametrize("told", REFUSED)
def test_what_is_refused_is_refused(told: dict[str, str]):
    assert why(**told) == []


def test_a_birthday_on_a_leap_day_is_the_first_of_march_in_other_years():
    assert birthday(date(2008, 2, 29), 18) == datetime(2026, 3, 1, tzinfo=UTC)
    assert birthday(date(2008, 2, 29), 12) == datetime(2020, 2, 29, tzinfo=UTC)


def test_every_three_values_meet_in_the_subset():
    cells = subset()
    for three in combinations(range(len(DIMENSIONS)), 3):
        met = {tuple(cell[place] for place in three) for cell in cells}
        assert len(met) == prod(len(list(DIMENSIONS.values())[place]) for place in three)


def test_the_matrix_has_the_size_that_was_committed():
    """Change these numbers on purpose only: a value or a whole dimension that falls out is easily overlooked."""
    assert full_size() == 38_154_240
    assert len(subset()) == 26_506


def test_the_subset_is_always_the_same():
    assert subset() == subset()
    assert len(set(subset())) == len(subset())
    assert len(subset()) < full_size()
    small = {"a": ["1", "2"], "b": ["1", "2"], "c": ["1", "2"], "d": ["1", "2"]}
    assert len(covering(small)) == 8  # the orthogonal array is the best there is
