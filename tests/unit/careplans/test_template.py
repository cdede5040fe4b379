"""The templates that are shipped, and what cannot be one."""

import hashlib

import pytest

from libs.chassis.errors import NotFound
from services.careplans.domain.template import (
    SHIPPED,
    TemplateError,
    newest,
    of_protocol,
    read_template,
    shipped,
    template,
)

# A plan keeps the version that it began with. So a text that was shipped is never changed: make the next version.
WRITTEN = {
    "heart-failure.1.yaml": "5d6c33a5792fe254",
    "transition.1.yaml": "2beb46924a70c26f",
    "transition.2.yaml": "50cf892490718aea",
}
GOOD = """
key: x
version: 1
title: X
sources: [s]
goals: [{key: g, text: t, measure: m, due: {days: 3}, source: s}]
activities: [{key: a, title: t, role: nurse, due: {days: 3}, goals: [g], source: s}]
"""


def test_a_text_that_was_shipped_is_as_it_was():
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in SHIPPED.glob("*.yaml")
    }
    assert found == WRITTEN


def test_a_file_is_called_as_what_is_in_it():
    names = {f"{each.key}.{each.version}.yaml" for each in shipped()}
    assert names == {path.name for path in SHIPPED.glob("*.yaml")}


def test_every_goal_and_activity_says_where_it_comes_from_and_how_one_sees_it():
    for each in shipped():
        assert each.sources
        assert all(goal.measure and goal.source for goal in each.goals)
        assert all(activity.role and activity.source for activity in each.activities)


def test_loops_of_the_transition_open_theirs_and_others_none():
    assert of_protocol("discharge-transition") is template("transition")
    assert of_protocol("break-glass-review") is None
    assert of_protocol("") is None
    assert [each.key for each in newest()] == ["heart-failure", "transition"]
    with pytest.raises(NotFound):
        template("transition", 99)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("goals: [g]", "goals: [h]"),
        ("sources: [s]", "sources: []"),
        ("measure: m, ", ""),
        ("{days: 3}, source", "{key_date: period_end}, source"),
        ("{days: 3}", "{weeks: 3}"),
        ("title: X", "title: X\nprotocol: discharge-transition"),
    ],
)
def test_what_no_plan_can_follow_is_no_template(old, new):
    assert read_template(GOOD).key == "x"
    with pytest.raises(TemplateError):
        read_template(GOOD.replace(old, new, 1))
