"""Templates of care plans: goals and activities that usually belong together, as versioned data with their sources.

Every version that was ever shipped stays in `templates/`, since a plan keeps the one that it began with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from libs.chassis.errors import NotFound
from services.careplans.domain.around import Where

SHIPPED = Path(__file__).parent.parent / "templates"


class TemplateError(Exception):
    """A shipped template that cannot be read: the service does not start with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When something is due: on a date that the loop counted, with a step of it, or days after the plan began."""

    key_date: str = ""
    step: str = ""
    days: int | None = None

    def counted_from(self, began_on: date) -> date:
        """The day, of a template that people open."""
        return began_on + timedelta(days=self.days or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateGoal:
    """A goal to be, with how one sees that it is reached."""

    key: str
    text: str
    measure: str
    due: When
    source: str
    owner_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateActivity:
    """Something that somebody is to do and that no task stands for."""

    key: str
    title: str
    role: str
    due: When
    source: str
    goals: tuple[str, ...] = ()
    at: Where = Where.HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a plan is made from. `protocol`: whose loops open it; empty, people do."""

    key: str
    version: int
    title: str
    sources: tuple[str, ...]
    goals: tuple[TemplateGoal, ...]
    activities: tuple[TemplateActivity, ...]
    protocol: str = ""
    steps: Mapping[str, tuple[str, ...]]


def template(key: str, version: int = 0) -> Template:
    """A version of a template; 0 is the newest. NOT_FOUND if there is none."""
    found = [each for each in shipped() if each.key == key and version in (0, each.version)]
    if not found:
        raise NotFound("TEMPLATE_NOT_FOUND", "There is no such template of care plans.")
    return found[-1]


def newest() -> tuple[Template, ...]:
    """The newest version of every template, by key."""
    return tuple({each.key: each for each in shipped()}.values())


def of_protocol(protocol: str) -> Template | None:
    """The template that a loop of this protocol opens."""
    return next((each for each in newest() if each.protocol and each.protocol == protocol), None)


@cache
def shipped() -> tuple[Template, ...]:
    """All versions of all templates, by key and version."""
    found = [read_template(file.read_text("utf-8")) for file in SHIPPED.glob("*.yaml")]
    return tuple(sorted(found, key=lambda each: (each.key, each.version)))


def read_template(text: str) -> Template:
    """The template that a text says. Raises TemplateError for one that no plan can follow."""
    told = yaml.safe_load(text)
    try:
        found = Template(
            key=told["key"],
            version=int(told["version"]),
            title=told["title"],
            protocol=told.get("protocol", ""),
            sources=tuple(told["sources"]),
            goals=tuple(_goal(each) for each in told["goals"]),
            steps={step: tuple(goals) for step, goals in told.get("steps", {}).items()},
            activities=tuple(_activity(each) for each in told.get("activities", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"it cannot be read: {error}") from error
    _check(found)
    return found


def _goal(told: Mapping[str, Any]) -> TemplateGoal:
    return TemplateGoal(
        key=told["key"],
        text=told["text"],
        measure=told["measure"],
        due=When(**told["due"]),
        source=told["source"],
        owner_step=told.get("owner", {}).get("step", ""),
    )


def _activity(told: Mapping[str, Any]) -> TemplateActivity:
    return TemplateActivity(
        key=told["key"],
        title=told["title"],
        role=told["role"],
        due=When(**told["due"]),
        source=told["source"],
        goals=tuple(told.get("goals", ())),
        at=Where(told.get("at", "")),
    )


def _check(found: Template) -> None:
    """Whatever is served is a goal; and what people open can be counted without a loop."""
    goals = {goal.key for goal in found.goals}
    served = {key for keys in found.steps.values() for key in keys}
    served |= {key for activity in found.activities for key in activity.goals}
    if not found.sources or served - goals:
        raise TemplateError(f"{found.key}: no sources, or no such goals: {sorted(served - goals)}")
    parts: tuple[TemplateGoal | TemplateActivity, ...] = (*found.goals, *found.activities)
    for each in parts:
        is_counted = each.due.days is not None
        if is_counted is bool(found.protocol) or (found.protocol and not _is_told(each.due)):
            raise TemplateError(f"{found.key}: {each.key} is due at no time that is known")


def _is_told(due: When) -> bool:
    return bool(due.key_date) is not bool(due.step)
