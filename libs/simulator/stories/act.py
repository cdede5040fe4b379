"""What is done in one story, and when: a list of acts that follows from how it goes after the stay.

An act that cannot be foreseen, such as coming to a visit that is not booked yet, is made by the one before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from libs.simulator.afterwards import HOME, HOSPITAL, Afterwards, How, Outcome


class What(StrEnum):
    """Of the hospital's and the clinic's systems, of the staff, of the patient, of a partner."""

    FIRST_KNOWN = "FIRST_KNOWN"
    ADMITTED = "ADMITTED"
    NOT_ADMITTED = "NOT_ADMITTED"
    SENT_HOME = "SENT_HOME"
    SENT_HOME_EARLY = "SENT_HOME_EARLY"
    STAYED = "STAYED"
    MOVED = "MOVED"
    MERGED = "MERGED"
    DIED = "DIED"
    BACK = "BACK"
    BACK_LEFT = "BACK_LEFT"
    CLINIC_BOOKS = "CLINIC_BOOKS"
    COMES = "COMES"
    REFUSE_MESSAGES = "REFUSE_MESSAGES"
    CALL = "CALL"
    DO = "DO"
    BOOK = "BOOK"
    BOOK_AGAIN = "BOOK_AGAIN"
    CANCEL_VISIT = "CANCEL_VISIT"
    WHY = "WHY"
    FIND_RIDE = "FIND_RIDE"
    ANSWER_RIDE = "ANSWER_RIDE"
    END_RIDE = "END_RIDE"
    ANSWER = "ANSWER"
    READ_THREADS = "READ_THREADS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`detail`: which call, which step with its outcome, which place, time or appointment."""

    at: datetime
    number: int
    what: What
    detail: str = ""


# What the staff does on which day after the discharge: the hour, the protocol's step, and how it ends.
_NOT_FOR_LONG = (
    "admission_notice",
    "discharge_information",
    "home_visit",
    "medication_reconciliation",
)
_DESK = (
    *zip((1, 1, 3, 4), (11, 11, 9, 13), _NOT_FOR_LONG, ("",) * 4, strict=True),
    # What was not done in time, for whatever reason, is done before the thirty days are over.
    *((28, 9, step, "") for step in _NOT_FOR_LONG),
    (28, 10, "visit", "declined"),
    (28, 10, "close", ""),
    (30, 11, "contact", "unable"),
)


def acts(plan: Afterwards) -> list[Act]:
    """All that is known from the beginning, in the order of time."""
    found = (Act(at=at, number=plan.number, what=what, detail=detail)
             for at, what, detail in _acts(plan))  # fmt: skip
    return sorted(found, key=lambda act: act.at)


def _acts(plan: Afterwards) -> Iterator[tuple[datetime, What, str]]:
    stay = plan.stay
    if plan.outcome is Outcome.MERGED:
        yield stay.admitted_at - timedelta(minutes=1), What.FIRST_KNOWN, ""
    yield stay.admitted_at, What.ADMITTED, ""
    if plan.outcome is Outcome.NOT_ADMITTED:
        yield stay.admitted_at + timedelta(hours=5), What.NOT_ADMITTED, ""
    if plan.outcome is Outcome.REFUSED_MESSAGES:
        yield stay.admitted_at + timedelta(hours=1), What.REFUSE_MESSAGES, ""
    if stay.discharged_at is None:
        return
    if plan.taken_back_at:
        yield plan.taken_back_at, What.SENT_HOME_EARLY, ""
        yield plan.taken_back_at + timedelta(hours=6), What.STAYED, ""
    yield stay.discharged_at, What.SENT_HOME, ""
    if stay.disposition == HOME and plan.outcome is not Outcome.LEFT_ALONE:
        yield from _at_home(plan, stay.discharged_at)


def _at_home(plan: Afterwards, left: datetime) -> Iterator[tuple[datetime, What, str]]:
    for n, call in enumerate(plan.calls):
        yield call.at, What.CALL, str(n)
    for day, hour, step, outcome in _DESK:
        yield _on(left, day, hour), What.DO, f"{step}/{outcome}"
    if plan.outcome is Outcome.DECLINED:
        yield _on(left, 2, 12), What.DO, "contact/declined"
    if plan.says:
        yield _on(left, 1, 14), What.ANSWER, plan.says
        yield _on(left, 1, 15), What.DO, "act_at_once/"
        yield _on(left, 1, 15), What.DO, "read_answer/"
        yield _on(left, 1, 15), What.READ_THREADS, ""
    yield from _follow_up(plan, left)
    yield from _changes(plan, left)


def _follow_up(plan: Afterwards, left: datetime) -> Iterator[tuple[datetime, What, str]]:
    wanted = plan.follow_up
    if wanted is None:
        return
    if wanted.how is How.SLOT:
        yield _on(left, 1, 12), What.BOOK, wanted.at.isoformat()
        return
    if wanted.how is How.TOLD:
        yield _on(left, 1, 12), What.CLINIC_BOOKS, wanted.at.isoformat()
    place = "MERCY" if plan.outcome is Outcome.MERGED else "VALLEY"
    yield wanted.at, What.COMES, place


def _changes(plan: Afterwards, left: datetime) -> Iterator[tuple[datetime, What, str]]:
    if plan.outcome is Outcome.MOVED_AWAY:
        yield _on(left, 3, 16), What.MOVED, ""
    if plan.outcome is Outcome.MERGED:
        yield left + timedelta(days=1 + plan.number % 7), What.MERGED, ""
    if plan.died_at:
        yield plan.died_at, What.DIED, ""
    if plan.again:
        yield plan.again.admitted_at, What.BACK, ""
        if plan.again.discharged_at:
            yield plan.again.discharged_at, What.BACK_LEFT, ""


def _on(left: datetime, day: int, hour: int) -> datetime:
    """An hour of a day after the discharge."""
    return datetime.combine(left.date() + timedelta(days=day), time(hour), HOSPITAL)
