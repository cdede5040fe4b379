"""Conditions: what they may say, what they answer when something is not known, and how they refuse."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.chassis.errors import FailedPrecondition
from services.tasking.domain.conditions import ConditionInvalid
from services.tasking.domain.words import vocabulary

WORDS = vocabulary(names=["high_risk"])
LOOKING = vocabulary(searching=True)
FACTS = {
    "encounter.visit_class": "INPATIENT",
    "encounter.diagnoses": ["I50.1", "E11.9"],
    "encounter.admitted_at": datetime(2026, 9, 1, 12, tzinfo=UTC),
    "encounter.discharged_at": None,
    "encounter.is_discharged": False,
    "patient.is_deceased": False,
    "high_risk": True,
}


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ('encounter.visit_class in ["INPATIENT", "OBSERVATION"]', True),
        ('encounter.diagnoses.exists(code, code.matches("^(I50|J44)"))', True),
        ('encounter.diagnoses.exists(code, code.startsWith("J44"))', False),
        ("high_risk && !encounter.is_discharged", True),
        ('encounter.admitted_at < timestamp("2026-09-02T00:00:00Z")', True),
    ],
)
def test_a_condition_says_whether_it_is_so(text, is_so):
    assert WORDS.compile(text).holds(FACTS) is is_so


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("encounter.discharged_at > encounter.admitted_at", False),
        ("!(encounter.discharged_at > encounter.admitted_at)", False),
        ("high_risk || encounter.discharged_at > encounter.admitted_at", True),
        ("high_risk && encounter.discharged_at > encounter.admitted_at", False),
        ("patient.is_deceased && encounter.discharged_at > encounter.admitted_at", False),
        ('patient.language == "es"', False),
    ],
)
def test_what_is_not_known_makes_no_condition_true(text, is_so):
    assert WORDS.compile(text).holds(FACTS) is is_so


@pytest.mark.parametrize(
    ("text", "problem", "help_"),
    [
        (
            'encounter.visit_clas == "A"',
            "encounter.visit_clas is not known",
            "encounter.visit_class",
        ),
        ("hi_risk", "hi_risk is not known here", "high_risk"),
        ("wishes(encounter)", "is not known here", "docs/protocols.md"),
        ("encounter.visit_class == 3", "== cannot be used with a text and a number", "quotes"),
        ('encounter.admitted_at > "2026"', "cannot be used with a moment and a text", "quotes"),
        ("encounter.is_discharged &&", "cannot be read at its end", "bracket"),
        ('patient.language == "es', "cannot be read at character 21 of line 1", "quote"),
        ("encounter.visit_class", "is not a yes or a no", "Compare"),
        ('encounter.state.matches("(")', "fails when it runs: ", "docs/protocols.md"),
        ('encounter.diagnoses[7] == "I50"', "fails when it runs: ", "docs/protocols.md"),
        ('other.state == "FINISHED"', "other.state is not known here", "encounter.state"),
        ("(" * 200 + "true" + ")" * 200, "cannot be understood", "docs/protocols.md"),
        ("true && " * 200 + "true", "longer than", "conditions"),
        ("[1].all(a, [2].all(b, [3].all(c, true)))", "walks through lists", "conditions"),
    ],
)
def test_a_bad_condition_says_what_is_wrong_and_how_to_mend_it(text, problem, help_):
    with pytest.raises(ConditionInvalid) as error:
        WORDS.compile(text)
    assert problem in error.value.problem
    assert help_ in error.value.help


def test_a_condition_can_look_at_another_encounter():
    condition = LOOKING.compile("other.starts_after_discharge && other.days_after_discharge <= 30")
    assert condition.holds({"other.starts_after_discharge": True, "other.days_after_discharge": 3})
    assert not condition.holds({"other.starts_after_discharge": True})


def test_a_condition_that_fails_on_a_record_never_tells_the_record():
    condition = WORDS.compile("1 / encounter.diagnoses.size() == 1")
    with pytest.raises(FailedPrecondition) as error:
        condition.holds({"encounter.diagnoses": [], "patient.language": "secret"})
    assert error.value.reason == "CONDITION_FAILED"
    assert "secret" not in repr(error.value) + str(error.value.metadata)


def test_conditions_with_the_same_text_are_the_same():
    assert WORDS.compile("high_risk") == WORDS.compile("high_risk")
    assert len({WORDS.compile("high_risk"), WORDS.compile("high_risk")}) == 1


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("()[]{}\"'.,!&|=<>?:+-*/%adest10 \n", max_size=60))
def test_no_text_is_anything_but_a_condition_or_refused(text):
    try:
        condition = WORDS.compile(text)
    except ConditionInvalid:
        return
    assert condition.holds(FACTS) in (True, False)
