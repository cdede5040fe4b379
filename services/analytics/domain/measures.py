"""Measures as plain functions: the units, what each came to, and what shows it.

Days are those of the facility's calendar. A unit says when its window closes, from when on it counts, so that nothing has
to be computed anew when time passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from services.analytics.domain.instrument import read_instrument
from services.analytics.domain.rate import Status, Unit
from services.analytics.domain.stay import Visit, VisitClass

CONTACT, WEEK, FORTNIGHT = "contact-2-business-days", "follow-up-7-days", "follow-up-14-days"
READMISSION, REFERRAL = "readmission-30-days", "referral-closed"
CRITICAL_RESULT = "critical-result-60-minutes"
Zones = Mapping[UUID, str]  # of facilities
_BEDS = frozenset({VisitClass.INPATIENT})
_SEEN = frozenset({VisitClass.OUTPATIENT, VisitClass.RECURRING})
# Ends of a loop after which nobody can be reached at home any more, or that nobody had to follow.
_NOT_FOLLOWED = frozenset({"NOT_ELIGIBLE", "DISCHARGE_CANCELLED", "ADMISSION_CANCELLED"})
_GONE = frozenset({"DECEASED", "READMITTED"})
# Nobody had to be told: it was a repeat of an alarm, or is no longer what the protocol follows.
_NO_ALARM = "NOT_ELIGIBLE"
_ACKNOWLEDGE = "acknowledge"  # the step of tasking by which somebody is told


class _Placed(Protocol):
    @property
    def facility_id(self) -> UUID: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedDischarge:
    """A discharge that tasking follows, as its loop tells."""

    loop_id: UUID
    encounter_id: UUID
    patient_id: UUID
    facility_id: UUID
    discharged_at: datetime
    contact_due_at: datetime
    contacted_at: datetime | None
    contact_evidence_id: UUID | None
    close_reason: str
    closed_at: datetime | None
    stay: Visit | None = None  # None as long as nobody has told of it

    def is_gone_by(self, end: datetime) -> bool:
        """Whether death or another stay ended it before this moment."""
        return self.close_reason in _GONE and self.closed_at is not None and self.closed_at <= end


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReferral:
    """A referral that was sent, and how it ended."""

    id: UUID
    patient_id: UUID
    facility_id: UUID
    sent_at: datetime
    ended_at: datetime | None
    is_completed: bool
    state_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalResult:
    """A critical result that somebody has to be told of, as its loop tells."""

    id: UUID
    patient_id: UUID
    facility_id: UUID
    verified_at: datetime
    read_back_at: datetime | None
    read_back_evidence_id: UUID | None
    close_reason: str
    closed_at: datetime | None


def definitions() -> Mapping[str, Mapping[str, Any]]:
    """Every measure's title, definition, unit and source, by its key."""
    told: Mapping[str, Mapping[str, Any]] = read_instrument("measures-2026")["measures"]
    return told


def why_left_out(stay: Visit | None, key: str) -> str:
    """Why a measure looks at no such stay; empty if it does."""
    rules: Mapping[str, Mapping[str, Any]] = definitions()[key]["left_out"]
    return next((why for why, rule in rules.items() if stay and _is_meant(stay, rule)), "")


def _is_meant(stay: Visit, rule: Mapping[str, Any]) -> bool:
    return (
        stay.disposition in rule.get("dispositions", ())
        or stay.admission_type in rule.get("types", ())
        or any(first <= stay.category <= last for first, last in rule.get("diagnoses", ()))
    )


def shows_contact(kind: str, outcome: str) -> bool:
    """Whether what tasking has as evidence of the contact is one, or attempts that stand for it.

    What was chosen before tasking told outcomes counts: nobody knows what it was.
    """
    is_chosen = kind == "TASK_OUTCOME" and bool(outcome)
    return not is_chosen or outcome in definitions()[CONTACT]["reached_outcomes"]


def contacts(discharges: Iterable[FollowedDischarge], zones: Zones) -> list[Unit]:
    """Whether each was reached, or tried often enough, in time."""
    return [_contact(each, zones) for each in discharges]


def _contact(each: FollowedDischarge, zones: Zones) -> Unit:
    at, due = each.contacted_at, each.contact_due_at
    unit = _of(each, zones, due + timedelta(microseconds=1), "NOT_CONTACTED")
    if why := _why_not_followed(each, CONTACT):
        return replace(unit, status=Status.EXCLUDED, reason=why)
    if at and at <= due and not each.is_gone_by(at):
        evidence_id = each.contact_evidence_id
        return replace(unit, status=Status.MET, reason="CONTACTED", evidence_id=evidence_id)
    if each.is_gone_by(due):
        return replace(unit, status=Status.EXCLUDED, reason=each.close_reason)
    return replace(unit, status=Status.NOT_MET, reason="LATE") if at else unit


def follow_ups(
    discharges: Iterable[FollowedDischarge],
    visits: Mapping[UUID, Sequence[Visit]],
    zones: Zones,
    key: str = WEEK,
) -> list[Unit]:
    """Whether each patient was seen in time. `visits` by patient."""
    return [_follow_up(each, visits.get(each.patient_id, ()), zones, key) for each in discharges]


def _follow_up(each: FollowedDischarge, visits: Sequence[Visit], zones: Zones, key: str) -> Unit:
    days = definitions()[key]["days"]
    end = _end_of_day(_day(each.discharged_at, each, zones) + timedelta(days=days), each, zones)
    seen = [
        visit
        for visit in visits
        if visit.visit_class in _SEEN
        and each.discharged_at < visit.admitted_at < end
        and not each.is_gone_by(visit.admitted_at)  # then it follows up another stay
    ]
    unit = _of(each, zones, end, "NOT_SEEN")
    if why := _why_not_followed(each, key):
        return replace(unit, status=Status.EXCLUDED, reason=why)
    if seen:
        first = min(seen, key=lambda v: (v.admitted_at, v.id))
        return replace(unit, status=Status.MET, reason="SEEN", evidence_id=first.id)
    if each.is_gone_by(end):
        return replace(unit, status=Status.EXCLUDED, reason=each.close_reason)
    return unit


def _why_not_followed(each: FollowedDischarge, key: str) -> str:
    is_closed = each.close_reason in _NOT_FOLLOWED
    return each.close_reason if is_closed else why_left_out(each.stay, key)


def _of(each: FollowedDischarge, zones: Zones, settles_at: datetime, reason: str) -> Unit:
    return Unit(
        id=each.encounter_id,
        patient_id=each.patient_id,
        facility_id=each.facility_id,
        on=_day(each.discharged_at, each, zones),
        status=Status.PENDING,
        reason=reason,
        settles_at=settles_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spell:
    """Stays that follow each other on the same or the next day: one, of the last hospital."""

    first: Visit
    last: Visit


def readmissions(visits: Iterable[Visit], zones: Zones) -> list[Unit]:
    """For each stay of one patient that has ended alive: whether an unplanned one began 1 to 30 days later."""
    rule = definitions()[READMISSION]
    spells = _spells([v for v in visits if v.visit_class in _BEDS], zones)
    return [
        _readmission(spell.last, after.first if after else None, zones, rule)
        for spell, after in zip_longest(spells, spells[1:])
        if spell.last.discharged_at
    ]


def _spells(stays: Iterable[Visit], zones: Zones) -> list[_Spell]:
    out = list[_Spell]()
    for stay in sorted(stays, key=lambda v: (v.admitted_at, v.id)):
        if out and _goes_on(out[-1].last, stay, zones):
            out[-1] = _Spell(first=out[-1].first, last=max(out[-1].last, stay, key=_end))
        else:
            out.append(_Spell(first=stay, last=stay))
    return out


def _goes_on(stay: Visit, after: Visit, zones: Zones) -> bool:
    """A stay of the same day is part of it; at another hospital, one of the next day is a transfer, too.

    What has no end does not go on: perhaps nobody told it, and every later stay would be part of it.
    """
    if stay.discharged_at is None:
        return False
    most = 0 if after.facility_id == stay.facility_id else 1
    return _days(stay.discharged_at, after.admitted_at, stay, zones) <= most


def _end(stay: Visit) -> tuple[bool, datetime]:
    return stay.discharged_at is None, stay.discharged_at or stay.admitted_at


def _readmission(stay: Visit, after: Visit | None, zones: Zones, rule: Mapping[str, Any]) -> Unit:
    ended = stay.discharged_at or stay.admitted_at
    last = _day(ended, stay, zones) + timedelta(days=rule["days"])
    unit = Unit(
        id=stay.id,
        patient_id=stay.patient_id,
        facility_id=stay.facility_id,
        on=_day(ended, stay, zones),
        status=Status.PENDING,
        reason="NOT_READMITTED",
        settles_at=_end_of_day(last, stay, zones),
    )
    if why := why_left_out(stay, READMISSION):
        return replace(unit, status=Status.EXCLUDED, reason=why)
    if after is None or _day(after.admitted_at, stay, zones) > last:
        return unit
    if after.admission_type in rule["planned_types"]:
        return replace(unit, status=Status.NOT_MET, reason="PLANNED", evidence_id=after.id)
    return replace(unit, status=Status.MET, reason="READMITTED", evidence_id=after.id)


def referrals_closed(referrals: Iterable[SentReferral], zones: Zones) -> list[Unit]:
    """Whether each referral that was sent ended as done in time."""
    within = timedelta(days=definitions()[REFERRAL]["days"])
    return [_referral(each, zones, within) for each in referrals]


def _referral(each: SentReferral, zones: Zones, within: timedelta) -> Unit:
    end = each.sent_at + within
    unit = Unit(
        id=each.id,
        patient_id=each.patient_id,
        facility_id=each.facility_id,
        on=_day(each.sent_at, each, zones),
        status=Status.PENDING,
        reason="NOT_ENDED",
        settles_at=end + timedelta(microseconds=1),
    )
    if each.ended_at is None or each.ended_at > end:
        return unit
    if each.is_completed:
        return replace(unit, status=Status.MET, reason="COMPLETED", evidence_id=each.id)
    return replace(unit, status=Status.NOT_MET, reason=each.state_reason or "NOT_DONE")


def shows_read_back(step: str, outcome: str) -> bool:
    """Whether what tasking has as evidence says that the responsible clinician read the result back."""
    allowed = definitions()[CRITICAL_RESULT]["read_back_outcomes"]
    return step == _ACKNOWLEDGE and outcome in allowed


def results_read_back(results: Iterable[CriticalResult], zones: Zones) -> list[Unit]:
    """Whether each was read back in time, and how long that took."""
    rule = definitions()[CRITICAL_RESULT]
    return [_read_back(each, zones, rule) for each in results]


def _read_back(each: CriticalResult, zones: Zones, rule: Mapping[str, Any]) -> Unit:
    end, at = each.verified_at + timedelta(minutes=rule["minutes"]), each.read_back_at
    unit = Unit(
        id=each.id,
        patient_id=each.patient_id,
        facility_id=each.facility_id,
        on=_day(each.verified_at, each, zones),
        status=Status.PENDING,
        reason="NOT_READ_BACK",
        settles_at=end + timedelta(microseconds=1),
        took=max(at - each.verified_at, timedelta()) if at else None,
        evidence_id=each.read_back_evidence_id,
    )
    if each.close_reason == _NO_ALARM or (at is None and _is_over_by(each, end, rule["left_out"])):
        return replace(unit, status=Status.EXCLUDED, reason=each.close_reason, took=None)
    if at is None:
        return unit
    if at <= end:
        return replace(unit, status=Status.MET, reason="READ_BACK")
    return replace(unit, status=Status.NOT_MET, reason="READ_BACK_LATE")


def _is_over_by(each: CriticalResult, end: datetime, reasons: Sequence[str]) -> bool:
    is_over = each.close_reason in reasons
    return is_over and each.closed_at is not None and each.closed_at <= end


def _days(start: datetime, end: datetime, place: _Placed, zones: Zones) -> int:
    return (_day(end, place, zones) - _day(start, place, zones)).days


def _day(at: datetime, place: _Placed, zones: Zones) -> date:
    return at.astimezone(ZoneInfo(zones[place.facility_id])).date()


def _end_of_day(day: date, place: _Placed, zones: Zones) -> datetime:
    """The first moment that is no longer this day where the facility is."""
    midnight = datetime.min.time()
    return datetime.combine(
        day + timedelta(days=1), midnight, ZoneInfo(zones[place.facility_id])
    ).astimezone(UTC)
