"""A visit is a pure fold over its messages: the same messages make the same visit, whatever order they came in.

Messages are read in their order in time (`told`) and each one changes the visit as it stood; so a late one changes only
what no later one set, and never reopens what a later one closed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from services.registry.domain.encounter import (
    Encounter,
    EncounterClass,
    EncounterState,
    Location,
    to_class,
)
from services.registry.domain.labels import VERSION, Label, Provenance, inherit, label
from services.registry.domain.report import Diagnosis, VisitSaid
from services.registry.domain.told import VisitMessage, in_order

# The roots of ids that must be the same for ever; never change them.
VISITS = UUID("6f1d1f0e-3b0a-5c0e-9a53-1b8f0f6a2d01")

_BEGINS = frozenset({"A01", "A04", "A05"})
_IN_A_BED = frozenset(
    {EncounterClass.INPATIENT, EncounterClass.OBSERVATION, EncounterClass.PARTIAL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a stream of messages says: its visits, which message belongs to which, and why some have no effect."""

    encounters: tuple[Encounter, ...]
    visits: Mapping[UUID, UUID]
    ignored: Mapping[UUID, str]


@lru_cache(maxsize=4096)
def stream_of(facility_id: UUID, visit_number: str, patient_key: UUID) -> UUID:
    """Which messages are folded together: those of a visit number, else those of a patient's number without one."""
    if visit_number:
        return uuid5(VISITS, f"{facility_id}|{visit_number}")
    return uuid5(VISITS, f"{facility_id}||{patient_key}")


def fold(messages: Iterable[VisitMessage], owner: Callable[[UUID], UUID]) -> Folded:
    """The visits of one stream. `owner` says whose record a patient id leads to by now.

    A stream with a visit number is one visit, whose id is the stream's. One without is cut into visits: a message that
    tells the admit time of one belongs to it; otherwise an A01, A04 or A05 begins one unless one is open, and the rest
    belongs to the last one. Such a visit's id comes from the stream (facility and patient number) and the admit time
    that its first message tells, or else that message's event time: nothing in it depends on how many visits there
    were before, or on which message arrived first. A late message can still cut the stream anew; a visit that is not
    among the result any more is void.
    """
    courses: list[_Course] = []
    ignored: dict[UUID, str] = {}
    told: set[object] = set()
    for message in in_order(messages):
        course = _course_for(message, courses)
        course.messages.append(message)
        if (
            message.tells in told
        ):  # sent again under another control id: two transfers are not one twice
            ignored[message.message_id] = "TOLD_BEFORE"
            continue
        told.add(message.tells)
        if reason := course.take(message):
            ignored[message.message_id] = reason
    known = [(course, course.encounter(owner)) for course in courses if course.is_known]
    return Folded(
        encounters=tuple(encounter for _, encounter in known),
        visits={m.message_id: encounter.id for course, encounter in known for m in course.messages},
        ignored=ignored,
    )


def _course_for(message: VisitMessage, courses: "list[_Course]") -> "_Course":
    """The visit that a message belongs to, begun if need be."""
    if not courses:
        courses.append(_Course())
    elif not message.said.visit_number:
        for course in reversed(courses):
            if course.is_told_of_by(message):
                return course
        begins = message.trigger in _BEGINS or (message.trigger == "A03" and message.said.admit_at)
        if begins and courses[-1].is_over:
            courses.append(_Course())
    return courses[-1]


@dataclass(slots=True)
class _Place:
    place: str
    start_at: datetime
    by_transfer: bool


@dataclass(slots=True)
class _Course:
    """One visit while its messages are read, oldest first."""

    state: EncounterState | None = None
    is_known: bool = False
    opened_at: datetime | None = None
    admit_told: datetime | None = None
    admit_event: datetime | None = None
    discharge_told: datetime | None = None
    discharge_event: datetime | None = None
    disposition: str = ""
    encounter_class: EncounterClass | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    attending: str = ""
    admit_reason: str = ""
    admission_type: str = ""
    places: list[_Place] = field(default_factory=list)
    latest: VisitMessage | None = None
    messages: list[VisitMessage] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.state in (EncounterState.FINISHED, EncounterState.CANCELLED)

    def is_told_of_by(self, message: VisitMessage) -> bool:
        said = message.said.admit_at or (message.event_at if message.trigger in _BEGINS else None)
        return said is not None and said in (self.admit_told, self.opened_at)

    def take(self, message: VisitMessage) -> str:
        """Let a message change the visit. The reason, if it has nothing to act upon."""
        reason = _EVENTS[message.trigger](self, message)
        self._tell(message.said)
        self._classify(message)
        self._place(message)
        if not self.opened_at and self.is_known:
            self.opened_at = message.said.admit_at or message.event_at
        self.latest = message
        return reason

    # What each event does to the state. Attributes follow in _tell.

    def plan(self, message: VisitMessage) -> str:
        self.is_known = True
        if self.state in (None, EncounterState.CANCELLED):
            self._forget_the_cancelled()
            self.state = EncounterState.PLANNED
        return ""

    def begin(self, message: VisitMessage) -> str:
        self.is_known = True
        if self.state is EncounterState.CANCELLED:
            self._forget_the_cancelled()
        if self.state is not EncounterState.IN_PROGRESS:
            self.admit_event = message.event_at
            self._reopen()
        return ""

    def be_here(self, message: VisitMessage) -> str:
        """A transfer, or a change of class: the patient is in the house."""
        if self.state is EncounterState.CANCELLED:
            return "VISIT_CANCELLED"
        self.is_known = True
        if self.state in (None, EncounterState.PLANNED):
            self.state = EncounterState.IN_PROGRESS
        return ""

    def end(self, message: VisitMessage) -> str:
        if self.state is EncounterState.CANCELLED:
            return "VISIT_CANCELLED"
        self.is_known = True
        if self.state is not EncounterState.FINISHED:
            self.discharge_event = message.event_at
        self.state = EncounterState.FINISHED
        return ""

    def update(self, message: VisitMessage) -> str:
        """An update makes a visit known only if it tells of a stay that goes on: feeds begin in the middle of stays."""
        if self.state is None and message.said.admit_at and not message.said.discharge_at:
            self.is_known = True
            self.state = EncounterState.IN_PROGRESS
        return "" if self.state is not None else "VISIT_NOT_KNOWN"

    def take_back(self, message: VisitMessage) -> str:
        """A11. Also one that nothing precedes holds, until an admission follows it."""
        is_new = self.state not in (None, EncounterState.CANCELLED)
        self.state = EncounterState.CANCELLED
        return "" if is_new else "NOTHING_TO_CANCEL"

    def return_from_transfer(self, message: VisitMessage) -> str:
        """A12. The last transfer did not happen: its place goes, and the one before it counts again."""
        for index in reversed(range(len(self.places))):
            if self.places[index].by_transfer:
                del self.places[index]
                return ""
        return "NOTHING_TO_CANCEL"

    def take_back_discharge(self, message: VisitMessage) -> str:
        if self.state not in (None, EncounterState.FINISHED):
            return "NOTHING_TO_CANCEL"
        self.is_known = True
        self._reopen()
        return ""

    def _reopen(self) -> None:
        self.state = EncounterState.IN_PROGRESS
        self.discharge_told = self.discharge_event = None
        self.disposition = ""

    def _forget_the_cancelled(self) -> None:
        """What was told of it may be another patient's: the wrong one was picked. Labels stay."""
        self.encounter_class = None
        self.diagnoses = ()
        self.attending = self.admit_reason = self.admission_type = ""
        self.admit_told = self.admit_event = None
        self.discharge_told = self.discharge_event = None
        self.disposition = ""
        self.places.clear()

    def _tell(self, said: VisitSaid) -> None:
        if said.admit_at or "admit_time" in said.cleared:
            self.admit_told = said.admit_at
        self.diagnoses = said.diagnoses or (() if "diagnoses" in said.cleared else self.diagnoses)
        self.attending = _told(said, "attending", said.attending, self.attending)
        self.admit_reason = _told(said, "admit_reason", said.admit_reason, self.admit_reason)
        self.admission_type = _told(
            said, "admission_type", said.admission_type, self.admission_type
        )
        if self.state is EncounterState.FINISHED:
            if said.discharge_at or "discharge_time" in said.cleared:
                self.discharge_told = said.discharge_at
            self.disposition = _told(
                said, "discharge_disposition", said.discharge_disposition, self.disposition
            )

    def _classify(self, message: VisitMessage) -> None:
        told = to_class(message.said.patient_class)
        if message.trigger == "A06":
            told = told if told in _IN_A_BED else EncounterClass.INPATIENT
        elif message.trigger == "A07":
            told = told if told and told is not EncounterClass.INPATIENT else None
            told = told or EncounterClass.OUTPATIENT
        elif message.trigger == "A05":
            told = told or self.encounter_class or EncounterClass.PREADMIT
        elif "patient_class" in message.said.cleared:
            self.encounter_class = None
        self.encounter_class = told or self.encounter_class

    def _place(self, message: VisitMessage) -> None:
        """Note where the patient is: by an admission, a transfer, or an update that tells of another place."""
        place = message.said.location
        current = self.places[-1].place if self.places else ""
        if message.trigger == "A02" and self.state is EncounterState.IN_PROGRESS:
            self.places.append(_Place(place or current, message.event_at, by_transfer=True))
        elif not place or place == current or message.trigger in ("A11", "A12", "A13"):
            return
        elif not self.places:
            self.places.append(
                _Place(place, message.said.admit_at or message.event_at, by_transfer=False)
            )
        elif self.state in (EncounterState.PLANNED, EncounterState.IN_PROGRESS):
            self.places.append(_Place(place, message.event_at, by_transfer=False))

    def encounter(self, owner: Callable[[UUID], UUID]) -> Encounter:
        latest, state, opened_at = self.latest, self.state, self.opened_at
        if latest is None or state is None or opened_at is None:
            raise ValueError("no message made this visit known")
        admit_at = self.admit_told or self.admit_event
        discharge_at = None
        if state is EncounterState.FINISHED:
            discharge_at = self.discharge_told or self.discharge_event
        number = latest.said.visit_number
        stream_id = latest.stream_id
        return Encounter(
            id=stream_id if number else uuid5(stream_id, opened_at.isoformat()),
            stream_id=stream_id,
            facility_id=latest.facility_id,
            patient_id=owner(latest.patient_id),
            visit_number=number,
            encounter_class=self.encounter_class,
            state=state,
            admit_at=admit_at,
            discharge_at=discharge_at,
            discharge_disposition=self.disposition,
            locations=_history(self.places, discharge_at),
            diagnoses=self.diagnoses,
            attending=self.attending,
            admit_reason=self.admit_reason,
            admission_type=self.admission_type,
            listed_at=admit_at or discharge_at or opened_at,
            labels=labels_of(self.messages),
            label_version=VERSION,
        )


def labels_of(messages: Iterable[VisitMessage]) -> tuple[Label, ...]:
    """A visit is as sensitive as all of its messages together: a later one takes no label away.

    A feed that labels has to label each message that tells of a diagnosis or a reason, and each visit at least once.
    """
    messages = tuple(messages)
    is_labeled = any(message.sent for message in messages)
    each = (
        _labels_of(
            message.said.diagnoses,
            message.provenance,
            message.sent,
            is_clinical=not is_labeled or bool(message.said.diagnoses or message.said.admit_reason),
        )
        for message in messages
    )
    return tuple(sorted(inherit(*each)))


@lru_cache(maxsize=4096)  # a visit is folded anew with each message
def _labels_of(
    diagnoses: tuple[Diagnosis, ...],
    provenance: Provenance,
    sent: tuple[str, ...],
    *,
    is_clinical: bool,
) -> frozenset[Label]:
    codes = [(diagnosis.system, diagnosis.code) for diagnosis in diagnoses]
    return label(codes, provenance, sent=sent, is_clinical=is_clinical)


_EVENTS: dict[str, Callable[[_Course, VisitMessage], str]] = {
    "A01": _Course.begin,
    "A02": _Course.be_here,
    "A03": _Course.end,
    "A04": _Course.begin,
    "A05": _Course.plan,
    "A06": _Course.be_here,
    "A07": _Course.be_here,
    "A08": _Course.update,
    "A11": _Course.take_back,
    "A12": _Course.return_from_transfer,
    "A13": _Course.take_back_discharge,
}


def _told(said: VisitSaid, name: str, value: str, before: str) -> str:
    return value or ("" if name in said.cleared else before)


def _history(places: list[_Place], until: datetime | None) -> tuple[Location, ...]:
    """The places in which the patient really was: neighbors that are the same place are one stay there."""
    stays: list[_Place] = []
    for place in places:
        if place.place and not (stays and stays[-1].place == place.place):
            stays.append(place)
    ends = [*(stay.start_at for stay in stays[1:]), until]
    return tuple(
        Location(place=stay.place, start_at=stay.start_at, end_at=end)
        for stay, end in zip(stays, ends, strict=False)  # no stay, no end
    )
