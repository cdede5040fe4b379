"""What a message of a known sender says: the events that are followed, and the report of each.

A message is reported whole or not at all: one problem sets it aside. A time or a class that cannot
be read is never guessed at and never dropped, because deadlines and loops hang on it. What is only
of use when it is right (a sex, a language, a fax number) is left out with a note.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.interop.domain.appointment import read_appointment
from services.interop.domain.confidentiality import read_confidentiality
from services.interop.domain.feed import Sender
from services.interop.domain.hl7 import Message, Segment
from services.interop.domain.person import read_identifiers, read_person
from services.interop.domain.reading import ErrorCode, Note, Problem, Reading
from services.interop.domain.report import (
    Appointment,
    Identifier,
    Merge,
    Observation,
    Person,
    Report,
    Visit,
)
from services.interop.domain.result import read_results
from services.interop.domain.visit import facility_of, read_visit

# Every event of the standard that speaks of one visit of one person. Those that the record does not
# follow it records as without effect: so that the visit's history is whole.
_VISIT_NUMBERS = (*range(1, 17), 21, 22, 23, 25, 26, 27, 32, 33, 38, 52, 53, 54, 55)
VISIT_EVENTS = frozenset(f"A{number:02}" for number in _VISIT_NUMBERS)
PERSON_EVENTS = frozenset({"A28", "A31"})
MERGE_EVENTS = frozenset({"A40"})
# Two records are two people's after all: somebody has to look.
UNLINK_EVENTS = frozenset({"A37"})
# New, rescheduled, modified, cancelled, discontinued, deleted, missed.
APPOINTMENT_EVENTS = frozenset({"S12", "S13", "S14", "S15", "S16", "S17", "S26"})
RESULT_EVENTS = frozenset({"R01"})
_OF_KIND = {
    "ADT": VISIT_EVENTS | PERSON_EVENTS | MERGE_EVENTS | UNLINK_EVENTS,
    "SIU": APPOINTMENT_EVENTS,
    "ORU": RESULT_EVENTS,
}
# What is expected: admissions and discharges that have not happened yet, and their cancels.
_PLANS = frozenset({"A05", "A14", "A15", "A16", "A25", "A26", "A27", "A38"})
KINDS = frozenset(_OF_KIND)
# An update may be about the person alone.
_VISIT_OPTIONAL = frozenset({"A08"})

# The segments that reports are made of, and how much of them at most.
_READ = ("PID", "PV1", "PV2", "DG1", "MRG", "ARV", "SCH", "TQ1", "AIS", "AIG", "AIL", "AIP")
_MOST_TEXT = 64 * 1024
# In one segment, and in all of them with the segments themselves: each number is told with who gave it.
_MOST_REPETITIONS, _MOST_TOGETHER = 500, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    person: Person | None = None
    visit: Visit | None = None
    appointment: Appointment | None = None
    observations: tuple[Observation, ...] | None = None
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A report; or none, and then at least one problem."""

    report: Report | None
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


def is_followed(event_type: str) -> bool:
    """Whether the record follows such messages: "ADT^A01"."""
    return event_type[4:] in _OF_KIND.get(event_type[:3], ())


def translate(
    message: Message, trigger: str, sender: Sender, reading: Reading, received_at: datetime
) -> Translation:
    """The report of a message whose trigger is followed."""
    message_at = _message_at(message, reading, received_at)
    event_at = _event_at(message, reading) or message_at
    facility_id = facility_of(message, sender.feed.facility_id, reading)
    content = _content(message, trigger, reading, message_at)
    report = Report(
        trigger=trigger,
        facility_id=facility_id,
        event_at=event_at,
        message_at=message_at,
        person=content.person,
        visit=content.visit,
        appointment=content.appointment,
        observations=content.observations,
        merges=content.merges,
        provenance=sender.feed.provenance,
        confidentiality=read_confidentiality(message),
    )
    problems = tuple(reading.problems)
    return Translation(
        report=None if problems else report, problems=problems, notes=tuple(reading.notes)
    )


def _message_at(message: Message, reading: Reading, received_at: datetime) -> datetime:
    """When the message was made. It only breaks ties, so that a clock that is fast sets nothing aside."""
    at = reading.instant(message.header, 7, may_lie_ahead=True)
    if at is not None and reading.lies_ahead(at):
        reading.note(message.header, "MSH-7 lies in the future; the time of receipt counts.")
        at = None
    return at or received_at


def _event_at(message: Message, reading: Reading) -> datetime | None:
    evn = message.first("EVN")
    if evn is None:
        return None
    return reading.instant(evn, 6) or reading.instant(evn, 2)


def _content(message: Message, trigger: str, reading: Reading, message_at: datetime) -> _Content:
    if trigger in UNLINK_EVENTS:
        _complain_of_unlink(message, reading)
        return _Content()
    pid = _patient(message, trigger, reading)
    if pid is None:
        return _Content()
    if trigger in MERGE_EVENTS:
        return _Content(merges=_merges(message, reading))
    person = read_person(pid, reading)
    if trigger in PERSON_EVENTS:
        return _Content(person=person)
    return _of_person(message, trigger, reading, message_at, person)


def _complain_of_unlink(message: Message, reading: Reading) -> None:
    reading.problem(
        message.header,
        9,
        "UNLINK_NOT_FOLLOWED",
        ErrorCode.UNSUPPORTED_EVENT,
        "records are said to be two people's, and are not separated by a message",
        "See whether they are one record here, and tell whoever uses it.",
    )


def _of_person(
    message: Message, trigger: str, reading: Reading, message_at: datetime, person: Person
) -> _Content:
    """The appointment, the results or the visit that the message is about."""
    if trigger in APPOINTMENT_EVENTS:
        return _Content(person=person, appointment=read_appointment(message, trigger, reading))
    if trigger in RESULT_EVENTS:
        return _Content(person=person, observations=read_results(message, reading, message_at))
    if message.count("PV1") != 1 and trigger not in _VISIT_OPTIONAL:
        _complain_of_visits(message, reading)
    visit = read_visit(message, reading, is_plan=trigger in _PLANS)
    return _Content(person=person, visit=visit)


def _patient(message: Message, trigger: str, reading: Reading) -> Segment | None:
    """The one patient of the message, or the first of a merge."""
    if _is_too_long(message, reading):
        return None
    if message.count("MSH") > 1:
        reading.problem(
            message.segments("MSH")[1],
            0,
            "MESSAGE_NOT_ONE",
            ErrorCode.SEGMENT_SEQUENCE,
            "a second header: two messages in one frame",
            "Send each message in a frame of its own.",
        )
        return None
    pid = message.first("PID")
    if pid is None:
        reading.missing("PID", "PATIENT_MISSING", "no such segment", "Send who it is about.")
    elif message.count("PID") > 1 and trigger not in MERGE_EVENTS:
        reading.problem(
            message.segments("PID")[1],
            0,
            "PATIENT_NOT_ONE",
            ErrorCode.SEGMENT_SEQUENCE,
            "a second patient in a message about one",
            "Send one message for each patient.",
        )
    return pid


def _is_too_long(message: Message, reading: Reading) -> bool:
    """Whether what would be reported is more than a report can hold, or anybody can mean."""
    lines = [line for name in _READ for line in message.lines_of(name)]
    counts = [line.count(message.encoding.repetition) for line in lines]
    is_short = sum(map(len, lines)) <= _MOST_TEXT and sum(counts) + len(lines) <= _MOST_TOGETHER
    if is_short and max(counts, default=0) <= _MOST_REPETITIONS:
        return False
    longest = max(lines, key=len)
    segment = next(s for s in message.segments(longest[:3]) if message.lines[s.line - 1] == longest)
    reading.problem(
        segment,
        0,
        "REPORT_TOO_LONG",
        ErrorCode.VALUE_TOO_LONG,
        "more text or repetitions than a person or a visit has",
        "Find out what fills it at the sender.",
    )
    return True


def _complain_of_visits(message: Message, reading: Reading) -> None:
    if not message.count("PV1"):
        reading.missing("PV1", "VISIT_MISSING", "no such segment", "Send the visit.")
        return
    reading.problem(
        message.segments("PV1")[1],
        0,
        "VISIT_NOT_ONE",
        ErrorCode.SEGMENT_SEQUENCE,
        "a second visit in a message about one",
        "Send one message for each visit.",
    )


def _merges(message: Message, reading: Reading) -> tuple[Merge, ...]:
    """The groups PID [PD1] MRG, in their order. Some senders repeat MRG for one survivor."""
    groups: list[tuple[Segment, list[Segment]]] = []
    for segment in message.every_segment():
        if segment.name == "PID":
            groups.append((segment, []))
        elif segment.name == "MRG" and groups:
            groups[-1][1].append(segment)
    return tuple(_merge(pid, retired, reading) for pid, retired in groups)


def _merge(pid: Segment, every_mrg: Sequence[Segment], reading: Reading) -> Merge:
    if not every_mrg:
        _complain_of_lonely(pid, reading)
    retired = [number for mrg in every_mrg for number in _retired(mrg, reading)]
    return Merge(read_person(pid, reading), tuple(dict.fromkeys(retired)))


def _retired(mrg: Segment, reading: Reading) -> tuple[Identifier, ...]:
    retired = read_identifiers(mrg, 1, reading)
    if not retired:
        reading.problem(
            mrg,
            1,
            "RETIRED_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no retired number",
            "Send the number that is given up as the first component of MRG-1.",
        )
    return retired


def _complain_of_lonely(pid: Segment, reading: Reading) -> None:
    reading.problem(
        pid,
        0,
        "RETIRED_MISSING",
        ErrorCode.SEGMENT_SEQUENCE,
        "a survivor without the MRG segment that says what it replaces",
        "Send MRG after the PID (and PD1) of each survivor.",
    )
