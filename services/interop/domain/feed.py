"""A feed: one sender of messages, what it does differently, and when its silence is alarming."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

from libs.chassis.errors import InvalidArgument
from services.interop.domain.silence import Mute

# HL7 table 0004, and what the record understands beside it: sites write observation and partial hospitalization so.
PATIENT_CLASSES = frozenset("IOEPRBCNU") | frozenset(
    {"V", "OBS", "OBSERVATION", "PH", "PHP", "PARTIAL", "IP", "INPATIENT", "OP", "OUTPATIENT"}
    | {"ED", "ER", "EMERGENCY", "PREADMIT", "RECURRING"}
)
CHARSETS = {"": "", "utf-8": "utf-8", "latin-1": "latin-1", "ascii": "ascii"}
SILENCE_AFTER = timedelta(hours=2)
# MSH-3, MSH-4 and MSH-10 are keys: longer than this they are no such thing.
LONGEST_KEY = 200


class FeedState(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What one sender does differently, as data."""

    time_zone: str = ""
    charset: str = ""
    patient_classes: dict[str, str] = field(default_factory=dict)
    dispositions: dict[str, str] = field(default_factory=dict)
    facilities: dict[str, UUID] = field(default_factory=dict)
    default_assigner: str = ""
    processing_ids: tuple[str, ...] = ()

    def check(self) -> None:
        if self.time_zone:
            check_zone("feed.quirks.time_zone", self.time_zone)
        if self.charset not in CHARSETS:
            raise InvalidArgument(
                "CHARSET_UNKNOWN",
                'The character set must be "utf-8", "latin-1" or "ascii".',
                field="feed.quirks.charset",
            )
        if unknown := set(self.patient_classes.values()) - PATIENT_CLASSES:
            raise InvalidArgument(
                "PATIENT_CLASS_UNKNOWN",
                f"A class must be mapped to one of HL7 table 0004, OBS or PH, not to {min(unknown)!r}.",
                field="feed.quirks.patient_classes",
            )

    def accepts(self, processing_id: str) -> bool:
        return processing_id in (self.processing_ids or ("P",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is known of a sender that makes what it sends sensitive, whatever its messages say."""

    is_part2_program: bool = False
    sends_labels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    id: UUID
    facility_id: UUID
    name: str
    sending_facility: str
    sending_application: str = ""
    state: FeedState = FeedState.ACTIVE
    quirks: Quirks = Quirks()
    provenance: Provenance = Provenance()
    silence_after: timedelta = SILENCE_AFTER
    mute: Mute | None = None
    created_at: datetime
    version: int = 1

    def check(self) -> None:
        """Refuse what could not work, naming the field."""
        for name, value, is_required in (
            ("name", self.name, True),
            ("sending_facility", self.sending_facility, True),
            ("sending_application", self.sending_application, False),
        ):
            if (is_required and not value) or len(value) > LONGEST_KEY:
                raise InvalidArgument(
                    "FEED_FIELD_INVALID",
                    f"{name} needs {1 if is_required else 0} to {LONGEST_KEY} characters.",
                    field=f"feed.{name}",
                )
        if self.silence_after < timedelta(minutes=1):
            raise InvalidArgument(
                "SILENCE_TOO_SHORT",
                "A feed may be silent for a minute at least.",
                field="feed.silence_after",
            )
        self.quirks.check()

    def is_of(self, sending_facility: str, sending_application: str) -> bool:
        """Whether a message with this MSH-4 and MSH-3 is one of its messages."""
        return self.sending_facility == sending_facility and (
            not self.sending_application or self.sending_application == sending_application
        )

    def is_silent(self, last_message_at: datetime | None, now: datetime) -> bool:
        """A feed that never sent counts from its creation; a paused one is silent because we asked."""
        if self.state is FeedState.PAUSED:
            return False
        return now - (last_message_at or self.created_at) > self.silence_after

    def is_muted(self, now: datetime) -> bool:
        return self.mute is not None and now < self.mute.until_at

    def with_mute(self, mute: Mute | None) -> Self:
        return replace(self, mute=mute, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A feed as messages are read: with the clock of its facility, which the network told us."""

    feed: Feed
    facility_time_zone: str = ""

    @property
    def zone(self) -> ZoneInfo | None:
        """Where its times without an offset are; None while nobody has told us."""
        name = self.feed.quirks.time_zone or self.facility_time_zone
        return ZoneInfo(name) if name else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Where the messages of a feed went, and when the newest came."""

    feed_id: UUID
    pending: int = 0
    applied: int = 0
    no_op: int = 0
    quarantined: int = 0
    ignored: int = 0
    parked: int = 0
    duplicates: int = 0
    refused: int = 0
    last_hour: int = 0
    last_message_at: datetime | None = None

    @property
    def received(self) -> int:
        set_aside = self.quarantined + self.ignored + self.parked
        return self.pending + self.applied + self.no_op + set_aside


def check_zone(name: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise _unknown_zone(name) from error
    except KeyError as error:
        raise _unknown_zone(name) from error


def _unknown_zone(name: str) -> InvalidArgument:
    return InvalidArgument(
        "TIME_ZONE_UNKNOWN", "An IANA name such as America/Chicago is needed.", field=name
    )
