"""Protocols from their text: the shipped ones, and everything that can be wrong with one, all at once."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tasking.domain.protocol import (
    ProtocolInvalid,
    parse_protocol,
    shipped_protocols,
    validate_protocol,
)
from services.tasking.domain.protocol_parts import DUTY_TEAM, EMAIL
from services.tasking.domain.words import KNOWN, SEARCHED

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocols.md"
SMALL = """\
key: small
title: A small protocol
effective_from: 2026-01-01
sources: [A book]
conditions:
  is_home: encounter.disposition == "01"
trigger:
  on: encounter
  when: encounter.is_discharged
  source: A book
why:
  - text: Sent home on {discharge}.
key_dates:
  call_due:
    title: Call by
    deadline: {after: discharge, business_days: 2}
    source: A book
ladders:
  default:
    - {at: 75%, notify: lead, by: [screen]}
    - {hours_late: 4, notify: duty_team, by: [screen, email]}
steps:
  - key: call
    title: Call the patient
    role: nurse
    when: is_home
    deadline: {after: discharge, business_days: 2}
    done_when: [Spoke with the patient]
    source: A book
"""


def problems_with(old: str, new: str) -> list[tuple[str, int, str, str]]:
    assert old in SMALL
    found = validate_protocol(SMALL.replace(old, new, 1))
    return [(each.path, each.line, each.problem, each.help) for each in found]


def test_a_small_protocol_is_valid():
    protocol = parse_protocol(SMALL, 3)
    assert (protocol.key, protocol.version, protocol.sources) == ("small", 3, ("A book",))
    assert protocol.text == SMALL
    assert [step.key for step in protocol.steps] == ["call"]


@pytest.mark.parametrize("text", shipped_protocols())
def test_a_shipped_protocol_is_valid_and_every_ladder_ends_at_the_duty_team_by_email(text):
    protocol = parse_protocol(text)
    for step in protocol.steps:
        assert step.ladder[-1].notify == DUTY_TEAM
        assert EMAIL in step.ladder[-1].channels


def test_the_discharge_transition_is_shipped():
    assert "discharge-transition" in {parse_protocol(text).key for text in shipped_protocols()}


@pytest.mark.parametrize(
    ("old", "new", "path", "line", "problem", "help_"),
    [
        ("    role: nurse\n", "    roll: nurse\n    role: nurse\n", "steps.call.roll", 25,
         "roll is not a part of steps.call", "Did you mean role?"),
        ("role: nurse", "role: nurze", "steps.call.role", 25, "nurze is not known here", "Did you mean nurse?"),
        ("    role: nurse\n", "", "steps.call.role", 23, "role is missing", "Add role: to steps.call."),
        ("when: is_home", "when: is_hom", "steps.call.when", 26, "is_hom is not known here", "Did you mean is_home?"),
        ("when: encounter.is_discharged", "when: encounter.is_discharged &&", "trigger.when", 9,
         "It cannot be read at its end", "bracket"),
        ("    deadline: {after: discharge, business_days: 2}\n    done_when", "    deadline: {business_days: 2}\n    done_when",
         "steps.call.deadline.after", 27, "after is missing", "Add after: to steps.call.deadline."),
        ("    deadline: {after: discharge, business_days: 2}\n    done_when", "    deadline: {after: dischrge, business_days: 2}\n    done_when",
         "steps.call.deadline.after", 27, "dischrge is not known here", "Did you mean discharge?"),
        ("    deadline: {after: discharge, business_days: 2}\n    done_when", "    deadline: {after: discharge}\n    done_when",
         "steps.call.deadline", 27, "It does not say how long in one unit", "business_days calendar_days hours"),
        ("    deadline: {after: discharge, business_days: 2}\n    done_when", "    deadline: {after: discharge, business_days: two}\n    done_when",
         "steps.call.deadline.business_days", 27, "It is not a number that fits", "Write a whole number from 0"),
        ("    deadline: {after: discharge, business_days: 2}\n    done_when", "    deadline: tomorrow\n    done_when",
         "steps.call.deadline", 27, "It is not a set of keys with values", "Write key: value"),
        ("    role: nurse\n", "    role: nurse\n    role: nurse\n", "steps.call.role", 26, "role is written twice", "Keep one"),
        ("    role: nurse\n", "    role: nurse\n    ladder: steep\n", "steps.call.ladder", 26,
         "steep is not known here", "Known: default."),
        ("    role: nurse\n", "    role: nurse\n    outcomes: [{key: asked, title: Asked, completes: false}]\n",
         "steps.call.outcomes", 26, "No outcome completes the step", "completes: false"),
        ("    role: nurse\n", "    role: nurse\n    outcomes: [{key: ok, title: Ok}, {key: no, title: No, needs_attempts: true}]\n",
         "steps.call.outcomes.no.needs_attempts", 26, "This step has no attempts", "attempts: {needed: 2, hours_apart: 2}"),
        ("    role: nurse\n", "    role: nurse\n    outcomes: [{key: ok, title: Ok}, {key: no, title: No, not_before: {after: discharge}}]\n",
         "steps.call.outcomes.no.not_before", 26, "It does not say how long in one unit", "calendar_days"),
        ("    role: nurse\n", "    role: nurse\n    outcomes: [{key: no, title: No, not_before: {after: discharge, hours: 2}}]\n",
         "steps.call.outcomes", 26, "No outcome completes the step", "not_before"),
        ("    role: nurse\n", "    role: nurse\n    outcomes: [{key: ok, title: Ok}, {key: no, title: No, completes: false, not_before: {after: discharge, hours: 2}}]\n",
         "steps.call.outcomes.no", 26, "It waits for something and completes nothing", "Leave out"),
        ("    role: nurse\n", "    role: nurse\n    attempts: {needed: 2, hours_apart: 2}\n    outcomes: [{key: ok, title: Ok}, {key: reached, title: Yes, needs_attempts: true}]\n",
         "steps.call.outcomes.reached", 27, "Reaching somebody waits for nothing", "Leave out"),
        ("notify: duty_team, by: [screen, email]", "notify: duty_team, by: [screen]", "ladders.default", 19,
         "It does not end at the duty team", "notify: duty_team"),
        ("at: 75%", "at: 75%, hours_late: 2", "ladders.default.0", 20, "It does not say when", "either at: 75%"),
        ("{discharge}", "{dischrage}", "why.0.text", 12, "{dischrage} cannot be filled in", "call_due"),
        ("2026-01-01", "January", "effective_from", 3, "It is not a day", "2026-01-31"),
        ("key: small", "key: Small Protocol", "key", 1, "Small Protocol is no key", "Small letters"),
        ("title: A small protocol", "title: ''", "title", 2, "It is empty", "Write something"),
        ("sources: [A book]", "sources: A book", "sources", 4, "It is not a list", "dash"),
        ("sources: [A book]", "sources: [A book", "", 5, "It is not YAML", "Check indentation"),
        ("sources: [A book]", "sources: &s [A book]\nnote: *s", "", 5, "It is not YAML: it uses an alias", "Check"),
        ("on: encounter", "on: birthday", "trigger.on", 8, "birthday is not known here", "Known: appointment, break_glass, encounter, question, referral, reply, result."),
    ],
)  # fmt: skip
def test_a_problem_names_its_place_and_how_to_mend_it(old, new, path, line, problem, help_):
    found = problems_with(old, new)
    assert any(
        at == path and on == line and what.startswith(problem) and help_ in how
        for at, on, what, how in found
    ), found
    assert len(found) == 1, found


def test_a_named_condition_that_is_wrong_is_said_once():
    (problem,) = problems_with('disposition == "01"', "disposition == 1")
    assert problem[:2] == ("conditions.is_home", 6)


def test_a_step_that_is_there_twice_is_found():
    step = SMALL[SMALL.index("  - key: call") :]
    assert [each.problem for each in validate_protocol(SMALL + step)] == [
        "call is used twice in steps"
    ]


def test_everything_wrong_is_said_at_once_in_the_order_of_the_text():
    text = SMALL.replace("nurse", "nurze").replace("is_home\n", "is_hom\n").replace("75%", "many")
    with pytest.raises(ProtocolInvalid) as error:
        parse_protocol(text)
    assert [each.path for each in error.value.problems] == [
        "ladders.default.0.at",
        "steps.call.role",
        "steps.call.when",
    ]
    assert error.value.reason == "PROTOCOL_INVALID"
    assert [field for field, _ in error.value.violations] == [
        each.path for each in error.value.problems
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "# nothing",
        "[]",
        "42",
        "- a\n- b",
        "a: b",
        "\x00",
        "[" * 5000,
        "- " * 5000,
        "a: b\n" * 9000,
        "a" * 60000,
    ],
)
def test_a_text_that_is_no_protocol_is_refused(text):
    assert validate_protocol(text)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_text_is_more_than_a_problem(data):
    node = yaml.safe_load(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        place = node
        while isinstance(place, dict | list) and place:
            key = data.draw(
                st.sampled_from(list(place) if isinstance(place, dict) else range(len(place)))
            )
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = data.draw(
                    st.sampled_from([None, "", 7, [], {}, ["x"], {"x": 1}, "x", True])
                )
                break
            place = place[key]
    for each in validate_protocol(yaml.safe_dump(node)):
        assert each.problem
        assert each.help


def test_the_document_explains_every_word_that_a_condition_can_say():
    document = DOCUMENT.read_text("utf-8")
    searched = (name for kinds in SEARCHED.values() for words in kinds.values() for name in words)
    known = (name for words in KNOWN.values() for name in words)
    assert {name for name in (*known, *searched) if f"`{name}`" not in document} == set()


def test_an_outcome_can_wait_for_attempts_and_for_a_day():
    outcomes = (
        "    attempts: {needed: 2, hours_apart: 2}\n"
        "    outcomes:\n"
        "      - {key: reached, title: Reached}\n"
        "      - {key: unable, title: Not, needs_attempts: true, not_before: {after: discharge, calendar_days: 29}}\n"
    )
    protocol = parse_protocol(SMALL.replace("    role: nurse\n", f"    role: nurse\n{outcomes}"))
    reached, unable = protocol.steps[0].outcomes
    assert (reached.needs_attempts, reached.not_before) == (False, None)
    assert unable.needs_attempts
    assert (unable.not_before.after, unable.not_before.unit, unable.not_before.count) == (
        "discharge",
        "calendar_days",
        29,
    )


def test_the_document_explains_every_part_of_an_outcome():
    document = DOCUMENT.read_text("utf-8")
    assert [
        name for name in ("completes", "needs_attempts", "not_before") if f"`{name}" not in document
    ] == []
