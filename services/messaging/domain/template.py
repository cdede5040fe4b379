"""What patients are told: versioned texts in every language, checked when they are loaded, filled when they are sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

TEXTS = Path(__file__).parent.parent / "templates"
SLOTS = frozenset({"facility", "phone", "day", "time"})
_SLOT = re.compile(r"\{(\w+)\}")
_NOON, _HALF_DAY = 12, 12


class TemplateProblem(Exception):
    """A text that cannot be used. Raised when they are loaded, so that a service with one never starts."""


class Replies(StrEnum):
    """How a number that comes back is read."""

    NONE = ""
    CONFIRM = "confirm"
    BARRIERS = "barriers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One text, in every language, each once more without naming a place."""

    key: str
    version: int
    source: str
    asks: bool
    replies: Replies
    is_counted: bool
    is_answer: bool
    texts: Mapping[str, tuple[str, ...]]
    neutral: Mapping[str, tuple[str, ...]]

    def write(self, language: str, slots: Mapping[str, str], *, is_neutral: bool) -> str:
        """The text, without the sentences for which something is not known."""
        told = (self.neutral if is_neutral else self.texts)[language]
        return " ".join(s for s in (_filled(one, slots) for one in told) if s)


def _filled(sentence: str, slots: Mapping[str, str]) -> str:
    if any(not slots.get(name) for name in _SLOT.findall(sentence)):
        return ""
    filled = sentence.format_map(slots)
    # What ends in an abbreviation ("10:00 a. m.") is ended by its stop.
    return filled.removesuffix(".") if filled.endswith("..") else filled


@cache
def templates() -> Mapping[str, Template]:
    """Every template by its key. Raises TemplateProblem if one is not whole."""
    read = [read_template(entry) for entry in load("messages.yaml")]
    if len({each.key for each in read}) != len(read):
        raise TemplateProblem("two templates have one key")
    return MappingProxyType({each.key: each for each in read})


def read_template(entry: Mapping[str, Any]) -> Template:
    """One entry of the file. Raises TemplateProblem if a language, a sentence or a slot is missing."""
    key = entry["key"]
    template = Template(
        key=key,
        version=entry["version"],
        source=entry["source"],
        asks=entry["asks"],
        replies=Replies(entry["replies"]),
        is_counted=entry["counted"],
        is_answer=entry["hours"] == "any",
        texts={language: tuple(text) for language, text in entry["texts"].items()},
        neutral={language: tuple(text) for language, text in entry["neutral"].items()},
    )
    for texts in (template.texts, template.neutral):
        if set(texts) != set(languages()):
            raise TemplateProblem(f"{key}: it needs {', '.join(sorted(languages()))}, and no other")
        if len({len(text) for text in texts.values()}) != 1:
            raise TemplateProblem(f"{key}: one language says more than the other")
        if len({slots_of(text) for text in texts.values()}) != 1:
            raise TemplateProblem(f"{key}: the languages have different slots")
        if unknown := slots_of(next(iter(texts.values()))) - SLOTS:
            raise TemplateProblem(f"{key}: there is no slot {', '.join(sorted(unknown))}")
    if any("facility" in slots_of(text) for text in template.neutral.values()):
        raise TemplateProblem(f"{key}: a neutral text names no place")
    return template


def slots_of(text: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for sentence in text for name in _SLOT.findall(sentence))


@cache
def languages() -> Mapping[str, Any]:
    """The languages that every template has, and how each writes days and times."""
    known: Mapping[str, Any] = load("languages.yaml")["languages"]
    return known


def language_for(tag: str) -> str:
    """The language to write in for somebody who speaks this one: the same, or else the one that all fall back to."""
    plain = tag.lower().partition("-")[0]
    fallback: str = load("languages.yaml")["fallback"]
    return plain if plain in languages() else fallback


def day_in(language: str, local: datetime) -> str:
    words = languages()[language]
    text: str = words["day"].format(
        weekday=words["weekdays"][local.weekday()],
        month=words["months"][local.month - 1],
        day=local.day,
    )
    return text


def time_in(language: str, local: datetime) -> str:
    half = languages()[language]["halves"][local.hour >= _NOON]
    return f"{(local.hour - 1) % _HALF_DAY + 1}:{local.minute:02} {half}"


@cache
def load(name: str) -> Any:
    """One file of texts and rules that came with CareHub."""
    return yaml.safe_load((TEXTS / name).read_text())


def telling_words(text: str) -> tuple[str, ...]:
    """What in a text could tell others of an illness."""
    plain = text.lower()
    stems = [stem for of in load("words.yaml")["stems"].values() for stem in of]
    return tuple(s for s in stems if re.search(rf"(?<!\w){re.escape(s)}", plain))
