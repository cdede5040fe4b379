"""What a patient's reply means, read by rule: STOP first, then danger, then what the message that it answers asked."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.messaging.domain.template import Replies, load

_PLAIN = re.compile(r"[^\w\s]|_")


class Meaning(StrEnum):
    """As carehub.messaging.v1.Reply.Meaning; START and HELP are about the channel and told to nobody."""

    CONFIRMED = "CONFIRMED"
    DECLINED = "DECLINED"
    REBOOK = "REBOOK"
    STOP = "STOP"
    BARRIER = "BARRIER"
    TEXT = "TEXT"
    CRISIS = "CRISIS"
    START = "START"
    HELP = "HELP"

    @property
    def is_about_channel(self) -> bool:
        return self in (Meaning.START, Meaning.HELP)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply means; and why a visit was missed, if it says."""

    meaning: Meaning
    barrier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply as it is kept, with its words."""

    id: UUID
    version: int = 1
    facility_id: UUID
    patient_id: UUID
    message_id: UUID
    appointment_id: UUID | None
    loop_id: UUID | None
    meaning: Meaning
    barrier: str
    text: str
    received_at: datetime
    labels: tuple[str, ...]


def plain(text: str) -> str:
    """Without case, accents, punctuation and more than one space."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_PLAIN.sub(" ", letters.replace("'", "").replace("’", "")).split())


def read_reply(text: str, replies: Replies) -> Reading:
    """Read a reply to a message of this kind. What no rule reads is TEXT, for a person."""
    said, rules = plain(text), load("replies.yaml")
    if meaning := _before_all(said, rules):
        return Reading(meaning)
    if replies is Replies.BARRIERS:
        return _barrier(said, rules["barriers"])
    if replies is Replies.CONFIRM:
        for meaning in (Meaning.CONFIRMED, Meaning.DECLINED, Meaning.REBOOK):
            if _is_one_of(said, rules[meaning.lower()]):
                return Reading(meaning)
    return Reading(Meaning.TEXT)


def may_decline(text: str, replies: Replies) -> bool:
    """Whether a word that ends messages may have been meant for what the message asked: "2 to cancel"."""
    return replies is Replies.CONFIRM and _is_one_of(plain(text), load("replies.yaml")["cancel"])


def _before_all(said: str, rules: Mapping[str, Any]) -> Meaning | None:
    """What counts whatever was asked: STOP by itself, danger, STOP in a sentence, START and HELP by themselves."""
    stop, crisis = rules["stop"], rules["crisis"]
    heard = (
        (Meaning.STOP, _is_one_of(said, stop)),
        (Meaning.CRISIS, _is_one_of(said, crisis) or _holds(said, crisis)),
        (Meaning.STOP, _holds(said, stop)),
        (Meaning.START, _is_one_of(said, rules["start"])),
        (Meaning.HELP, _is_one_of(said, rules["help"])),
    )
    return next((meaning for meaning, is_meant in heard if is_meant), None)


def _barrier(said: str, barriers: Mapping[str, Any]) -> Reading:
    for barrier, rule in barriers.items():
        if _is_one_of(said, rule):
            return Reading(Meaning.BARRIER, barrier)
    named = [barrier for barrier, rule in barriers.items() if _holds(said, rule)]
    # Two reasons in one sentence are for a person to read.
    return Reading(Meaning.BARRIER, named[0]) if len(named) == 1 else Reading(Meaning.TEXT)


def _is_one_of(said: str, rule: Mapping[str, Any]) -> bool:
    return said in {plain(word) for word in rule["words"]}


def _holds(said: str, rule: Mapping[str, Any]) -> bool:
    """Whether a phrase begins at a word of it."""
    return any(f" {plain(phrase)}" in f" {said}" for phrase in rule.get("phrases", ()))
