"""How a patient is reached: what the record says, what people wrote here, and what the patient allows."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from libs.chassis.errors import InvalidArgument

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
class Contact:
    """One patient's. `told_…` is what the record says; without it, what people wrote here."""

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
    best_from: int = 0
    best_until: int = 0
    is_shared_phone: bool = False

    @property
    def number(self) -> str:
        return self.phone or self.told_phone

    @property
    def address(self) -> str:
        return self.email or self.told_email

    @property
    def speaks(self) -> str:
        return self.language or self.told_language

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
        return tuple(Way(channel=c, address=leads[c]) for c in order if _can_reach(c, leads[c]))

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

    def heard(self, consent: Consent, channels: Collection[Channel]) -> "Contact":
        """They said so, for these channels."""
        said = {**self.consents, **dict.fromkeys(map(str, channels), str(consent))}
        return self if said == self.consents else self.changed(consents=said)

    def changed(self, **fields: object) -> "Contact":
        after = replace(self, **fields, version=self.version + 1)  # type: ignore[arg-type]
        after.check()
        return after

    def joined_by(self, retired: "Contact") -> "Contact":
        """What the retired record's people wrote where this one's wrote nothing; a refusal of either counts."""
        refused = {c: s for c, s in retired.consents.items() if s == Consent.REFUSED}
        joined = replace(
            self,
            phone=self.phone or retired.phone,
            email=self.email or retired.email,
            language=self.language or retired.language,
            preferred_channel=self.preferred_channel or retired.preferred_channel,
            consents={**retired.consents, **self.consents, **refused},
            is_shared_phone=self.is_shared_phone or retired.is_shared_phone,
        )
        return self if joined == self else replace(joined, version=self.version + 1)

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
