"""A message on trial: what each segment says and what would happen, in words. Nothing is stored.

These words hold values of the message: they go to the one who pasted it, and nowhere else.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.interop.domain import hl7
from services.interop.domain.appointment import read_appointment
from services.interop.domain.classify import Verdict
from services.interop.domain.feed import Quirks
from services.interop.domain.hl7 import Message, Segment
from services.interop.domain.message import MessageState
from services.interop.domain.person import read_identifiers, read_person
from services.interop.domain.reading import Reading
from services.interop.domain.report import (
    Appointment,
    Identifier,
    PartialDate,
    Person,
    Report,
    Visit,
)
from services.interop.domain.result import in_words
from services.interop.domain.visit import read_visit

_CLASSES = {
    "I": "inpatient",
    "O": "outpatient",
    "E": "emergency",
    "P": "preadmission",
    "R": "recurring",
    "B": "obstetrics",
    "C": "commercial account",
    "N": "not applicable",
    "U": "unknown class",
    "V": "observation",
    "OBS": "observation",
    "PH": "partial hospitalization",
}
_VISIT_EFFECTS = {
    "A01": "would open {visit} as {kind}, admitted {admitted}",
    "A02": "would note where the patient of {visit} is now",
    "A03": "would end {visit}, discharged {discharged}",
    "A04": "would open {visit} as {kind}, registered {admitted}",
    "A05": "would plan {visit}",
    "A06": "would make {visit} an inpatient stay",
    "A07": "would make {visit} an outpatient visit",
    "A08": "would bring the patient and {visit} up to date",
    "A11": "would take back the admission of {visit} and cancel what it started",
    "A12": "would take back the last transfer of {visit}",
    "A13": "would take back the discharge of {visit}, reopen it and cancel what the discharge started",
}
_OTHER_EFFECT = "would be noted in the history of {visit}, without effect on it"
_TRANSITION = "the discharge would start the clocks of the transition of care"
_UNCHANGED = "as it was"
_DEATH = "the death would be noted, and open loops ended as their protocols say"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReading:
    segment: str
    line: int
    readings: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    segments: tuple[SegmentReading, ...]
    effects: tuple[str, ...]


def explain(raw: bytes, verdict: Verdict) -> Trial:
    """What a verdict comes from and leads to."""
    sender = verdict.sender
    quirks = sender.feed.quirks if sender else Quirks()
    zone = (sender.zone if sender else None) or ZoneInfo("UTC")
    try:
        message = hl7.read(raw, quirks.charset)
    except (hl7.Unreadable, hl7.WrongCharset):
        return Trial(segments=_only_problems(verdict), effects=tuple(_effects(verdict, zone)))
    header = message.header
    reading = Reading(quirks, zone, quirks.default_assigner or header.text(4))
    words = _Words(message, reading)
    segments = [
        SegmentReading(
            segment=segment.name,
            line=segment.line,
            readings=tuple(words.of(segment)),
            problems=tuple(_problems(verdict, segment.line)),
        )
        for segment in message.every_segment()
    ]
    return Trial(segments=(*segments, *_missing(verdict)), effects=tuple(_effects(verdict, zone)))


def _only_problems(verdict: Verdict) -> tuple[SegmentReading, ...]:
    problems = tuple(_problems(verdict, 1)) or (verdict.explanation,)
    return (SegmentReading(segment="MSH", line=1, readings=(), problems=problems),)


def _problems(verdict: Verdict, line: int) -> Iterable[str]:
    for problem in verdict.problems:
        if problem.line == line:
            yield f"{problem.explanation}. {problem.mend}"
    for note in verdict.notes:
        if note.line == line:
            yield note.text
    if line == 1 and verdict.state is None:
        yield verdict.explanation


def _missing(verdict: Verdict) -> Iterable[SegmentReading]:
    """Segments that should be there and are not."""
    for problem in verdict.problems:
        if problem.line == 0:
            said = f"{problem.explanation}. {problem.mend}"
            yield SegmentReading(segment=problem.place, line=0, readings=(), problems=(said,))


class _Words:
    """What the segments of one message say."""

    def __init__(self, message: Message, reading: Reading) -> None:
        self._message = message
        self._reading = reading
        self._readers: dict[str, Callable[[Segment], Iterable[str]]] = {
            "MSH": self._header,
            "EVN": self._event,
            "PID": self._patient,
            "MRG": self._retired,
            "PV1": self._visit,
            "PV2": self._reason,
            "DG1": self._diagnosis,
            "SCH": self._appointment,
            "OBR": self._order,
            "OBX": self._result,
        }

    def of(self, segment: Segment) -> Iterable[str]:
        reader = self._readers.get(segment.name)
        if reader is None:
            yield "Kept with the message; not read."
            return
        yield from reader(segment)

    def _header(self, msh: Segment) -> Iterable[str]:
        kind = "^".join(msh.parts(9)[:2])
        yield f"{kind or 'No event'} from {msh.text(4) or 'nobody'} ({msh.text(3) or 'any system'})"
        yield f"Control id {msh.text(10) or 'missing'}"
        if at := self._reading.instant(msh, 7):
            yield f"Made {self._time(at)}"

    def _event(self, evn: Segment) -> Iterable[str]:
        if at := self._reading.instant(evn, 6):
            yield f"Happened {self._time(at)}"
        elif at := self._reading.instant(evn, 2):
            yield f"Recorded {self._time(at)}, taken as when it happened"

    def _patient(self, pid: Segment) -> Iterable[str]:
        yield from _person_words(read_person(pid, self._reading), self._time)

    def _retired(self, mrg: Segment) -> Iterable[str]:
        for identifier in read_identifiers(mrg, 1, self._reading):
            yield f"Retired: {_number(identifier)}"

    def _visit(self, pv1: Segment) -> Iterable[str]:
        yield from _visit_words(read_visit(self._message, self._reading), self._time)

    def _reason(self, pv2: Segment) -> Iterable[str]:
        parts = [*pv2.parts(3), "", ""]
        if parts[0] or parts[1]:
            yield f"Admit reason: {parts[1] or parts[0]}"

    def _diagnosis(self, dg1: Segment) -> Iterable[str]:
        parts = [*dg1.parts(3), "", "", ""]
        yield " ".join(part for part in ("Diagnosis", *parts[:2], parts[2]) if part)

    def _appointment(self, _sch: Segment) -> Iterable[str]:
        trigger = [*self._message.header.parts(9), "", ""][1].upper()
        said = read_appointment(self._message, trigger, self._reading)
        yield from _appointment_words(said, self._time)

    def _order(self, obr: Segment) -> Iterable[str]:
        parts = [*obr.parts(4), "", ""]
        yield f"Ordered: {parts[1] or parts[0] or 'not said what'}"
        yield f"Number {obr.text(3) or obr.text(2) or 'missing'}"
        if at := self._reading.instant(obr, 22):
            yield f"Reported {self._time(at)}"

    def _result(self, obx: Segment) -> Iterable[str]:
        if text := in_words(obx):
            yield f"Result: {text}"

    def _time(self, at: datetime) -> str:
        return _local(at, self._reading.zone)


def _person_words(person: Person, time: Callable[[datetime], str]) -> Iterable[str]:
    for name in person.names:
        yield f"Name: {' '.join((*name.given, name.family, name.suffix)).strip()}"
    for identifier in person.identifiers:
        yield f"Number: {_number(identifier)}"
    for address in person.addresses:
        parts = (*address.lines, address.city, address.state, address.postal_code)
        yield f"Address: {', '.join(part for part in parts if part)}"
    for telecom in person.telecoms:
        yield f"{'E-mail' if telecom.is_email else 'Telephone'}: {telecom.value}"
    for label, value in (
        ("Born", _day(person.birth_on) if person.birth_on else ""),
        ("Sex", person.sex),
        ("Language", person.language),
        ("Died", time(person.died_at) if person.died_at else ""),
        ("Death indicator", person.death_indicator),
        ("To be deleted:", ", ".join(person.cleared)),
    ):
        if value:
            yield f"{label} {value}"


def _visit_words(visit: Visit, time: Callable[[datetime], str]) -> Iterable[str]:
    yield f"Visit {visit.visit_number}" if visit.visit_number else "Names no visit number"
    if visit.patient_class:
        yield f"Class {visit.patient_class} ({_CLASSES.get(visit.patient_class, 'as said')})"
    for label, value in (
        ("At", visit.location.replace("^", " ")),
        ("Attending", visit.attending),
        ("Discharge disposition", visit.discharge_disposition),
    ):
        if value:
            yield f"{label} {value}"
    if visit.admitted_at:
        yield f"Admitted {time(visit.admitted_at)}"
    if visit.discharged_at:
        yield f"Discharged {time(visit.discharged_at)}"
    if visit.cleared:
        yield f"To be deleted: {', '.join(visit.cleared)}"


def _appointment_words(said: Appointment, time: Callable[[datetime], str]) -> Iterable[str]:
    yield f"Appointment {said.number}, {said.status.lower() or _UNCHANGED}"
    if said.starts_at:
        yield f"Begins {time(said.starts_at)}"
    for label, value in (
        ("To", said.practitioner),
        ("At", said.location.replace("^", " ")),
        ("Reason:", said.reason),
    ):
        if value:
            yield f"{label} {value}"


def _effects(verdict: Verdict, zone: ZoneInfo) -> Iterable[str]:
    if verdict.state is None:
        yield f"would be refused with {verdict.code}, and not be stored: {verdict.explanation}"
        return
    yield "would be stored as it is, and acknowledged with AA"
    if verdict.report is not None:
        yield from _report_effects(verdict.report, zone)
    elif verdict.state is MessageState.QUARANTINED:
        yield f"would be set aside until somebody has looked: {verdict.explanation}"
    else:
        yield f"would be left alone: {verdict.explanation}"


def _report_effects(report: Report, zone: ZoneInfo) -> Iterable[str]:
    for merge in report.merges:
        retired = " and ".join(_number(each) for each in merge.retired)
        yield f"would make {retired} lead to the patient with {_best(merge.survivor)}"
    if report.person is not None:
        yield f"would find or create the patient by {_best(report.person)}"
        if report.person.death_indicator == "Y" or report.person.died_at:
            yield _DEATH
    if report.appointment is not None:
        told = report.appointment
        yield f"would note that appointment {told.number} is {told.status.lower() or _UNCHANGED}"
    if report.observations is not None:
        count = len(report.observations)
        results = "1 result" if count == 1 else f"{count} results"
        yield f"would note {results}, and have somebody told of those that are critical"
    if report.visit is not None:
        yield _visit_effect(report, report.visit, zone)
        if report.trigger == "A03":
            yield _TRANSITION


def _visit_effect(report: Report, visit: Visit, zone: ZoneInfo) -> str:
    happened = _local(report.event_at, zone)
    return _VISIT_EFFECTS.get(report.trigger, _OTHER_EFFECT).format(
        visit=f"visit {visit.visit_number}" if visit.visit_number else "a visit without a number",
        kind=_CLASSES.get(visit.patient_class, visit.patient_class or "a visit of unknown class"),
        admitted=_local(visit.admitted_at, zone) if visit.admitted_at else happened,
        discharged=_local(visit.discharged_at, zone) if visit.discharged_at else happened,
    )


def _best(person: Person) -> str:
    """The number that a person is found by first."""
    numbers = sorted(person.identifiers, key=lambda each: each.type != "MR")
    return f"{numbers[0].type or 'number'} of {numbers[0].assigner}"


def _number(identifier: Identifier) -> str:
    return f"{identifier.type or 'number'} {identifier.value} of {identifier.assigner}"


def _day(day: PartialDate) -> str:
    parts = [f"{day.year:04}", *(f"{part:02}" for part in (day.month, day.day) if part)]
    return "-".join(parts)


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}{' UTC' if zone.key == 'UTC' else ''}"
