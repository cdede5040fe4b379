"""The same of what is no encounter: a missed visit, a referral, a reply, a question, a result; and of what people did about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.calendars.calendar import Calendar
from services.tasking.domain.conditions import Facts
from services.tasking.domain.deeds import Deed, Deeds
from services.tasking.domain.loop import loop_id
from services.tasking.domain.planned import EvidenceKind
from services.tasking.domain.protocol_parts import Among, Anchor, Protocol
from services.tasking.domain.record import (
    Candidate,
    Case,
    EncounterFacts,
    Found,
    Record,
    booking_words,
    discharged_at,
    in_turn,
    of_booking,
    of_visit,
    patient_words,
    risk_words,
    visit_words,
)
from services.tasking.domain.result import Result, is_repeat
from services.tasking.domain.told import (
    REJECTED,
    Appointment,
    Question,
    Referral,
    Reply,
)

STAYS = frozenset({"INPATIENT", "OBSERVATION", "PARTIAL"})
AHEAD = frozenset({"BOOKED", "ARRIVED"})
FOLLOW_UP = "FOLLOW_UP"
TAKEN_BACK = frozenset({"DRAFT", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read of a case, and, of a result, whether what it is was told."""

    anchors: Mapping[str, datetime | None]
    facts: Facts
    found: Mapping[Among, Found]


def read_case(protocol: Protocol, case: Case, calendar: Calendar, deeds: Deeds) -> Record:
    """The record in a protocol's words: what is known of the case, what was done, and the conditions that it names."""
    reading = _read(protocol, case, calendar, deeds)
    anchors: dict[str, datetime | None] = {deed.step: deed.at for deed in deeds.done}
    anchors |= {**reading.anchors, Anchor.DEATH: case.patient.died_at}
    facts: dict[str, object] = {
        **reading.facts,
        **patient_words(case.patient),
        **{f"outcome.{step.key}": "" for step in protocol.steps},
        **{f"outcome.{deed.step}": deed.outcome for deed in deeds.done},
        "attempts.made": deeds.attempts,
    }
    facts |= {name: condition.holds(facts) for name, condition in protocol.conditions}
    return Record(
        calendar=calendar,
        anchors={anchor: at for anchor, at in anchors.items() if at},
        facts=facts,
        found={
            among: tuple((each, {**facts, **words}) for each, words in found)
            for among, found in reading.found.items()
        },
    )


def _read(protocol: Protocol, case: Case, calendar: Calendar, deeds: Deeds) -> Reading:
    match case.of:
        case Appointment() as appointment:
            return _missed(protocol, case, appointment, calendar)
        case Referral() as referral:
            return _referred(case, referral)
        case Reply() as reply:
            return _replied(reply)
        case Result() as result:
            return _resulted(case, result, deeds.last_of(protocol.read_backs))
        case question:
            return _asked(question)


def _missed(protocol: Protocol, case: Case, now: Appointment, calendar: Calendar) -> Reading:
    """What is about the time that was missed. The same appointment at a later time stands instead of it."""
    missed, moved = now.as_missed, (now,) if now.is_moved else ()
    others = tuple(each for each in case.told.appointments if each.id != missed.id) + moved
    instead = _instead_of(missed.id, others) | {each.id for each in moved}
    stay = _stay_before(missed.start_at, case.visits)
    ours = loop_id(protocol.key, missed.id)
    replies = [r for r in case.told.replies if missed.id == r.appointment_id or ours == r.loop_id]
    return Reading(
        anchors={
            Anchor.MISSED: missed.start_at,
            Anchor.NEXT_VISIT: _next_visit(missed, instead, others),
        },
        facts={
            "appointment.state": missed.state,
            "appointment.purpose": missed.purpose,
            "appointment.start_at": missed.start_at,
            "patient.days_since_discharge": _days(
                discharged_at(stay) if stay else None, missed, calendar
            ),
            "reply.barrier": _newest_barrier(replies),
            **risk_words(case.told.risks, stay.id if stay else None),
        },
        found={
            Among.OTHER: in_turn(
                (of_visit(each), _later(each, missed, calendar)) for each in case.visits
            ),
            Among.BOOKING: in_turn(
                (of_booking(each), _booking(each, missed, instead, calendar)) for each in others
            ),
            Among.REPLY: in_turn((_of_reply(each), _reply_words(each)) for each in replies),
            Among.REFERRAL: in_turn(
                (_of_referral(each), _referral_words(each))
                for each in case.told.referrals
                if each.loop_id == ours or each.appointment_id in {missed.id, *instead}
            ),
        },
    )


def _instead_of(id: UUID, appointments: tuple[Appointment, ...]) -> set[UUID]:
    """The appointments that were booked instead of one, and instead of those."""
    found, more = set[UUID](), {id}
    while more:
        more = {each.id for each in appointments if each.rebooked_from_id in more} - found - {id}
        found |= more
    return found


def _stay_before(at: datetime, visits: tuple[EncounterFacts, ...]) -> EncounterFacts | None:
    """The stay that the patient had left last."""
    left = [
        (ended_at, visit.id, visit)
        for visit in visits
        if visit.visit_class in STAYS and (ended_at := discharged_at(visit)) and ended_at <= at
    ]
    return max(left, key=lambda each: each[:2])[2] if left else None


def _next_visit(
    missed: Appointment, instead: set[UUID], appointments: tuple[Appointment, ...]
) -> datetime | None:
    ahead = (
        each.start_at
        for each in appointments
        if each.state in AHEAD
        and each.start_at > missed.start_at
        and (each.id in instead or each.purpose == FOLLOW_UP)
    )
    return min(ahead, default=None)


def _newest_barrier(replies: list[Reply]) -> str:
    told = [(each.at, each.id, each.barrier) for each in replies if each.barrier]
    return max(told)[2] if told else ""


def _days(since: datetime | None, missed: Appointment, calendar: Calendar) -> int | None:
    if since is None:
        return None
    return (calendar.local_date(missed.start_at) - calendar.local_date(since)).days


def _days_after(at: datetime | None, missed: Appointment, calendar: Calendar) -> int | None:
    days = _days(at, missed, calendar)
    return None if days is None else -days


def _later(visit: EncounterFacts, missed: Appointment, calendar: Calendar) -> Facts:
    began_at = visit.admitted_at
    return {
        **visit_words("other", visit),
        "other.is_same_facility": visit.facility_id == missed.facility_id,
        "other.starts_after_missed": began_at is not None and began_at > missed.start_at,
        "other.days_after_missed": _days_after(began_at, missed, calendar),
    }


def _booking(
    booking: Appointment, missed: Appointment, instead: set[UUID], calendar: Calendar
) -> Facts:
    return {
        **booking_words(booking, missed.facility_id),
        "booking.is_instead": booking.id in instead,
        "booking.starts_after_missed": booking.start_at > missed.start_at,
        "booking.days_after_missed": _days_after(booking.start_at, missed, calendar),
    }


def _of_reply(reply: Reply) -> Candidate:
    return Candidate(
        kind=EvidenceKind.REPLY,
        id=reply.id,
        at=reply.at,
        labels=None,
        outcome=reply.barrier.lower(),
    )


def _reply_words(reply: Reply) -> Facts:
    return {"reply.meaning": reply.meaning, "reply.barrier": reply.barrier}


def _of_referral(referral: Referral) -> Candidate:
    return Candidate(
        kind=EvidenceKind.REFERRAL,
        id=referral.id,
        at=referral.happened_at,
        labels=referral.labels,
    )


def _referral_words(referral: Referral) -> Facts:
    """One that gave way to the next is as good as rejected: somebody is still to be asked."""
    state = REJECTED if referral.gave_way else referral.state
    return {"referral.need": referral.need, "referral.state": state}


def _following(id: UUID, referrals: tuple[Referral, ...]) -> list[Referral]:
    """Those that follow one, and those that follow these."""
    found, more = dict[UUID, Referral](), {id}
    while more:
        news = [each for each in referrals if each.follows_id in more and each.id not in found]
        found |= {each.id: each for each in news}
        more = {each.id for each in news}
    return list(found.values())


def _referred(case: Case, referral: Referral) -> Reading:
    followed = any(
        each.state not in TAKEN_BACK or each.gave_way
        for each in _following(referral.id, case.told.referrals)
    )
    return Reading(
        anchors={
            Anchor.SENT: referral.sent_at or referral.told_at,
            Anchor.ANSWER_DUE: referral.answer_due_at,
            Anchor.ENDED: referral.ended_at,
        },
        facts={**_referral_words(referral), "referral.is_followed": followed},
        found={},
    )


def _replied(reply: Reply) -> Reading:
    return Reading(anchors={Anchor.RECEIVED: reply.at}, facts=_reply_words(reply), found={})


def _asked(question: Question) -> Reading:
    return Reading(
        anchors={
            Anchor.ASKED: question.asked_at,
            Anchor.ANSWER_DUE: question.due_at,
            Anchor.ANSWERED: question.answered_at,
        },
        facts={
            "question.role": question.role,
            "question.is_asked": question.is_asked,
            "question.is_answered": question.answered_at is not None,
        },
        found={},
    )


def _resulted(case: Case, result: Result, told: Deed | None) -> Reading:
    """Who was told knows what was known then. A step about what became of it since counts from when that was heard."""
    is_over = result.is_critical or result.is_withdrawn
    untold_since = result.untold_since(told.at) if told else None
    return Reading(
        anchors={
            Anchor.VERIFIED: result.critical_at,
            Anchor.CHANGED: untold_since or result.verified_at,
        },
        facts={
            "result.state": result.state,
            "result.is_critical": result.is_critical,
            "result.is_harmless": not is_over,
            "result.is_withdrawn": result.is_withdrawn,
            "result.is_told": told is not None and untold_since is None,
            "result.is_repeat": is_repeat(result, case.told.results),
        },
        found={},
    )
