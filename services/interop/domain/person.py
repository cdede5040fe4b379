"""PID and MRG: whom a message is about."""

import re
from collections.abc import Iterable
from datetime import datetime

from services.interop.domain import languages, telecoms, times
from services.interop.domain.hl7 import Segment
from services.interop.domain.reading import ErrorCode, Reading
from services.interop.domain.report import Address, Identifier, Name, PartialDate, Person

SEXES = frozenset("FMOUAN")
_YES_OR_NO = {"Y": "Y", "YES": "Y", "N": "N", "NO": "N"}
# Field of PID and the name it has in a report, where "" (two quotes) means delete.
_CLEARABLE = (
    (5, "names"),
    (7, "birth_date"),
    (8, "sex"),
    (11, "addresses"),
    (15, "language"),
    (29, "death_time"),
    (30, "death_indicator"),
)
_SOCIAL_SECURITY = re.compile(r"(\d{3})-?(\d{2})-?(\d{4})", re.ASCII)


def read_person(pid: Segment, reading: Reading) -> Person:
    identifiers = _unique(_identifiers(pid, reading))
    if not identifiers:
        reading.problem(
            pid,
            3,
            "IDENTIFIER_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no identifier of the patient",
            "Send the medical record number as the first component of PID-3.",
        )
    return Person(
        identifiers=identifiers,
        names=tuple(_names(pid)),
        birth_on=_birth_on(pid, reading),
        sex=_sex(pid, reading),
        addresses=tuple(_addresses(pid)),
        telecoms=telecoms.read(pid),
        language=_language(pid, reading),
        death_indicator=_YES_OR_NO.get(pid.text(30).upper(), ""),
        died_at=reading.instant(pid, 29),
        cleared=_cleared(pid),
    )


def read_identifiers(segment: Segment, number: int, reading: Reading) -> tuple[Identifier, ...]:
    """The numbers of a CX field: CX-4 names who gave them, else the feed's default does."""
    found = []
    for repetition in segment.repetitions(number):
        parts = segment.split(repetition)
        if not parts[0]:
            continue
        assigner = _assigner(segment, repetition, parts) or reading.default_assigner
        kind = parts[4].upper() if len(parts) > 4 else ""
        value = _social_security(parts[0]) if kind == "SS" else parts[0]
        if value:
            found.append(Identifier(assigner, value, kind))
    return tuple(found)


def _assigner(segment: Segment, repetition: str, parts: list[str]) -> str:
    """The namespace (CX-4.1), or where only that was sent the universal id (CX-4.2)."""
    if len(parts) < 4 or parts[3]:
        return parts[3] if len(parts) > 3 else ""
    raw = repetition.split(segment.encoding.component)[3]
    subcomponents = raw.split(segment.encoding.subcomponent)
    return segment.encoding.text(subcomponents[1]) if len(subcomponents) > 1 else ""


def _identifiers(pid: Segment, reading: Reading) -> Iterable[Identifier]:
    for number in (3, 2, 4):
        if pid.raw(number):
            yield from read_identifiers(pid, number, reading)
    if said := pid.text(19):
        value = _social_security(said)
        if value:
            yield Identifier("USSSA", value, "SS")
        else:
            reading.note(pid, "PID-19 is not a social security number; left out.")


def _social_security(said: str) -> str:
    """Nine digits; "" for anything else, and for the fillers that nobody ever had."""
    found = _SOCIAL_SECURITY.fullmatch(said)
    if found is None:
        return ""
    area, group, serial = found.groups()
    is_filler = area in {"000", "666", "999"} or group == "00" or serial == "0000"
    return "" if is_filler else area + group + serial


def _unique(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(dict.fromkeys(identifiers))


def _names(pid: Segment) -> Iterable[Name]:
    for repetition in pid.repetitions(5):
        family, given, further, suffix, *_, use = [*pid.split(repetition), *[""] * 7][:7]
        given_names = tuple(part for part in (given, *further.split()) if part)
        if family or given_names:
            yield Name(family, given_names, use, suffix)


def _addresses(pid: Segment) -> Iterable[Address]:
    for repetition in pid.repetitions(11):
        parts = [*pid.split(repetition), *[""] * 7]
        lines = tuple(line for line in parts[:2] if line)
        city, state, postal_code, _, use = parts[2:7]
        if lines or city or state or postal_code:
            yield Address(lines, city, state, postal_code, use)


def _birth_on(pid: Segment, reading: Reading) -> PartialDate | None:
    text = pid.text(7)
    if not text or times.is_blank(text):
        return None
    try:
        day = times.to_day(text)
    except times.NotATime:
        reading.problem(
            pid, 7, "DATE_UNREADABLE", ErrorCode.DATA_TYPE, "not a date", "Send YYYYMMDD."
        )
        return None
    if reading.lies_ahead(datetime(day.year, day.month or 1, day.day or 1, tzinfo=reading.zone)):
        reading.complain_of_future(pid, 7)
    return day


def _sex(pid: Segment, reading: Reading) -> str:
    said = pid.text(8).upper()
    if not said or said in SEXES:
        return said
    reading.note(pid, "PID-8 is not in HL7 table 0001 (F, M, O, U, A, N); left out.")
    return ""


def _language(pid: Segment, reading: Reading) -> str:
    """The code, else the code of the other system, else the text: the first that is known."""
    parts = [*pid.parts(15), *[""] * 5]
    for said in (parts[0], parts[3], parts[1], parts[4]):
        if said and (tag := languages.to_tag(said)):
            return tag
    if parts[0] or parts[1]:
        reading.note(pid, "PID-15 is not a language that is known; left out.")
    return ""


def _cleared(pid: Segment) -> tuple[str, ...]:
    if '""' not in pid.fields:
        return ()
    cleared = [name for number, name in _CLEARABLE if pid.is_deleted(number)]
    says_telecom = pid.repetitions(13) or pid.repetitions(14)
    if not says_telecom and (pid.is_deleted(13) or pid.is_deleted(14)):
        cleared.append("telecoms")
    return tuple(cleared)
