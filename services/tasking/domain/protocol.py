"""Protocols from their text: YAML in, a Protocol out, or everything that is wrong with it at once.

docs/protocols.md describes the text for those who write it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from libs.chassis.errors import InvalidArgument
from services.tasking.domain.conditions import Condition, Vocabulary
from services.tasking.domain.protocol_conditions import (
    BY_DEEDS,
    DEEDS,
    OUTCOMES,
    Words,
    among_which,
    condition,
    needed,
    what_is_searched,
)
from services.tasking.domain.protocol_parts import (
    CHANNELS,
    CLOCKS,
    DUTY_TEAM,
    EMAIL,
    ENDS,
    NOTIFIED,
    REACHED,
    ROLES,
    USUAL_END,
    About,
    Anchor,
    Attempts,
    Deadline,
    Ending,
    KeyDate,
    Moment,
    Outcome,
    Protocol,
    RungRule,
    Shown,
    Step,
    Trigger,
    Unit,
    Why,
)
from services.tasking.domain.protocol_text import Part, ProtocolProblem, read
from services.tasking.domain.words import vocabulary

__all__ = [
    "Protocol",
    "ProtocolInvalid",
    "ProtocolProblem",
    "parse_protocol",
    "shipped_protocols",
    "validate_protocol",
]

SHIPPED = Path(__file__).parent.parent / "protocols"
NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
REASON = re.compile(r"[A-Z][A-Z0-9_]*")
PLACE = re.compile(r"\{(\w*)\}")
MOST_DAYS = 3660
UNITS = " ".join(Unit)
DEFAULT = "default"
DONE = Outcome(key="done", title="Done", completes=True)


class ProtocolInvalid(InvalidArgument):
    """A text that is no protocol, with everything that is wrong with it."""

    def __init__(self, problems: tuple[ProtocolProblem, ...]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("PROTOCOL_INVALID", f"The protocol cannot be published: {count}.")
        self.problems = problems
        self.violations = tuple(
            (each.path or "text", f"Line {each.line}: {each.problem}. {each.help}")
            for each in problems
        )


def parse_protocol(text: str, version: int = 0) -> Protocol:
    """The protocol that a text describes. Raises ProtocolInvalid with every problem at once."""
    protocol, problems = _parsed(text, version)
    if protocol is None or problems:
        raise ProtocolInvalid(problems)
    return protocol


def validate_protocol(text: str) -> tuple[ProtocolProblem, ...]:
    """What is wrong with a text, in its order. Nothing: it can be published."""
    return _parsed(text, 0)[1]


@cache
def shipped_protocols() -> tuple[str, ...]:
    """The texts of the protocols that come with CareHub."""
    return tuple(file.read_text("utf-8") for file in sorted(SHIPPED.glob("*.yaml")))


def _parsed(text: str, version: int) -> tuple[Protocol | None, tuple[ProtocolProblem, ...]]:
    problems: list[ProtocolProblem] = []
    root = read(text, problems)
    protocol = _protocol(root, text, version) if root.is_written else None
    return protocol, tuple(sorted(problems, key=lambda each: (each.line, each.path)))


def _protocol(root: Part, text: str, version: int) -> Protocol:
    part = root.fields(
        "key title effective_from sources trigger why key_dates ladders steps",
        "conditions cancels closes",
    )
    trigger = part["trigger"].fields("on when source")
    on = trigger["on"].one_of({*About})
    about = About(on) if on in {*About} else About.ENCOUNTER
    steps = part["steps"].item_keys()
    conditions = _conditions(part["conditions"], vocabulary(about, steps=steps))
    names = [name for name, _ in conditions]
    words = Words(
        about=about,
        steps=frozenset(steps),
        record=vocabulary(about, names, steps=steps),
        searching=vocabulary(about, names, steps=steps, searching=True),
        ladders=dict(_ladders(part["ladders"])),
    )
    key_dates = tuple(_key_date(key, each, words) for key, each in part["key_dates"].entries())
    return Protocol(
        key=_key(part["key"]),
        version=version,
        title=part["title"].text(),
        effective_from=part["effective_from"].day(),
        sources=part["sources"].texts(),
        text=text,
        conditions=conditions,
        trigger=Trigger(
            on=about,
            when=needed(trigger["when"], words.record),
            source=trigger["source"].text(),
        ),
        why=_whys(part["why"], words, {*CLOCKS[about], *(each.key for each in key_dates)}),
        key_dates=key_dates,
        steps=tuple(_step(each, words) for _, each in part["steps"].named_items()),
        looks_at_deeds=DEEDS.search(text) is not None,
        cancels=tuple(_ending(each, words) for each in part["cancels"].items()),
        closes=tuple(_ending(each, words) for each in part["closes"].items()),
    )


def _key(part: Part) -> str:
    key = part.text()
    if key and not NAME.fullmatch(key):
        part.complain(f"{key} is no key", "Small letters, digits, - and _; begin with a letter.")
    return key


def _conditions(part: Part, record: Vocabulary) -> tuple[tuple[str, Condition], ...]:
    named = []
    for name, each in part.entries():
        if not NAME.fullmatch(name) or "-" in name:
            each.complain(f"{name} is no name", "Small letters, digits and _; begin with a letter.")
        else:
            named.append((name, needed(each, record)))
    return tuple(named)


def _whys(part: Part, words: Words, places: set[str]) -> tuple[Why, ...]:
    whys = []
    for item in part.items():
        found = item.fields("text", "when")
        for place in PLACE.findall(found["text"].text()):
            if place not in places:
                found["text"].complain(
                    f"{{{place}}} cannot be filled in", f"Known: {', '.join(sorted(places))}."
                )
        whys.append(Why(when=condition(found["when"], words.record), text=found["text"].text()))
    return tuple(whys)


def _key_date(key: str, part: Part, words: Words) -> KeyDate:
    found = part.fields("title deadline source")
    deadline = found["deadline"]
    moment = _moment(deadline, deadline.fields("after", UNITS), words)
    return KeyDate(
        key=key, title=found["title"].text(), deadline=moment, source=found["source"].text()
    )


def _moment(
    part: Part, found: Mapping[str, Part], words: Words, *, can_be_now: bool = False
) -> Moment:
    """So long after an anchor, told in exactly one unit."""
    units = [unit for unit in Unit if found[unit].is_written]
    if len(units) > 1 or (part.is_mapping and not units and not can_be_now):
        part.complain("It does not say how long in one unit", f"Write one of: {UNITS}.")
    unit = units[0] if units else Unit.HOURS
    clocks = {*CLOCKS[words.about], *(words.steps if words.about in BY_DEEDS else ())}
    return Moment(
        after=found["after"].one_of(clocks),
        unit=unit,
        count=found[unit].number(0, MOST_DAYS),
    )


def _ladders(part: Part) -> Iterator[tuple[str, tuple[RungRule, ...]]]:
    if part.is_written and DEFAULT not in dict(part.entries()):
        part.complain("There is no default ladder", "Add default: for steps that name no other.")
    for name, ladder in part.entries():
        rungs = tuple(_rung(each) for each in ladder.items())
        if not rungs or rungs[-1].notify != DUTY_TEAM or EMAIL not in rungs[-1].channels:
            ladder.complain(
                "It does not end at the duty team",
                "Let the last rung be {hours_late: 24, notify: duty_team, by: [screen, email]}.",
            )
        order = [(each.hours_late, each.percent) for each in rungs]
        if order != sorted(order):
            ladder.complain(
                "Its rungs are not in their order",
                "First at: by percent, then hours_late: by hours.",
            )
        yield name, rungs


def _rung(part: Part) -> RungRule:
    found = part.fields("notify by", "at hours_late")
    if found["at"].is_written == found["hours_late"].is_written:
        part.complain("It does not say when", "Write either at: 75% or hours_late: 4.")
    return RungRule(
        percent=found["at"].number(0, 1000, empty=100),
        hours_late=found["hours_late"].number(1, 24 * MOST_DAYS),
        notify=found["notify"].one_of(NOTIFIED),
        channels=tuple(each.one_of(CHANNELS) for each in found["by"].items()),
    )


def _step(part: Part, words: Words) -> Step:
    found = part.fields(
        "key title role deadline done_when source",
        "description when start ladder outcomes attempts shown_by is_required",
    )
    record = words.record
    start = found["start"]
    return Step(
        key=_key(found["key"]),
        title=found["title"].text(),
        description=found["description"].text(),
        role=found["role"].one_of(ROLES),
        when=condition(found["when"], record),
        start=_moment(start, start.fields("after", UNITS), words, can_be_now=True)
        if start.is_written
        else None,
        deadlines=_deadlines(found["deadline"], words),
        ladder=words.ladders.get(found["ladder"].one_of({*words.ladders}, DEFAULT), ()),
        outcomes=_outcomes(found["outcomes"], words, has_attempts=found["attempts"].is_written),
        done_when=found["done_when"].texts(),
        attempts=_attempts(found["attempts"]),
        shown_by=_shown(found["shown_by"], words),
        is_required=found["is_required"].yes(empty=True),
        source=found["source"].text(),
    )


def _deadlines(part: Part, words: Words) -> tuple[Deadline, ...]:
    """One, or a list of which the first whose condition holds counts; the last one has none."""
    if not part.is_list:
        moment = _moment(part, part.fields("after", UNITS), words)
        return (Deadline(when=None, moment=moment),)
    items = [(item, item.fields("after", f"when {UNITS}")) for item in part.items()]
    deadlines = tuple(
        Deadline(when=condition(found["when"], words.record), moment=_moment(item, found, words))
        for item, found in items
    )
    if not items or items[-1][1]["when"].is_written:
        part.complain("It has no last word", "Let the last deadline have no when:.")
    return deadlines


def _outcomes(part: Part, words: Words, *, has_attempts: bool) -> tuple[Outcome, ...]:
    if words.about is About.BREAK_GLASS:
        return _none_by_hand(part)
    if not part.is_written:
        return (DONE,)
    outcomes = tuple(
        _outcome(item, words, has_attempts=has_attempts) for _, item in part.named_items()
    )
    if not any(each.completes and each.not_before is None for each in outcomes):
        part.complain(
            "No outcome completes the step",
            "Let at least one have neither completes: false nor not_before.",
        )
    return outcomes


def _none_by_hand(part: Part) -> tuple[Outcome, ...]:
    """A review is shown by what identity tells of it: nobody says by hand that there was one."""
    if part.is_written:
        part.complain(
            "A review is not completed by hand", "Leave out outcomes: the review itself ends it."
        )
    return ()


def _outcome(part: Part, words: Words, *, has_attempts: bool) -> Outcome:
    found = part.fields("key title", "completes needs_attempts not_before needs_read_back")
    tries, since = found["needs_attempts"], found["not_before"]
    outcome = Outcome(
        key=_key(found["key"]),
        title=found["title"].text(),
        completes=found["completes"].yes(empty=True),
        needs_attempts=tries.yes(empty=False),
        not_before=_moment(since, since.fields("after", UNITS), words)
        if since.is_written
        else None,
        needs_read_back=found["needs_read_back"].yes(empty=False),
    )
    if outcome.needs_attempts and not has_attempts:
        tries.complain(
            "This step has no attempts", "Add attempts: {needed: 2, hours_apart: 2} to the step."
        )
    if outcome.needs_attempts or outcome.not_before:
        _must_be_able_to_wait(part, outcome, has_attempts=has_attempts)
    return outcome


def _must_be_able_to_wait(part: Part, outcome: Outcome, *, has_attempts: bool) -> None:
    leave = "Leave out needs_attempts and not_before."
    if not outcome.completes:
        part.complain("It waits for something and completes nothing", leave)
    elif has_attempts and outcome.key == REACHED:
        part.complain("Reaching somebody waits for nothing", leave)


def _attempts(part: Part) -> Attempts | None:
    if not part.is_written:
        return None
    found = part.fields("needed hours_apart")
    return Attempts(
        needed=found["needed"].number(0, 20), hours_apart=found["hours_apart"].number(0, 240)
    )


def _shown(part: Part, words: Words) -> tuple[Shown, ...]:
    """One, or a list of which any shows it."""
    if not part.is_written:
        return ()
    shown = list[Shown]()
    for item in part.items() if part.is_list else [part]:
        found = item.fields("when description")
        when = needed(found["when"], words.searching)
        among = among_which(found["when"], when, words)
        if found["when"].is_written and among is None:
            found["when"].complain(
                "It looks for nothing that could show it", what_is_searched(words)
            )
        elif among:
            text = found["description"].text()
            shown.append(Shown(when=when, among=among, description=text))
    return tuple(shown)


def _ending(part: Part, words: Words) -> Ending:
    found = part.fields("reason when description source", "at")
    reason = found["reason"].text()
    if reason and not REASON.fullmatch(reason):
        found["reason"].complain(f"{reason} is no reason", "Write it as READMITTED.")
    when = needed(found["when"], words.searching)
    ends, usual = ENDS[words.about], USUAL_END[words.about]
    at = found["at"].one_of({*ends}, usual)
    return Ending(
        reason=reason,
        when=when,
        among=among_which(found["when"], when, words),
        steps=tuple(dict.fromkeys(OUTCOMES.findall(when.text))),
        at=Anchor(at) if at in ends else usual,
        description=found["description"].text(),
        source=found["source"].text(),
    )
