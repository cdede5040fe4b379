"""How a patient is reached: what people wrote here, else what a care plan wishes, else the record; and what they allow."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import InvalidArgument
from services.messaging.domain.hours import Hours
from services.messaging.domain.wish import Wish

_PHONE = re.compile(r"\+[1-9]\d{7,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"


class Consent(StrEnum):
    UNKNOWN = "UNKNOWN"
    ALLOWED = "ALLOWED"
    REFUSED = "REFUSED"


# Whoever says STOP to a number says it to everything that the number gets.
BY_NUMBER = (Channel.SMS, Channel.VOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What this hub can send by, and whether it may where nobody asked the patient."""

    channels: frozenset[Channel] = frozenset()
    unknown_is_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel, and where it leads."""

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """That a STOP closed a channel: from which number it came, and what was true until then."""

    channel: str
    number: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One patient's. `told_…` is what the record says, `wish` what a care plan does; the rest, what people wrote here."""

    patient_id: UUID
    version: int = 1
    told_version: int = 0
    facility_ids: tuple[UUID, ...] = ()
    told_phone: str = ""
    told_email: str = ""
    told_language: str = ""
    is_deceased: bool = False
    merged_into_id: UUID | None = None
    phone: str = ""
    email: str = ""
    language: str = ""
    preferred_channel: str = ""
    consents: Mapping[str, str] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    best_from: int = 0
    best_until: int = 0
    is_shared_phone: bool = False
    wish: Wish | None = None

    @property
    def number(self) -> str:
        return self.phone or self.told_phone

    @property
    def address(self) -> str:
        return self.email or self.told_email

    @property
    def speaks(self) -> str:
        return self.language or self.is_said_to_speak

    @property
    def is_said_to_speak(self) -> str:
        """The language, if nobody writes one here."""
        return (self.wish.language if self.wish else "") or self.told_language

    def liked(self, hours: Hours) -> Hours:
        """Of these hours those that they like; never while they sleep, whoever wrote the best hours down."""
        best = frozenset(range(self.best_from, self.best_until))
        if self.wish is None:
            return hours.within(best)
        return hours.without(self.wish.asleep).within(best or self.wish.best)

    def consent(self, channel: Channel) -> Consent:
        return Consent(self.consents.get(channel, Consent.UNKNOWN))

    def allows(self, channel: Channel, means: Means) -> bool:
        consent = self.consent(channel)
        return consent is Consent.ALLOWED or (
            consent is Consent.UNKNOWN and means.unknown_is_allowed
        )

    def ways(self) -> tuple[Way, ...]:
        """Every channel that leads somewhere: the preferred one first, then SMS, e-mail, voice."""
        order = sorted(Channel, key=lambda each: each != self.preferred_channel)
        leads = {c: self.address if c is Channel.EMAIL else self.number for c in order}
        return tuple(
            Way(channel=c, address=leads[c])
            for c in order
            if self._is_of_use(c) and _can_reach(c, leads[c])
        )

    def _is_of_use(self, channel: Channel) -> bool:
        """Whether their telephone is good for it, as the wish says; or people who wrote here that they prefer it."""
        if self.wish is None or channel == self.preferred_channel:
            return True
        has_not = {Channel.SMS: self.wish.has_no_texts, Channel.VOICE: self.wish.has_no_calls}
        return not has_not.get(channel, False)

    def way(self, means: Means) -> Way | None:
        """How they are written to: by a channel that leads to them, that they allow and that the hub has."""
        return next(
            (
                w
                for w in self.ways()
                if w.channel in means.channels and self.allows(w.channel, means)
            ),
            None,
        )

    def stopped(self) -> "Contact":
        """STOP came from their number: it gets nothing more. What people had refused before is not a STOP's to give back."""
        open_ones = [c for c in BY_NUMBER if self.consent(c) is not Consent.REFUSED]
        if not open_ones:
            return self
        closed = tuple(
            Stop(channel=c, number=self.number, before=self.consent(c)) for c in open_ones
        )
        refused = dict.fromkeys(map(str, open_ones), str(Consent.REFUSED))
        return self.changed(consents={**self.consents, **refused}, stops=(*self.stops, *closed))

    def started(self, *, is_theirs: bool) -> "Contact":
        """START came from their number: what a STOP from it closed is as it was. Texts are allowed where it is their answer."""
        back = {s.channel: s.before for s in self.stops if s.number == self.number}
        texts = {str(Channel.SMS): str(Consent.ALLOWED)} if is_theirs else {}
        said = {**self.consents, **back, **texts}
        if said == self.consents:
            return self
        stops = tuple(s for s in self.stops if said[s.channel] == Consent.REFUSED)
        return self.changed(consents=said, stops=stops)

    def stops_but(self, channels: Collection[str]) -> tuple[Stop, ...]:
        """What a START can still give back once somebody has said something of their own about these channels."""
        return tuple(stop for stop in self.stops if stop.channel not in channels)

    def changed(self, **fields: object) -> "Contact":
        after = replace(self, **fields, version=self.version + 1)  # type: ignore[arg-type]
        after.check()
        return after

    def joined_by(self, retired: "Contact") -> "Contact":
        """What the retired record's people wrote where this one's wrote nothing; a refusal of either counts."""
        refused = {c: s for c, s in retired.consents.items() if s == Consent.REFUSED}
        by_people = {c for one in (self, retired) for c in one._refused_by_people()}
        stops = {s.channel: s for s in (*retired.stops, *self.stops) if s.channel not in by_people}
        joined = replace(
            self,
            phone=self.phone or retired.phone,
            email=self.email or retired.email,
            language=self.language or retired.language,
            preferred_channel=self.preferred_channel or retired.preferred_channel,
            consents={**retired.consents, **self.consents, **refused},
            stops=tuple(stops[channel] for channel in sorted(stops)),
            is_shared_phone=self.is_shared_phone or retired.is_shared_phone,
        )
        return self if joined == self else replace(joined, version=self.version + 1)

    def _refused_by_people(self) -> set[str]:
        by_stop = {stop.channel for stop in self.stops}
        return {c for c, s in self.consents.items() if s == Consent.REFUSED} - by_stop

    def check(self) -> None:
        """Refuse what cannot be."""
        if self.phone and not _PHONE.fullmatch(self.phone):
            raise InvalidArgument(
                "PHONE_INVALID", "Write the number as +12175550100.", field="contact.phone"
            )
        if self.email and not _EMAIL.fullmatch(self.email):
            raise InvalidArgument(
                "EMAIL_INVALID", "That is no e-mail address.", field="contact.email"
            )
        if self.preferred_channel not in ("", *Channel):
            raise InvalidArgument(
                "CONTACT_CHANNEL_UNKNOWN",
                "A channel is sms, email or voice.",
                field="contact.preferred_channel",
            )
        if not 0 <= self.best_from <= self.best_until <= 24:
            raise InvalidArgument(
                "HOURS_INVALID",
                "From comes before until, by the hour.",
                field="contact.best_from_hour",
            )


def _can_reach(channel: Channel, address: str) -> bool:
    return bool((_EMAIL if channel is Channel.EMAIL else _PHONE).fullmatch(address))
