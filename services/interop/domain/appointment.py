"""SCH, TQ1 and the resources: what a message says of an appointment (SIU)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.interop.domain.hl7 import Message, Segment
from services.interop.domain.reading import ErrorCode, Reading
from services.interop.domain.report import Appointment
from services.interop.domain.visit import display_name, place_of

# HL7 table 0278.
_STATUSES = frozenset(
    {
        "PENDING", "WAITLIST", "BOOKED", "STARTED", "COMPLETE", "CANCELLED", "DC", "DELETED", "BLOCKED", "OVERBOOK",
        "NOSHOW",
    }
)  # fmt: skip
# What is over by its event, whatever the status still says.
_ENDS = {"S15": "CANCELLED", "S16": "DC", "S17": "DELETED", "S26": "NOSHOW"}
# One that changes something else, such as a note: without a status it leaves the status as it was.
_LEAVES_STATUS = "S14"
# They say when.
_PLACES = frozenset({"S12", "S13"})
# Each resource with its beginning, its length and the unit of that.
_RESOURCES = (("AIS", 4, 7, 8), ("AIG", 8, 11, 12), ("AIL", 6, 9, 10), ("AIP", 6, 9, 10))
_LONGEST = timedelta(days=1)
_Time = tuple[datetime | None, datetime | None]


def read_appointment(message: Message, trigger: str, reading: Reading) -> Appointment:
    """What is said of the appointment. When it is may lie ahead: it is a plan."""
    sch = message.first("SCH")
    if sch is None:
        reading.missing("SCH", "APPOINTMENT_MISSING", "no such segment", "Send the appointment.")
        return Appointment()
    if message.count("SCH") > 1:
        reading.problem(
            message.segments("SCH")[1],
            0,
            "APPOINTMENT_NOT_ONE",
            ErrorCode.SEGMENT_SEQUENCE,
            "a second appointment in a message about one",
            "Send one message for each appointment.",
        )
    starts_at, ends_at = _time(message, sch, reading)
    if starts_at is None and trigger in _PLACES and not reading.problems:
        _complain_of_time(sch, reading)
    ail, aip = message.first("AIL"), message.first("AIP")
    return Appointment(
        number=_number(sch, reading),
        starts_at=starts_at,
        ends_at=ends_at,
        status=_ENDS.get(trigger) or _status(sch, trigger, reading),
        reason=_reason(sch),
        practitioner=display_name(aip.parts(3)) if aip else "",
        location=place_of(ail) if ail else "",
    )


def _number(sch: Segment, reading: Reading) -> str:
    """The filler's number, else the placer's."""
    number = sch.text(2) or sch.text(1)
    if not number:
        reading.problem(
            sch,
            2,
            "APPOINTMENT_NUMBER_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no number of the appointment",
            "Send the filler's number: it says which appointment is meant.",
        )
    return number


def _complain_of_time(sch: Segment, reading: Reading) -> None:
    reading.problem(
        sch,
        11,
        "APPOINTMENT_TIME_MISSING",
        ErrorCode.REQUIRED_FIELD_MISSING,
        "no time, nor one in TQ1, AIS, AIG, AIL or AIP",
        "Send when it begins.",
    )


def _time(message: Message, sch: Segment, reading: Reading) -> _Time:
    """The first that says when it begins, with the end that belongs to it. TQ1 has replaced SCH-11 since version 2.5."""
    for starts_at, ends_at in _times(message, sch, reading):
        if starts_at is not None:
            return starts_at, _sane(starts_at, ends_at, sch, reading)
    return None, None


def _times(message: Message, sch: Segment, reading: Reading) -> Iterator[_Time]:
    length = _length(sch, 9, 10)
    if tq1 := message.first("TQ1"):
        begins = reading.instant(tq1, 7, may_lie_ahead=True)
        yield begins, reading.instant(tq1, 8, may_lie_ahead=True) or _after(begins, length)
    timing = [*sch.parts(11), "", "", "", "", ""]
    begins = reading.instant_in(sch, 11, timing[3], may_lie_ahead=True)
    ends = reading.instant_in(sch, 11, timing[4], may_lie_ahead=True)
    yield begins, ends or _after(begins, length)
    for name, at, lasts, unit in _RESOURCES:
        if segment := message.first(name):
            begins = reading.instant(segment, at, may_lie_ahead=True)
            yield begins, _after(begins, length or _length(segment, lasts, unit))


def _sane(
    starts_at: datetime, ends_at: datetime | None, sch: Segment, reading: Reading
) -> datetime | None:
    """The end, if it can be one: nothing hangs on it, so it sets nothing aside."""
    if ends_at is None or starts_at < ends_at <= starts_at + _LONGEST:
        return ends_at
    reading.note(sch, "When it ends cannot be right, and is left out.")
    return None


def _after(starts_at: datetime | None, length: timedelta | None) -> datetime | None:
    return starts_at + length if starts_at and length else None


def _length(segment: Segment, number: int, unit: int) -> timedelta | None:
    """How long it lasts: in minutes, unless hours or seconds are named."""
    text = segment.text(number)
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    named = segment.text(unit).upper()
    if named.startswith("H"):
        return timedelta(hours=int(text))
    return timedelta(seconds=int(text)) if named.startswith("S") else timedelta(minutes=int(text))


def _status(sch: Segment, trigger: str, reading: Reading) -> str:
    said = sch.text(25).upper()
    if said and said not in _STATUSES:
        reading.note(sch, "SCH-25: a status that is not in HL7 table 0278; the event counts.")
        said = ""
    return said or ("" if trigger == _LEAVES_STATUS else "BOOKED")


def _reason(sch: Segment) -> str:
    parts = [*sch.parts(7), "", ""]
    return parts[1] or parts[0]
