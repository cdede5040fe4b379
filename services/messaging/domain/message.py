"""One message to a patient: planned with its cause, decided and written in the moment in which it leaves.

Its words, language, channel and permission are those of that moment; what was true when it was planned does not count.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from services.messaging.domain.contact import Contact, Means, Way
from services.messaging.domain.hours import Hours
from services.messaging.domain.template import Template, load

# Engagement, rules: at most one automatic message a day and three a week for each person, over all causes.
MOST_A_DAY, MOST_A_WEEK, DAYS_OF_A_WEEK = 1, 3, 7
ONE_DAY = timedelta(days=1)
MOST_TRIES = 12
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)


class MessageState(StrEnum):
    PENDING = "PENDING"
    READY = "READY"
    SENT = "SENT"
    WITHDRAWN = "WITHDRAWN"


class Withdrawal(StrEnum):
    """Why a message never leaves."""

    CHANGED = "CHANGED"
    DECEASED = "DECEASED"
    NO_CONSENT = "NO_CONSENT"
    NO_ADDRESS = "NO_ADDRESS"
    TOO_LATE = "TOO_LATE"
    UNANSWERED = "UNANSWERED"
    UNDELIVERED = "UNDELIVERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """As it is stored."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    template: str
    template_version: int = 0
    appointment_id: UUID | None = None
    loop_id: UUID | None = None
    state: MessageState = MessageState.PENDING
    reason: str = ""
    channel: str = ""
    address: str = ""
    language: str = ""
    text: str = ""
    segments: int = 0
    due_at: datetime
    until_at: datetime
    is_question: bool = False
    counted_on: date | None = None
    created_at: datetime
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    sent_by_id: UUID | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    labels: tuple[str, ...]

    @property
    def is_waiting(self) -> bool:
        """Whether it can still be taken back."""
        return self.state in (MessageState.PENDING, MessageState.READY)

    @property
    def is_automatic(self) -> bool:
        return self.sent_by_id is None

    def withdraw(self, why: Withdrawal) -> "Message":
        return replace(
            self,
            version=self.version + 1,
            state=MessageState.WITHDRAWN,
            reason=why,
            counted_on=None,
            next_try_at=None,
        )

    def plan_again(self, due_at: datetime, until_at: datetime) -> "Message":
        """It is asked for after all, or for another time: it waits for that as if nothing had been."""
        return replace(self.wait(due_at), reason="", until_at=until_at, tries=0)

    def wait(self, until: datetime) -> "Message":
        """Not now. What was written for now is written anew then."""
        later = replace(
            self,
            version=self.version + 1,
            state=MessageState.PENDING,
            due_at=until,
            counted_on=None,
            next_try_at=None,
            channel="",
            address="",
            segments=0,
        )
        return replace(later, text="", language="") if self.template else later

    def labeled(self, labels: tuple[str, ...], at: datetime) -> "Message":
        """As sensitive as its cause has become. What is written and has not left is written anew: it may name a place."""
        if labels == self.labels:
            return self
        if self.state is MessageState.READY:
            return replace(self.wait(at), labels=labels)
        return replace(self, version=self.version + 1, labels=labels)

    def written(self, way: Way, text: str, language: str, at: datetime) -> "Message":
        return replace(
            self,
            version=self.version + 1,
            state=MessageState.READY,
            channel=way.channel,
            address=way.address,
            text=text,
            language=language,
            next_try_at=at,
        )

    def sent(self, at: datetime) -> "Message":
        return replace(
            self, version=self.version + 1, state=MessageState.SENT, sent_at=at, next_try_at=None
        )

    def gone_as(self, letter: "Message") -> "Message":
        """The message, but written as it was when somebody took it to send it."""
        return replace(
            letter,
            version=self.version,
            patient_id=self.patient_id,
            answered_at=self.answered_at,
            labels=self.labels,
        )

    def try_again(self, at: datetime) -> "Message":
        """The way did not take it; after many tries it never leaves."""
        if self.tries >= MOST_TRIES:
            return self.withdraw(Withdrawal.UNDELIVERED)
        pause = min(FIRST_PAUSE * (1 << min(self.tries, 10)), LONGEST_PAUSE)
        return replace(self, version=self.version + 1, next_try_at=at + pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What this person was sent lately: the days of what counts, and how many questions in a row stay unanswered."""

    counted: Sequence[date] = ()
    unanswered: int = 0

    def first_free(self, today: date) -> date:
        """Today, or the next day on which one more may be sent."""
        day = today
        while not self._is_free(day):
            day += ONE_DAY
        return day

    def _is_free(self, day: date) -> bool:
        week = [
            each
            for each in self.counted
            if timedelta() <= day - each < timedelta(days=DAYS_OF_A_WEEK)
        ]
        return week.count(day) < MOST_A_DAY and len(week) < MOST_A_WEEK


@dataclass(frozen=True, slots=True)
class Go:
    """It leaves now, this way."""

    way: Way


@dataclass(frozen=True, slots=True)
class Wait:
    """It waits until then, and is looked at again."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Never:
    """It does not leave at all."""

    why: Withdrawal


Decision: TypeAlias = Go | Wait | Never


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What has to be known of the person to decide: their contact, their hours, and what they were sent."""

    contact: Contact
    hours: Hours
    history: History = field(default_factory=History)


def decide(
    message: Message, template: Template | None, person: Person, means: Means, at: datetime
) -> Decision:
    """Whether, how and when a message leaves. `template` None: somebody wrote it."""
    contact = person.contact
    way = _last_word(contact, means) if _is_last_word(template) else contact.way(means)
    why = _why_never(message, template, person, way, at)
    if why or way is None:
        return Never(why or Withdrawal.NO_ADDRESS)
    if template is not None and template.is_answer:
        return Go(way)
    return _when(message, template, person, at) or Go(way)


def _why_never(
    message: Message, template: Template | None, person: Person, way: Way | None, at: datetime
) -> Withdrawal | None:
    if person.contact.is_deceased:
        return Withdrawal.DECEASED
    if at >= message.until_at:
        return Withdrawal.TOO_LATE
    if way is None:
        return Withdrawal.NO_CONSENT if person.contact.ways() else Withdrawal.NO_ADDRESS
    is_asked_for = template is None or template.is_answer
    if not is_asked_for and person.history.unanswered >= most_unanswered():
        return Withdrawal.UNANSWERED
    return None


def _is_last_word(template: Template | None) -> bool:
    """One confirmation of STOP is allowed, and due."""
    return template is not None and template.key == "reply-stop"


def _last_word(contact: Contact, means: Means) -> Way | None:
    return next((way for way in contact.ways() if way.channel in means.channels), None)


def _when(message: Message, template: Template | None, person: Person, at: datetime) -> Wait | None:
    is_counted = template is not None and template.is_counted
    hours = person.contact.liked(person.hours) if is_counted else person.hours
    earliest = max(at, message.due_at)
    if is_counted:
        today = hours.day(earliest)
        free = person.history.first_free(today)
        earliest = earliest if free == today else hours.opening(free)
    allowed = hours.next_allowed(earliest)
    if is_counted and hours.day(allowed) != hours.day(earliest):
        allowed = hours.opening(person.history.first_free(hours.day(allowed)))
    return Wait(allowed) if allowed > at else None


def is_neutral(contact: Contact, labels: Collection[str]) -> bool:
    """Whether the text names no place: others read the telephone, or the place alone would tell something."""
    return contact.is_shared_phone or set(labels) != {"NORMAL"}


def most_unanswered() -> int:
    most: int = load("response.yaml")["unanswered"]
    return most
