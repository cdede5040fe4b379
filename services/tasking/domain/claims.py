"""What of a transition can be billed: transitional care, with the reasons where it cannot, and what shows it.

A pure function of the loop, its tasks and what a physician entered. It proposes and never sends anything. The dates count
by the calendar of the loop's facility; the rules are those of the day of the discharge.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from libs.calendars.calendar import Calendar
from services.tasking.domain.billing import BillingRules, TcmRule, rule_on
from services.tasking.domain.labels import Labels


class Mdm(StrEnum):
    """How hard the medical decisions of the period were. A physician says so."""

    UNKNOWN = "UNKNOWN"
    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"


class Reason(StrEnum):
    """Why it cannot be billed, or not yet."""

    NOT_ELIGIBLE_SOURCE = "not_eligible_source"
    SOURCE_UNKNOWN = "source_unknown"
    NOT_ELIGIBLE_DESTINATION = "not_eligible_destination"
    DESTINATION_UNKNOWN = "destination_unknown"
    NOT_DISCHARGED = "not_discharged"
    NO_RULE = "no_rule"
    CONTACT_PENDING = "contact_pending"
    CONTACT_MISSED = "contact_missed"
    FEWER_THAN_2_ATTEMPTS = "fewer_than_2_attempts"
    VISIT_PENDING = "visit_pending"
    NO_VISIT = "no_visit"
    VISIT_AFTER_DAY_14 = "visit_after_day_14"
    MDM_UNKNOWN = "mdm_unknown"
    MDM_LOW = "mdm_low"
    MEDREC_PENDING = "medrec_pending"
    MEDREC_LATE = "medrec_late"
    DECEASED = "deceased"
    READMITTED = "readmitted"
    PERIOD_OVERLAPS = "period_overlaps"
    OTHER_PROVIDER_BILLED = "other_provider_billed"
    GLOBAL_PERIOD = "global_period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Something that took place, and the id of what shows it."""

    at: datetime
    source_id: UUID
    kind: str
    staff_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """What nobody but people know of a period of thirty days."""

    mdm: Mdm = Mdm.UNKNOWN
    is_billed_elsewhere: bool = False
    is_global_period: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Judgment):
    """A judgment, of whose transition, by whom and when; the newest word counts."""

    loop_id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    staff_id: UUID
    said_at: datetime
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Out of what kind of stay the patient went, and where to, as the record has it."""

    loop_id: UUID
    visit_class: str = ""
    disposition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What is known of one discharge and the thirty days after it."""

    loop_id: UUID
    discharged_at: datetime | None
    left_from: str = ""
    left_to: str = ""
    contact_due_at: datetime | None = None
    contact: Shown | None = None
    attempts: tuple[Shown, ...] = ()
    visit: Shown | None = None
    reconciled: Shown | None = None
    died_at: datetime | None = None
    is_deceased: bool = False
    readmitted_at: datetime | None = None
    claimed_at: tuple[datetime, ...] = ()  # earlier discharges of the patient that could be billed
    judgment: Judgment = Judgment()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule that was looked at: what was found, and whether it holds."""

    rule: str
    finding: str
    holds: bool
    source_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What can be billed, or why nothing can; with everything that was looked at."""

    loop_id: UUID
    code: str
    reasons: tuple[Reason, ...]
    service_on: date | None
    rules_version: str
    effective_from: date | None
    effective_to: date | None
    trace: tuple[Check, ...]
    evidence: tuple[Shown, ...]

    @property
    def is_billable(self) -> bool:
        return bool(self.code)


def tcm_candidate(
    known: Transition, rules: BillingRules, calendar: Calendar, *, now: datetime
) -> Candidate:
    """The code, or the reasons why there is none; every rule is looked at, so that all reasons are said at once."""
    if known.discharged_at is None:
        return _nothing(known, rules, Reason.NOT_DISCHARGED)
    left_on = calendar.local_date(known.discharged_at)
    rule = rule_on(rules.tcm, left_on)
    if rule is None:
        return _nothing(known, rules, Reason.NO_RULE)
    looked = [
        *_eligible(known, rule),
        _contact(known, rule, now),
        _visit(known, rule, calendar, left_on, now),
        _reconciled(known, rule, calendar, left_on, now),
        *_interrupts(known, rule, calendar, left_on),
        _mdm(known),
        *_others(known),
    ]
    reasons = tuple(dict.fromkeys(reason for reason, _ in looked if reason))
    visit_on = calendar.local_date(known.visit.at) if known.visit else None
    return replace(
        _nothing(known, rules, *reasons),
        code="" if reasons or visit_on is None else _code(known, rule, (visit_on - left_on).days),
        service_on=visit_on,
        effective_from=rule.effective_from,
        effective_to=rule.effective_to,
        trace=tuple(check for _, check in looked),
    )


Looked = tuple[Reason | None, Check]


def _looked(
    rule: str, finding: str, reason: Reason | None, source_id: UUID | None = None
) -> Looked:
    return reason, Check(rule=rule, finding=finding, holds=reason is None, source_id=source_id)


def _eligible(known: Transition, rule: TcmRule) -> Iterable[Looked]:
    """Only what is known to count does."""
    unsaid = known.left_from in ("", "UNSPECIFIED")
    source = Reason.SOURCE_UNKNOWN if unsaid else Reason.NOT_ELIGIBLE_SOURCE
    if known.left_from in rule.left_from:
        yield _looked("discharge_from", "a stay that counts", None)
    else:
        yield _looked("discharge_from", "nobody told" if unsaid else "no such stay", source)
    to = Reason.NOT_ELIGIBLE_DESTINATION if known.left_to else Reason.DESTINATION_UNKNOWN
    if known.left_to in rule.left_to:
        yield _looked("discharge_to", "home", None)
    else:
        yield _looked("discharge_to", "not home" if known.left_to else "nobody told", to)


def _contact(known: Transition, rule: TcmRule, now: datetime) -> Looked:
    """Somebody was reached within two business days, or enough separate tries were made in time."""
    due_at, name = known.contact_due_at, "contact_within_2_business_days"
    if known.contact and due_at and known.contact.at <= due_at:
        return _looked(name, "reached in time", None, known.contact.source_id)
    timely = [each for each in known.attempts if due_at and each.at <= due_at]
    if len(timely) >= rule.attempts:
        found = f"{len(timely)} separate attempts in time"
        return _looked(name, found, None, timely[-1].source_id)
    if due_at and now <= due_at:
        return _looked(name, "not yet due", Reason.CONTACT_PENDING)
    if timely:
        return _looked(name, f"{len(timely)} in time", Reason.FEWER_THAN_2_ATTEMPTS)
    return _looked(name, "nobody tried in time", Reason.CONTACT_MISSED)


def _visit(
    known: Transition, rule: TcmRule, calendar: Calendar, left_on: date, now: datetime
) -> Looked:
    name = "visit_within_14_days"
    if known.visit is None:
        is_late = (calendar.local_date(now) - left_on).days > rule.visit_days
        return _looked(name, "no visit", Reason.NO_VISIT if is_late else Reason.VISIT_PENDING)
    day = (calendar.local_date(known.visit.at) - left_on).days
    reason = Reason.VISIT_AFTER_DAY_14 if day > rule.visit_days else None
    return _looked(name, f"on day {day}", reason, known.visit.source_id)


def _reconciled(
    known: Transition, rule: TcmRule, calendar: Calendar, left_on: date, now: datetime
) -> Looked:
    """No earlier than the day of the discharge, and no later than that of the visit."""
    name = "medicines_reconciled_by_the_visit"
    last = calendar.local_date(known.visit.at) if known.visit else None
    on = calendar.local_date(known.reconciled.at) if known.reconciled else None
    if known.reconciled is None or on is None or on < left_on:
        limit = last or left_on + timedelta(days=rule.visit_days)
        is_late = calendar.local_date(now) > limit
        found = "not since the discharge" if on else "not yet"
        return _looked(name, found, Reason.MEDREC_LATE if is_late else Reason.MEDREC_PENDING)
    reason = Reason.MEDREC_LATE if last and on > last else None
    return _looked(name, f"on day {(on - left_on).days}", reason, known.reconciled.source_id)


def _interrupts(
    known: Transition, rule: TcmRule, calendar: Calendar, left_on: date
) -> Iterable[Looked]:
    """A death within the period ends it; a stay before the visit leaves it to the second discharge, and what can be billed
    for an earlier one to that: never two at once.
    """
    last = left_on + timedelta(days=rule.period_days)
    died_on = calendar.local_date(known.died_at) if known.died_at else None
    # Who died, nobody knows when, may have died in the period.
    died = known.is_deceased and (died_on is None or died_on <= last)
    yield _looked(
        "alive_for_30_days", "died" if died else "no death known", Reason.DECEASED if died else None
    )
    back_at = known.readmitted_at
    is_back = bool(
        back_at
        and calendar.local_date(back_at) <= last
        and (known.visit is None or back_at <= known.visit.at)
    )
    found = "in hospital again before the visit" if is_back else "no stay before the visit"
    yield _looked("one_discharge_of_two", found, Reason.READMITTED if is_back else None)
    first = left_on - timedelta(days=rule.period_days)
    overlaps = any(first <= calendar.local_date(at) <= left_on for at in known.claimed_at)
    found = "another one can be billed" if overlaps else "no other known"
    yield _looked("once_in_30_days", found, Reason.PERIOD_OVERLAPS if overlaps else None)


def _mdm(known: Transition) -> Looked:
    level = known.judgment.mdm
    reasons = {Mdm.UNKNOWN: Reason.MDM_UNKNOWN, Mdm.LOW: Reason.MDM_LOW}
    return _looked("medical_decision_making", level.lower(), reasons.get(level))


def _others(known: Transition) -> Iterable[Looked]:
    judged = known.judgment
    other = Reason.OTHER_PROVIDER_BILLED if judged.is_billed_elsewhere else None
    yield _looked("one_practitioner", "billed elsewhere" if other else "nobody else known", other)
    surgery = Reason.GLOBAL_PERIOD if judged.is_global_period else None
    yield _looked("no_global_period", "in one" if surgery else "none known", surgery)


def _code(known: Transition, rule: TcmRule, day: int) -> str:
    is_high = known.judgment.mdm is Mdm.HIGH and day <= rule.visit_days_high
    return rule.high if is_high else rule.moderate


def _nothing(known: Transition, rules: BillingRules, *reasons: Reason) -> Candidate:
    """What is known, before any rule was looked at."""
    shown = (known.contact, *known.attempts, known.visit, known.reconciled)
    return Candidate(
        loop_id=known.loop_id,
        code="",
        reasons=reasons,
        service_on=None,
        rules_version=rules.version,
        effective_from=None,
        effective_to=None,
        trace=(),
        evidence=tuple(sorted((each for each in shown if each), key=lambda each: each.at)),
    )
