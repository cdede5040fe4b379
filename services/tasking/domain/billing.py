"""What is paid for coordination: dated rules, as protocols/billing has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from services.tasking.domain.role_class import RoleClass

RULES = Path(__file__).parent.parent / "protocols" / "billing" / "us-medicare.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A rule and the days on which it holds, both included."""

    effective_from: date
    effective_to: date | None

    def holds_on(self, day: date) -> bool:
        return self.effective_from <= day and (not self.effective_to or day <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcmRule(Dated):
    """When transitional care can be billed. `left_from`: classes of visits; `left_to`: dispositions."""

    left_from: frozenset[str]
    left_to: frozenset[str]
    visit_days_high: int
    visit_days: int
    period_days: int
    attempts: int
    high: str
    moderate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A code for the first minutes of a month, and one for each full unit after them."""

    code: str
    first: int
    add_on: str
    each: int
    most: int | None

    def codes(self, minutes: int) -> tuple[str, ...]:
        if minutes < self.first:
            return ()
        more = (minutes - self.first) // self.each
        return (self.code, *[self.add_on] * (more if self.most is None else min(more, self.most)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CcmRule(Dated):
    """What the minutes of chronic care in a month can be billed as: one family, never two."""

    clinical_staff: Units
    complex: Units
    physician_npp: Units

    def codes(self, minutes: int, role: RoleClass, *, is_complex: bool = False) -> tuple[str, ...]:
        if role is RoleClass.PHYSICIAN_NPP:
            return self.physician_npp.codes(minutes)
        if role is not RoleClass.CLINICAL_STAFF:
            return ()
        # Too few for the complex family are still enough for the other.
        complex_ = self.complex.codes(minutes) if is_complex else ()
        return complex_ or self.clinical_staff.codes(minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRules:
    version: str
    sources: tuple[str, ...]
    roles: Mapping[str, RoleClass]
    counted: frozenset[str]
    activities: frozenset[str]
    programs: frozenset[str]
    program_of_protocol: Mapping[str, str]
    activity_of_step: Mapping[str, str]
    tcm: tuple[TcmRule, ...]
    ccm: tuple[CcmRule, ...]

    def class_of(self, roles: Sequence[str]) -> RoleClass:
        """Of several roles the one whose minutes are worth most."""
        held = {self.roles.get(role, RoleClass.ADMIN) for role in roles} | {RoleClass.ADMIN}
        return next(each for each in RoleClass if each in held)


T = TypeVar("T", bound=Dated)


def rule_on(rules: Sequence[T], day: date) -> T | None:
    """The rule that holds on a day."""
    return next((rule for rule in rules if rule.holds_on(day)), None)


@cache
def billing_rules() -> BillingRules:
    read = yaml.safe_load(RULES.read_text("utf-8"))
    activities = read["activities"]
    return BillingRules(
        version=read["version"],
        sources=tuple(read["sources"]),
        roles={role: RoleClass(kind) for role, kind in read["roles"].items()},
        counted=frozenset(activities["counted"]),
        activities=frozenset(activities["counted"]) | frozenset(activities["not_counted"]),
        programs=frozenset(read["programs"]),
        program_of_protocol=read["program_of_protocol"],
        activity_of_step=read["activity_of_step"],
        tcm=tuple(_tcm(rule) for rule in read["tcm"]),
        ccm=tuple(_ccm(rule) for rule in read["ccm"]),
    )


def _tcm(rule: Mapping[str, Any]) -> TcmRule:
    places = {name: frozenset(rule[name]) for name in ("left_from", "left_to")}
    return TcmRule(**{**rule, **places})


def _ccm(rule: Mapping[str, Any]) -> CcmRule:
    return CcmRule(
        effective_from=rule["effective_from"],
        effective_to=rule["effective_to"],
        clinical_staff=Units(**rule["clinical_staff"]),
        complex=Units(**rule["complex"]),
        physician_npp=Units(**rule["physician_npp"]),
    )
