"""One message being read for one sender: how that sender writes, and what was found wrong."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from services.interop.domain import times
from services.interop.domain.feed import Quirks
from services.interop.domain.hl7 import Segment


class ErrorCode(IntEnum):
    """HL7 table 0357."""

    ACCEPTED = 0
    SEGMENT_SEQUENCE = 100
    REQUIRED_FIELD_MISSING = 101
    DATA_TYPE = 102
    TABLE_VALUE = 103
    VALUE_TOO_LONG = 104
    UNSUPPORTED_MESSAGE_TYPE = 200
    UNSUPPORTED_EVENT = 201
    UNSUPPORTED_PROCESSING_ID = 202
    UNSUPPORTED_VERSION = 203
    UNKNOWN_KEY = 204
    DUPLICATE_KEY = 205
    APPLICATION = 207


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message cannot be taken as it is. Says the place and what is wrong, never a value."""

    place: str
    line: int
    reason: str
    error_code: ErrorCode
    what: str
    mend: str

    @property
    def explanation(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was left out of the report, without stopping it."""

    line: int
    text: str


@dataclass(slots=True)
class Reading:
    quirks: Quirks
    zone: ZoneInfo
    default_assigner: str
    # What happened later than this has not happened: somebody mistyped it, or a clock is wrong.
    latest: datetime | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def instant(
        self, segment: Segment, number: int, *, may_lie_ahead: bool = False
    ) -> datetime | None:
        """The time in a field; None if it says nothing, and a problem if it cannot be read or has not come yet."""
        return self.instant_in(segment, number, segment.text(number), may_lie_ahead=may_lie_ahead)

    def instant_in(
        self, segment: Segment, number: int, text: str, *, may_lie_ahead: bool = False
    ) -> datetime | None:
        """The time in a part of a field, read as `instant` reads a whole one."""
        if not text or times.is_blank(text):
            return None
        try:
            at = times.to_instant(text, self.zone)
        except times.NotATime:
            self.problem(
                segment,
                number,
                "TIME_UNREADABLE",
                ErrorCode.DATA_TYPE,
                "not a time",
                "Send YYYYMMDD, with HHMM or HHMMSS and an offset where they are known.",
            )
            return None
        if not may_lie_ahead and self.lies_ahead(at):
            self.complain_of_future(segment, number)
        return at

    def lies_ahead(self, at: datetime) -> bool:
        return self.latest is not None and at > self.latest

    def complain_of_future(self, segment: Segment, number: int) -> None:
        """The newest time counts: one that is ahead would win over every correction until it has come."""
        self.problem(
            segment,
            number,
            "TIME_IN_FUTURE",
            ErrorCode.DATA_TYPE,
            "lies in the future",
            "Send it with the right time. If the times of the feed are off, set its time zone, then replay.",
        )

    def problem(
        self,
        segment: Segment,
        number: int,
        reason: str,
        code: ErrorCode,
        *words: str,
    ) -> None:
        """Note what is wrong with a field; `words` are what is wrong and how to mend it."""
        what, mend = words
        place = f"{segment.name}-{number}" if number else segment.name
        self.problems.append(Problem(place, segment.line, reason, code, what, mend))

    def missing(self, place: str, reason: str, what: str, mend: str) -> None:
        """Note that a whole segment is not there."""
        code = ErrorCode.REQUIRED_FIELD_MISSING
        self.problems.append(Problem(place, 0, reason, code, what, mend))

    def note(self, segment: Segment, text: str) -> None:
        self.notes.append(Note(segment.line, text))
