"""The conditions within a protocol's text: what they may speak of, what they look for, and what is wrong with one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.tasking.domain.conditions import Condition, ConditionInvalid, Vocabulary
from services.tasking.domain.protocol_parts import About, Among, RungRule
from services.tasking.domain.protocol_text import Part
from services.tasking.domain.words import SEARCHED

OUTCOMES = re.compile(r"\boutcome\.(\w+)")
DEEDS = re.compile(r"\b(?:outcome|attempts)\.")
# What may depend on what people did under the loop itself.
BY_DEEDS = frozenset(About) - {About.ENCOUNTER, About.BREAK_GLASS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the parts of one protocol may speak of."""

    about: About
    steps: frozenset[str]
    record: Vocabulary
    searching: Vocabulary
    ladders: Mapping[str, tuple[RungRule, ...]]


def condition(part: Part, vocabulary: Vocabulary) -> Condition | None:
    text = part.text()
    if not text:
        return None
    try:
        return vocabulary.compile(text)
    except ConditionInvalid as error:
        part.complain(error.problem, error.help)
        return None


def needed(part: Part, vocabulary: Vocabulary) -> Condition:
    """A condition that must be there. One that is not has been complained of; the one returned is
    never used.
    """
    return condition(part, vocabulary) or vocabulary.compile("false")


def among_which(part: Part, when: Condition, words: Words) -> Among | None:
    """What a condition looks for one among. It can look at one kind of thing only."""
    kinds = [each for each in SEARCHED[words.about] if re.search(rf"\b{each}\.", when.text)]
    if len(kinds) > 1:
        part.complain(f"It looks for {' and '.join(kinds)} at once", "Write two, one for each.")
    return kinds[0] if kinds else None


def what_is_searched(words: Words) -> str:
    kinds = ", ".join(f"{each}." for each in SEARCHED[words.about])
    return f"Begin a word with {kinds}" if kinds else "Leave it out: nothing is known here."
