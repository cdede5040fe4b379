"""What a protocol consists of: a standard operating procedure as data."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.tasking.domain.conditions import Condition

# The keys that identity knows (carehub.identity.v1.RoleAssignment).
ROLES = frozenset(
    {
        "network_admin",
        "facility_admin",
        "coordinator",
        "nurse",
        "physician",
        "pharmacist",
        "social_worker",
        "community_health_worker",
        "scheduler",
        "analyst",
        "privacy_officer",
        "integration",
        "operator",
    }
)
DUTY_TEAM = "duty_team"
NOTIFIED = ROLES | {"owner", "lead", DUTY_TEAM}
REACHED = "reached"  # the outcome of a step with attempts once somebody was reached
SCREEN, EMAIL = "screen", "email"
CHANNELS = frozenset({SCREEN, EMAIL})


class About(StrEnum):
    """What a loop is about: a visit, a time that somebody has broken the glass, a visit that was missed, a referral, a
    reply that needs somebody, a question that a reconciliation left open, a result that was critical.
    """

    ENCOUNTER = "encounter"
    BREAK_GLASS = "break_glass"
    APPOINTMENT = "appointment"
    REFERRAL = "referral"
    REPLY = "reply"
    QUESTION = "question"
    RESULT = "result"


class Among(StrEnum):
    """What a condition can look for one among."""

    OTHER = "other"
    BOOKING = "booking"
    REPLY = "reply"
    REFERRAL = "referral"
    RECONCILIATION = "reconciliation"


class Anchor(StrEnum):
    """A moment of the record that clocks start from."""

    ADMISSION = "admission"
    DISCHARGE = "discharge"
    DEATH = "death"
    OPENING = "opening"
    REVIEW = "review"
    MISSED = "missed"
    NEXT_VISIT = "next_visit"
    SENT = "sent"
    ANSWER_DUE = "answer_due"
    ENDED = "ended"
    RECEIVED = "received"
    ASKED = "asked"
    ANSWERED = "answered"
    VERIFIED = "verified"
    CHANGED = "changed"


# What can be counted from, and when what ends a loop can have happened, by what it is about.
CLOCKS = {
    About.ENCOUNTER: frozenset({Anchor.ADMISSION, Anchor.DISCHARGE}),
    About.BREAK_GLASS: frozenset({Anchor.OPENING}),
    About.APPOINTMENT: frozenset({Anchor.MISSED, Anchor.NEXT_VISIT}),
    About.REFERRAL: frozenset({Anchor.SENT, Anchor.ANSWER_DUE, Anchor.ENDED}),
    About.REPLY: frozenset({Anchor.RECEIVED}),
    About.QUESTION: frozenset({Anchor.ASKED, Anchor.ANSWER_DUE}),
    About.RESULT: frozenset({Anchor.VERIFIED, Anchor.CHANGED}),
}
ENDS = {
    About.ENCOUNTER: frozenset({Anchor.ADMISSION, Anchor.DISCHARGE, Anchor.DEATH}),
    About.BREAK_GLASS: frozenset({Anchor.OPENING, Anchor.REVIEW}),
    About.APPOINTMENT: frozenset({Anchor.MISSED, Anchor.DEATH}),
    About.REFERRAL: frozenset({Anchor.SENT, Anchor.ENDED, Anchor.DEATH}),
    About.REPLY: frozenset({Anchor.RECEIVED, Anchor.DEATH}),
    About.QUESTION: frozenset({Anchor.ASKED, Anchor.ANSWERED, Anchor.DEATH}),
    About.RESULT: frozenset({Anchor.VERIFIED, Anchor.CHANGED, Anchor.DEATH}),
}
USUAL_END = {
    About.ENCOUNTER: Anchor.DISCHARGE,
    About.BREAK_GLASS: Anchor.REVIEW,
    About.APPOINTMENT: Anchor.MISSED,
    About.REFERRAL: Anchor.ENDED,
    About.REPLY: Anchor.RECEIVED,
    About.QUESTION: Anchor.ANSWERED,
    About.RESULT: Anchor.CHANGED,
}
# The moment that a loop begins with, the first that is known; and the one from which on its own steps can complete it.
# Without the latter only the record closes it, whatever people say that they did.
BEGINS = {
    About.ENCOUNTER: (Anchor.ADMISSION, Anchor.DISCHARGE),
    About.BREAK_GLASS: (Anchor.OPENING,),
    About.APPOINTMENT: (Anchor.MISSED,),
    About.REFERRAL: (Anchor.SENT,),
    About.REPLY: (Anchor.RECEIVED,),
    About.QUESTION: (Anchor.ASKED,),
    About.RESULT: (Anchor.VERIFIED,),
}
COMPLETES = {About.ENCOUNTER: Anchor.DISCHARGE, About.REPLY: Anchor.RECEIVED}


class Unit(StrEnum):
    """How time is counted. Days end with the local day, hours are exact."""

    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"
    HOURS = "hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """So long after an anchor."""

    after: str  # an anchor, or the key of a step: from when that was done
    unit: Unit
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment that counts when its condition holds."""

    when: Condition | None
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRule:
    """Who hears of a step that is not done: at so many percent of its window, or so many hours
    after its end.
    """

    percent: int
    hours_late: int
    notify: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDate:
    key: str
    title: str
    deadline: Moment
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step can end, or, where it does not complete, what can be noted on the way.

    One that says that something could not be done can ask for the tries first, and for the time to
    have come; one that says that somebody was told, for who it was and when they read it back.
    """

    key: str
    title: str
    completes: bool
    needs_attempts: bool = False
    not_before: Moment | None = None
    needs_read_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """So many documented attempts, so many hours or a day apart, count for the rule; trying goes
    on.
    """

    needed: int
    hours_apart: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The record itself shows the step done: by another encounter of the patient, or by what another service told, for
    which this holds.
    """

    when: Condition
    among: Among
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that one role has to do by some time."""

    key: str
    title: str
    description: str
    role: str
    when: Condition | None
    start: Moment | None
    deadlines: tuple[Deadline, ...]
    ladder: tuple[RungRule, ...]
    outcomes: tuple[Outcome, ...]
    done_when: tuple[str, ...]
    attempts: Attempts | None
    shown_by: tuple[Shown, ...]
    is_required: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What ends a loop whatever its steps: a change in the record, with the reason that it is."""

    reason: str
    when: Condition
    among: Among | None
    steps: tuple[str, ...]  # whose outcomes it looks at
    at: Anchor
    description: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Which encounters, or emergencies, give the protocol a reason."""

    on: About = About.ENCOUNTER
    when: Condition
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why the loop is open, in words, when the condition holds; {admission}, {discharge}, {opening}
    and key dates are filled in.
    """

    when: Condition | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    key: str
    version: int
    title: str
    effective_from: date
    sources: tuple[str, ...]
    text: str
    conditions: tuple[tuple[str, Condition], ...]
    trigger: Trigger
    why: tuple[Why, ...]
    key_dates: tuple[KeyDate, ...]
    steps: tuple[Step, ...]
    looks_at_deeds: bool
    cancels: tuple[Ending, ...]
    closes: tuple[Ending, ...]

    @property
    def read_backs(self) -> frozenset[tuple[str, str]]:
        """The outcomes, each with its step, that say that somebody was told."""
        return frozenset(
            (step.key, outcome.key)
            for step in self.steps
            for outcome in step.outcomes
            if outcome.needs_read_back
        )
