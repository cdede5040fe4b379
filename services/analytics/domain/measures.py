"""Measures as plain functions: the units, what each came to, and what shows it.

Days are those of the hospital's calendar. A unit whose window is open is pending, so that a rate never sinks because it
is early.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.analytics.domain.instrument import read_instrument
from services.analytics.domain.rate import Status, Unit
from services.analytics.domain.stay import Visit, VisitClass

CONTACT, WEEK, FORTNIGHT = "contact-2-business-days", "follow-up-7-days", "follow-up-14-days"
READMISSION, REFERRAL = "readmission-30-days", "referral-closed"
_BEDS = frozenset({VisitClass.INPATIENT})
_SEEN = frozenset({VisitClass.OUTPATIENT, VisitClass.RECURRING})
# Ends of a loop after which nobody can be reached at home any more, or that nobody had to follow.
_NOT_FOLLOWED = frozenset({"NOT_ELIGIBLE", "DISCHARGE_CANCELLED", "ADMISSION_CANCELLED"})
_GONE = frozenset({"DECEASED", "READMITTED"})


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


def definitions() -> Mapping[str, Mapping[str, Any]]:
    """Every measure's title, definition, unit and source, by its key."""
    told: Mapping[str, Mapping[str, Any]] = read_instrument("measures-2026")["measures"]
    return told


def contacts(discharges: Iterable[FollowedDischarge], now: datetime) -> list[Unit]:
    """Whether each was reached, or tried often enough, in time."""
    return [_contact(each, now) for each in discharges]


def _contact(each: FollowedDischarge, now: datetime) -> Unit:
    at = each.contacted_at
    if each.close_reason in _NOT_FOLLOWED:
        return _of(each, Status.EXCLUDED, each.close_reason)
    if at and at <= each.contact_due_at:
        return _of(each, Status.MET, "CONTACTED", each.contact_evidence_id)
    if each.is_gone_by(each.contact_due_at):
        return _of(each, Status.EXCLUDED, each.close_reason)
    if now <= each.contact_due_at:
        return _of(each, Status.PENDING, "WINDOW_OPEN")
    return _of(each, Status.NOT_MET, "LATE" if at else "NOT_CONTACTED", each.contact_evidence_id)


def follow_ups(
    discharges: Iterable[FollowedDischarge],
    visits: Mapping[UUID, Sequence[Visit]],
    zones: Mapping[UUID, str],
    now: datetime,
    key: str = WEEK,
) -> list[Unit]:
    """Whether each patient was seen in time. `visits` by patient, `zones` by facility."""
    days = definitions()[key]["days"]
    return [
        _follow_up(d, visits.get(d.patient_id, ()), ZoneInfo(zones[d.facility_id]), now, days)
        for d in discharges
    ]


def _follow_up(
    each: FollowedDischarge, visits: Sequence[Visit], zone: ZoneInfo, now: datetime, days: int
) -> Unit:
    last = _day(each.discharged_at, zone) + timedelta(days=days)
    seen = [
        v
        for v in visits
        if v.visit_class in _SEEN
        and v.admitted_at > each.discharged_at
        and _day(v.admitted_at, zone) <= last
    ]
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    if each.close_reason in _NOT_FOLLOWED:
        return _of(each, Status.EXCLUDED, each.close_reason)
    if seen:
        return _of(each, Status.MET, "SEEN", min(seen, key=lambda v: (v.admitted_at, v.id)).id)
    if each.is_gone_by(end):
        return _of(each, Status.EXCLUDED, each.close_reason)
    if now < end:
        return _of(each, Status.PENDING, "WINDOW_OPEN")
    return _of(each, Status.NOT_MET, "NOT_SEEN")


def _of(
    each: FollowedDischarge, status: Status, reason: str, evidence_id: UUID | None = None
) -> Unit:
    return Unit(
        id=each.encounter_id,
        patient_id=each.patient_id,
        facility_id=each.facility_id,
        status=status,
        reason=reason,
        evidence_id=evidence_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spell:
    """Stays that follow each other on the same or the next day: one, of the last hospital."""

    first: Visit
    last: Visit


def readmissions(visits: Iterable[Visit], zones: Mapping[UUID, str], now: datetime) -> list[Unit]:
    """For each stay of one patient that has ended alive: whether an unplanned one began 1 to 30 days later."""
    rule = definitions()[READMISSION]
    spells = _spells([v for v in visits if v.visit_class in _BEDS], zones)
    following = [*spells[1:], None]
    return [
        _readmission(spell, after, zones, now, rule)
        for spell, after in zip(spells, following, strict=True)
        if spell.last.discharged_at
    ]


def _spells(stays: Iterable[Visit], zones: Mapping[UUID, str]) -> list[_Spell]:
    out = list[_Spell]()
    for stay in sorted(stays, key=lambda v: (v.admitted_at, v.id)):
        if out and _goes_on(out[-1].last, stay, zones):
            out[-1] = _Spell(first=out[-1].first, last=max(out[-1].last, stay, key=_end))
        else:
            out.append(_Spell(first=stay, last=stay))
    return out


def _goes_on(stay: Visit, after: Visit, zones: Mapping[UUID, str]) -> bool:
    """A stay of the same day is part of it; at another hospital, one of the next day is a transfer, too."""
    if stay.discharged_at is None:
        return True
    most = 0 if after.facility_id == stay.facility_id else 1
    return _days(stay.discharged_at, after.admitted_at, stay, zones) <= most


def _end(stay: Visit) -> tuple[bool, datetime]:
    return stay.discharged_at is None, stay.discharged_at or stay.admitted_at


def _readmission(
    spell: _Spell,
    after: _Spell | None,
    zones: Mapping[UUID, str],
    now: datetime,
    rule: Mapping[str, Any],
) -> Unit:
    stay, ended = spell.last, spell.last.discharged_at
    assert ended is not None  # noqa: S101 the caller looked
    days = _days(ended, after.first.admitted_at, stay, zones) if after else None
    status, reason = Status.NOT_MET, "NOT_READMITTED"
    if stay.disposition in rule["excluded_dispositions"]:
        status, reason = Status.EXCLUDED, "DIED_OR_LEFT"
    elif after and days is not None and days <= rule["days"]:
        is_planned = after.first.admission_type in rule["planned_types"]
        status = Status.NOT_MET if is_planned else Status.MET
        reason = "PLANNED" if is_planned else "READMITTED"
    elif _days(ended, now, stay, zones) <= rule["days"]:
        status, reason = Status.PENDING, "WINDOW_OPEN"
    return Unit(
        id=stay.id,
        patient_id=stay.patient_id,
        facility_id=stay.facility_id,
        status=status,
        reason=reason,
        evidence_id=after.first.id if after and reason in {"READMITTED", "PLANNED"} else None,
    )


def referrals_closed(referrals: Iterable[SentReferral], now: datetime) -> list[Unit]:
    """Whether each referral that was sent ended as done in time."""
    within = timedelta(days=definitions()[REFERRAL]["days"])
    return [_referral(each, now, within) for each in referrals]


def _referral(each: SentReferral, now: datetime, within: timedelta) -> Unit:
    end = each.sent_at + within
    in_time = each.ended_at is not None and each.ended_at <= end
    if each.is_completed and in_time:
        status, reason = Status.MET, "COMPLETED"
    elif in_time or now > end:
        status, reason = Status.NOT_MET, each.state_reason or "NOT_ENDED"
    else:
        status, reason = Status.PENDING, "WINDOW_OPEN"
    return Unit(
        id=each.id,
        patient_id=each.patient_id,
        facility_id=each.facility_id,
        status=status,
        reason=reason,
        evidence_id=each.id if status is Status.MET else None,
    )


def _days(start: datetime, end: datetime, stay: Visit, zones: Mapping[UUID, str]) -> int:
    zone = ZoneInfo(zones[stay.facility_id])
    return (_day(end, zone) - _day(start, zone)).days


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
