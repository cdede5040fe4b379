"""The answer to a message: who it came from turned around, the verdict, and why.

One message, one answer, always: MLLP senders wait for it. In original mode the code is AA, AE or AR.
A sender that asks for a commit acknowledgement (MSH-15: AL always, ER if refused, SU if stored) gets
CA, CE or CR instead. Where MSH-15 says that none is wanted for this case, the answer is the one of
original mode: silence would leave the sender waiting. MSH-16 is not acted on: what the record makes
of a message is told by the feed's accounts, not by a second acknowledgement.
"""

import re
from datetime import datetime

from services.interop.domain.classify import AckCode, Verdict
from services.interop.domain.hl7 import Segment, escape
from services.interop.domain.message import MessageState
from services.interop.domain.reading import ErrorCode

_TEXTS = {
    ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
    ErrorCode.REQUIRED_FIELD_MISSING: "Required field missing",
    ErrorCode.DATA_TYPE: "Data type error",
    ErrorCode.TABLE_VALUE: "Table value not found",
    ErrorCode.VALUE_TOO_LONG: "Value too long",
    ErrorCode.UNSUPPORTED_MESSAGE_TYPE: "Unsupported message type",
    ErrorCode.UNSUPPORTED_EVENT: "Unsupported event code",
    ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
    ErrorCode.UNSUPPORTED_VERSION: "Unsupported version id",
    ErrorCode.UNKNOWN_KEY: "Unknown key identifier",
    ErrorCode.DUPLICATE_KEY: "Duplicate key identifier",
    ErrorCode.APPLICATION: "Application internal error",
}
_COMMIT = {AckCode.ACCEPTED: "CA", AckCode.ERROR: "CE", AckCode.REJECTED: "CR"}
_REUSED = "MSH-10: another message had the same control id; this one was stored beside it."
_LONGEST_ECHO = 200
# What looks the same in every encoding.
_PLAIN = re.compile(r"[A-Za-z0-9 ._-]*")


def acknowledge(
    verdict: Verdict, at: datetime, ack_id: str, *, is_control_id_reused: bool = False
) -> bytes:
    """The whole acknowledgement, segments ended by CR."""
    header = verdict.header
    segments = [_msh(verdict, at, ack_id), _msa(verdict)]
    if verdict.error_code:
        severity = "W" if verdict.code is AckCode.ACCEPTED else "E"
        segments.append(_err(verdict.error_code, severity, verdict.explanation))
    if is_control_id_reused:
        segments.append(_err(ErrorCode.DUPLICATE_KEY, "W", _REUSED))
    text = "\r".join(segments) + "\r"
    charset = header.encoding.charset if header and header.raw(18) else "utf-8"
    return text.encode(charset, "replace")


def ack_code(verdict: Verdict) -> str:
    """MSA-1."""
    asked = verdict.header.text(15).upper() if verdict.header else ""
    is_stored = verdict.code is AckCode.ACCEPTED
    if asked == "AL" or asked == ("SU" if is_stored else "ER"):
        return _COMMIT[verdict.code]
    return verdict.code.value


def _msh(verdict: Verdict, at: datetime, ack_id: str) -> str:
    header = verdict.header
    echo = [_echo(header, number) if header else "" for number in (5, 6, 3, 4, 11, 12, 18)]
    application, facility, their_application, their_facility, processing, version, charset = echo
    trigger = verdict.event_type.partition("^")[2]
    fields = [
        "MSH",
        "^~\\&",
        application,
        facility,
        their_application,
        their_facility,
        at.strftime("%Y%m%d%H%M%S+0000"),
        "",
        f"ACK^{trigger}^ACK" if trigger else "ACK",
        ack_id,
        processing or "P",
        version or "2.5.1",
        "",
        "",
        "",
        "",
        "",
        charset,
    ]
    return "|".join(fields).rstrip("|")


def _msa(verdict: Verdict) -> str:
    control_id = escape(verdict.control_id[:_LONGEST_ECHO])
    said = verdict.explanation if verdict.state is not MessageState.PENDING else ""
    return f"MSA|{ack_code(verdict)}|{control_id}|{escape(said)}".rstrip("|")


def _err(code: ErrorCode, severity: str, explanation: str) -> str:
    return f"ERR|||{code.value}^{_TEXTS[code]}^HL70357|{severity}||||{escape(explanation)}"


def _echo(header: Segment, number: int) -> str:
    """A field of the header, its components in our delimiters and escaped."""
    raw = header.raw(number)[:_LONGEST_ECHO]
    if _PLAIN.fullmatch(raw):
        return raw
    encoding = header.encoding
    return "~".join(
        "^".join(
            "&".join(escape(encoding.text(part)) for part in component.split(encoding.subcomponent))
            for component in encoding.components(repetition)
        )
        for repetition in encoding.repetitions(raw)
    )
