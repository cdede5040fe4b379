"""What becomes of a message: one pure decision for MLLP, HTTP, replay and trial alike."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.interop.domain import hl7, times
from services.interop.domain.feed import LONGEST_KEY, FeedState, Sender
from services.interop.domain.hl7 import Segment
from services.interop.domain.message import MessageState
from services.interop.domain.reading import ErrorCode, Note, Problem, Reading
from services.interop.domain.report import Report
from services.interop.domain.translate import KINDS, is_followed, translate

# The sender of the first components of MSH-4 and MSH-3.
FindSender = Callable[[str, str], Sender | None]

_VERSION = re.compile(r"2(\.\d+)*", re.ASCII)
_NAME_OF_SYSTEM = re.compile(r"[A-Za-z0-9._-]{1,20}", re.ASCII)
_EVENT = re.compile(r"[A-Z][A-Z0-9]{2}\^[A-Z][A-Z0-9]{2}", re.ASCII)
# What lies further ahead is a year mistyped: it would outrank every correction until it has come. Less may be a plan.
_FARTHEST = timedelta(days=366)


class AckCode(StrEnum):
    """MSA-1, HL7 table 0008, in original mode."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision. `state` is what the message is stored as; None: refused, and not stored as a message.

    `reason` and `explanation` say why, unless it is simply handed to the record. The explanation
    never holds a value of the message, but for its header where the message is refused.
    """

    code: AckCode
    error_code: ErrorCode = ErrorCode.ACCEPTED
    reason: str = ""
    explanation: str = ""
    state: MessageState | None = None
    header: Segment | None = None
    sender: Sender | None = None
    sending_application: str = ""
    control_id: str = ""
    event_type: str = ""
    message_at: datetime | None = None
    facility_id: UUID | None = None
    content_hash: bytes = b""
    report: Report | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()
    # A bug of ours that kept the message from being read; it is set aside, not lost.
    fault: Exception | None = None


class _Refused(Exception):
    """Ends the admission of a message; never leaves this file."""

    def __init__(
        self,
        code: AckCode,
        error_code: ErrorCode,
        reason: str,
        explanation: str,
        sender: Sender | None = None,
    ) -> None:
        super().__init__(reason)
        self.verdict = Verdict(
            code=code,
            error_code=error_code,
            reason=reason,
            explanation=explanation,
            sender=sender,
        )


def classify(
    raw: bytes, find_sender: FindSender, received_at: datetime, *, is_stored: bool = False
) -> Verdict:
    """Decide on a message. It never raises, whatever the bytes are.

    A message that is stored already (`is_stored`) is only read anew: whether its feed is paused
    or accepts its processing id was decided when it came.
    """
    try:
        header = hl7.read_header(raw)
    except hl7.Unreadable:
        return _unreadable()
    try:
        sender = _admit(header, find_sender, is_stored=is_stored)
    except _Refused as refusal:
        return _of_sender(refusal.verdict, header, find_sender)
    try:
        return _read(raw, header, sender, received_at)
    except Exception as fault:  # noqa: BLE001 - whatever a sender thinks of next; the caller logs it
        return _set_aside(raw, header, sender, fault)


def classify_for(
    sender: Sender, raw: bytes, received_at: datetime, *, is_stored: bool = False
) -> Verdict:
    """As `classify`, for a message that has to be of one sender."""

    def find(facility: str, application: str) -> Sender | None:
        return sender if sender.feed.is_of(facility, application) else None

    verdict = classify(raw, find, received_at, is_stored=is_stored)
    if verdict.reason == "SENDER_UNKNOWN":
        verdict = replace(
            verdict,
            reason="SENDER_NOT_THE_FEED",
            explanation="MSH-3 and MSH-4: they are not those of this feed.",
        )
    return verdict if verdict.sender else replace(verdict, sender=sender)


def too_long(head: bytes, find_sender: FindSender, most: int) -> Verdict:
    """The refusal of a message with more bytes than there may be; its head is all that is known."""
    verdict = Verdict(
        code=AckCode.ERROR,
        error_code=ErrorCode.VALUE_TOO_LONG,
        reason="MESSAGE_TOO_LONG",
        explanation=f"The message has more than {most} bytes.",
    )
    try:
        return _of_sender(verdict, hl7.read_header(head), find_sender)
    except hl7.Unreadable:
        return verdict


def _of_sender(verdict: Verdict, header: Segment, find_sender: FindSender) -> Verdict:
    """A refusal with what is known of where it goes."""
    return replace(
        verdict,
        header=header,
        control_id=header.text(10),
        sender=verdict.sender or find_sender(header.text(4), header.text(3)),
    )


def _unreadable() -> Verdict:
    return Verdict(
        code=AckCode.ERROR,
        error_code=ErrorCode.SEGMENT_SEQUENCE,
        reason="HEADER_UNREADABLE",
        explanation="MSH: the message does not begin with a header that can be read.",
    )


def _admit(header: Segment, find_sender: FindSender, *, is_stored: bool) -> Sender:
    """The sender of a message that may come in."""
    _check_keys(header)
    facility, application = header.text(4), header.text(3)
    sender = find_sender(facility, application)
    if sender is None:
        raise _Refused(
            AckCode.ERROR,
            ErrorCode.UNKNOWN_KEY,
            "SENDER_UNKNOWN",
            f"MSH-4: no feed is {_shown(facility)} sending as {_shown(application)}.",
        )
    if not is_stored:
        _check_gates(header, sender)
    if sender.zone is None:
        raise _Refused(
            AckCode.REJECTED,
            ErrorCode.APPLICATION,
            "FACILITY_NOT_READY",
            "The clock of the feed's facility is not known yet. Send it again.",
            sender,
        )
    return sender


def _check_keys(header: Segment) -> None:
    for number, is_required in ((10, True), (4, True), (3, False)):
        value = header.text(number)
        if not value and is_required:
            raise _Refused(
                AckCode.ERROR,
                ErrorCode.REQUIRED_FIELD_MISSING,
                "CONTROL_ID_MISSING" if number == 10 else "SENDING_FACILITY_MISSING",
                f"MSH-{number}: required, and empty.",
            )
        if len(value) > LONGEST_KEY:
            raise _Refused(
                AckCode.ERROR,
                ErrorCode.VALUE_TOO_LONG,
                "HEADER_TOO_LONG",
                f"MSH-{number}: longer than {LONGEST_KEY} characters.",
            )


def _check_gates(header: Segment, sender: Sender) -> None:
    if sender.feed.state is FeedState.PAUSED:
        raise _Refused(
            AckCode.REJECTED,
            ErrorCode.APPLICATION,
            "FEED_PAUSED",
            "The feed is paused. Send it again later.",
            sender,
        )
    if not sender.feed.quirks.accepts(header.text(11)):
        raise _Refused(
            AckCode.REJECTED,
            ErrorCode.UNSUPPORTED_PROCESSING_ID,
            "PROCESSING_ID_NOT_ACCEPTED",
            f"MSH-11: this feed does not accept {_shown(header.text(11))}.",
            sender,
        )
    version = header.text(12)
    if version and not _VERSION.fullmatch(version):
        raise _Refused(
            AckCode.REJECTED,
            ErrorCode.UNSUPPORTED_VERSION,
            "VERSION_NOT_ACCEPTED",
            f"MSH-12: {_shown(version)} is not a version 2.",
            sender,
        )


def _shown(value: str) -> str:
    """A value of the header, if it is a name of a system; a sender that is off by a field puts a person's there."""
    return (
        f'"{value}"' if not value or _NAME_OF_SYSTEM.fullmatch(value) else "one that is not shown"
    )


def _read(raw: bytes, header: Segment, sender: Sender, received_at: datetime) -> Verdict:
    """Read a message that is admitted: it is stored whatever it says."""
    zone = sender.zone
    assert zone is not None  # noqa: S101 - _admit has seen to it
    quirks = sender.feed.quirks
    latest = received_at + _FARTHEST
    reading = Reading(quirks, zone, quirks.default_assigner or header.text(4), latest)
    message: hl7.Message | None = None
    report: Report | None = None
    event_type, trigger = "", ""
    try:
        message = hl7.read(raw, quirks.charset)
    except hl7.WrongCharset as error:
        _complain_of_charset(header, error, reading)
    else:
        event_type, trigger = _event(message, reading)
    if message is not None and is_followed(event_type):
        report = translate(message, trigger, sender, reading, received_at).report
    return replace(
        _outcome(reading, report, event_type),
        header=message.header if message else header,
        sender=sender,
        sending_application=header.text(3),
        control_id=header.text(10),
        event_type=event_type,
        message_at=_message_at(header, reading),
        facility_id=report.facility_id if report else sender.feed.facility_id,
        content_hash=hashlib.sha256(raw).digest(),
        report=report,
        problems=tuple(reading.problems),
        notes=tuple(reading.notes),
    )


def _complain_of_charset(header: Segment, error: hl7.WrongCharset, reading: Reading) -> None:
    is_unknown = isinstance(error, hl7.UnknownCharset)
    reading.problem(
        header,
        18,
        "CHARSET_UNKNOWN" if is_unknown else "CHARSET_MISMATCH",
        ErrorCode.TABLE_VALUE if is_unknown else ErrorCode.DATA_TYPE,
        "a character set that is not known"
        if is_unknown
        else "the bytes are not in the character set that is named",
        "Name the right one, or set the feed's character set, then replay.",
    )


def _set_aside(raw: bytes, header: Segment, sender: Sender, fault: Exception) -> Verdict:
    return Verdict(
        code=AckCode.ACCEPTED,
        state=MessageState.QUARANTINED,
        error_code=ErrorCode.APPLICATION,
        reason="READER_FAILED",
        explanation="The message could not be read because of an error of ours.",
        header=header,
        sender=sender,
        sending_application=header.text(3),
        control_id=header.text(10),
        facility_id=sender.feed.facility_id,
        content_hash=hashlib.sha256(raw).digest(),
        fault=fault,
    )


def _event(message: hl7.Message, reading: Reading) -> tuple[str, str]:
    """MSH-9 without the structure, and the trigger: that of EVN-1 where MSH-9 leaves it out."""
    parts = [*message.header.parts(9), "", ""]
    kind, trigger = parts[0].upper(), parts[1].upper()
    evn = message.first("EVN")
    if kind == "ADT" and not trigger and evn is not None:
        trigger = evn.text(1).upper()
    event_type = f"{kind}^{trigger}"
    if not _EVENT.fullmatch(event_type):
        reading.problem(
            message.header,
            9,
            "EVENT_MISSING",
            ErrorCode.REQUIRED_FIELD_MISSING,
            "no message type and event that can be read",
            "Send both, such as ADT^A01.",
        )
        return "", ""
    return event_type, trigger


def _outcome(reading: Reading, report: Report | None, event_type: str) -> Verdict:
    if reading.problems:
        first = reading.problems[0]
        return Verdict(
            code=AckCode.ACCEPTED,
            state=MessageState.QUARANTINED,
            error_code=first.error_code,
            reason=first.reason,
            explanation=first.explanation,
        )
    if report is None:
        is_known = event_type[:3] in KINDS
        code = ErrorCode.UNSUPPORTED_EVENT if is_known else ErrorCode.UNSUPPORTED_MESSAGE_TYPE
        return Verdict(
            code=AckCode.ACCEPTED,
            state=MessageState.IGNORED,
            error_code=code,
            reason="EVENT_NOT_FOLLOWED",
            explanation=f"MSH-9: {'an event' if is_known else 'a type'} that is not followed.",
        )
    return Verdict(code=AckCode.ACCEPTED, state=MessageState.PENDING)


def _message_at(header: Segment, reading: Reading) -> datetime | None:
    try:
        return times.to_instant(header.text(7), reading.zone)
    except times.NotATime:
        return None
