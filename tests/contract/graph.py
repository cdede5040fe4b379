"""The graph of the system in docs/architecture.md, from contracts, consumers and charts.

`make graph` writes it anew between its two marks; test_graph.py fails when that is due.
"""

import ast
import inspect
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from carehub.options.v1 import options_pb2

from gateway.api.live import EVENTS as LIVE
from libs.process.app import App
from services.__main__ import GATEWAY, SERVICES, _app
from tests.contract.rendering import OURS, ROOT, Object, values_of
from tests.contract.test_contracts import EVENTS, contracts_of

PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- make graph writes from here -->", "<!-- to here -->"
# From so many on a picture says "all", or "all but", with one arrow.
MANY = len(SERVICES) // 2
# What an event is for is said of so many that hear it; beyond, their READMEs say it.
FEW = 2
# What charts know by a word, and what it is: who opens the connection, and how.
LISTENERS = {"mllp": ("facilities", "Facilities' systems", "HL7 v2, MLLP")}
REACHES = {"issuer": ("idp", "Identity provider", "HTTPS"), "mail": ("mail", "Mail server", "SMTP")}


@dataclass(frozen=True, order=True)
class Arrow:
    """One thing that goes from one part to another: an event, or a call."""

    source: str
    target: str
    name: str


Drawn = dict[tuple[frozenset[str], frozenset[str]], list[str]]


def drawn(arrows: Iterable[Arrow]) -> Drawn:
    """One arrow for each pair; and one for the same to many, or of many."""
    to = defaultdict[tuple[str, str], set[str]](set)
    of = defaultdict[tuple[str, str], set[str]](set)
    every = sorted(set(arrows))
    for arrow in every:
        to[arrow.source, arrow.name].add(arrow.target)
        of[arrow.name, arrow.target].add(arrow.source)
    found: Drawn = {}
    for arrow in every:
        sources, targets = {arrow.source}, {arrow.target}
        if len(to[arrow.source, arrow.name]) >= MANY:
            targets = to[arrow.source, arrow.name]
        elif len(of[arrow.name, arrow.target]) >= MANY:
            sources = of[arrow.name, arrow.target]
        names = found.setdefault((frozenset(sources), frozenset(targets)), [])
        if arrow.name not in names:
            names.append(arrow.name)
    return found


def picture(arrows: Iterable[Arrow], line: str) -> Iterator[str]:
    """Arrows as Mermaid has them. Many are a part of their own, which says who they are."""
    crowds = dict[frozenset[str], str]()

    def part(who: frozenset[str], other: frozenset[str]) -> str:
        if len(who) == 1:
            return next(iter(who))
        if who == set(SERVICES):
            return "services"
        return f'{crowds.setdefault(who, f"many{len(crowds) + 1}")}(["{named(who, other)}"])'

    for (sources, targets), names in drawn(arrows).items():
        yield f'  {part(sources, targets)} {line}|"{"<br/>".join(names)}"| {part(targets, sources)}'


def named(who: Collection[str], other: Collection[str]) -> str:
    """Services by their names, or by those who are not among them if these are fewer."""
    missing = sorted(set(SERVICES).difference(who, other))
    if len(missing) >= len(who):
        return ", ".join(sorted(who))
    return f"all but {', '.join(missing)}" if missing else "all the others"


# Events.


@cache
def apps() -> tuple[App, ...]:
    """What each service says of itself; none is started."""
    return tuple(
        _app(service, {"IDENTITY_ISSUER": "", "IDENTITY_SIGNING_KEYS": ""}) for service in SERVICES
    )


def publisher(event: str) -> str:
    return EVENTS[event].full_name.split(".")[1]


def listeners() -> dict[str, dict[str, str]]:
    """Who hears each event, and what for, as the handler's first sentence has it."""
    found = {event: dict[str, str]() for event in EVENTS}
    for app in apps():
        for consumer in app.consumers:
            for event in consumer.events:
                found[event.DESCRIPTOR.name][app.name] = sentence(
                    inspect.getdoc(consumer.handle) or ""
                )
    return found


def sentence(text: str) -> str:
    """The first one, as a part of another."""
    first = " ".join(text.split()).partition(". ")[0].removesuffix(".")
    return first[:1].lower() + first[1:]


def hearing() -> list[str]:
    arrows = [
        Arrow(publisher(event), service, event)
        for event, heard in listeners().items()
        for service in heard
    ]
    return ["```mermaid", "flowchart LR", *picture(arrows, "-->"), "```"]


def table() -> Iterator[str]:
    """Events that the same services hear for the same reason are one row."""
    heard = listeners()
    rows = defaultdict[tuple[str, str, str], list[str]](list)
    for event in sorted(EVENTS):
        who, of = heard[event], publisher(event)
        rows[of, named(who, [of]) or "nobody, so far", purpose(who)].append(event)
    yield "| event | of | heard by | what for |"
    yield "|---|---|---|---|"
    for (of, who, why), events in sorted(rows.items(), key=lambda row: (row[0][0], row[1])):
        yield f"| {marked(events)} | {of} | {who} | {why} |"


def marked(events: Iterable[str]) -> str:
    shown = {event.DESCRIPTOR.name for event in LIVE}
    return ", ".join(f"`{event}` \\*" if event in shown else f"`{event}`" for event in events)


def purpose(heard: Mapping[str, str]) -> str:
    reasons = set(heard.values())
    if len(reasons) == 1:
        return reasons.pop()
    if len(heard) > FEW:
        return "[each its own](#the-services)"
    return "; ".join(f"{service}: {heard[service]}" for service in sorted(heard))


# Calls, and the world outside.


@cache
def spoken(place: str) -> frozenset[str]:
    """The strings in the code of a folder or a file."""
    path = ROOT / place
    return frozenset(
        node.value
        for file in (path.rglob("*.py") if path.is_dir() else [path])
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def calls(service: str, caller: str) -> list[str]:
    """What somebody whom a chart lets in asks a service for: what contracts let it, and its code names."""
    if caller == GATEWAY:
        return ["the API"]
    words = spoken(f"services/{caller}") | spoken("libs/process")
    asked = [
        method.name
        for contract in contracts_of(service)
        for method in contract.methods
        if caller in method.GetOptions().Extensions[options_pb2.access].called_by
        and method.name in words
    ]
    anonymous = [
        method.name
        for contract in contracts_of(service)
        for method in contract.methods
        if method.GetOptions().Extensions[options_pb2.access].is_anonymous
        and method.name in spoken("services/__main__.py")  # what every process asks
    ]
    return asked + anonymous


def calling() -> Iterator[str]:
    owners = [chart for chart in OURS if values_of(chart).get("answers") != "http"]
    yield from ("```mermaid", "flowchart LR")
    yield '  subgraph services ["Services, each with a database of its own"]'
    yield from (f"    {service}[({service})]" for service in owners)
    yield "  end"
    for chart in OURS:
        yield from outside(chart, values_of(chart))
    arrows = [
        Arrow(caller, service, name)
        for service in SERVICES
        for caller in values_of(service)["calledBy"]
        for name in calls(service, caller)
    ]
    yield from picture(arrows, "-.->")
    yield "```"


def outside(chart: str, values: Object) -> Iterator[str]:
    if values.get("answers") == "http":
        yield f'  people(["Browsers, programs, senders"]) -->|"HTTPS"| {chart}'
    for word in values.get("listeners", {}):
        key, what, how = LISTENERS[word]
        yield f'  {key}(["{what}"]) -->|"{how}"| {chart}'
    for word in sorted({word for words in values.get("reaches", {}).values() for word in words}):
        key, what, how = REACHES[word]
        yield f'  {chart} -->|"{how}"| {key}(["{what}"])'


# The page.


def generated() -> str:
    calls_, heard = "\n".join(calling()), "\n".join(hearing())
    return f"""{BEGIN}
### Who calls whom

{calls_}

### Who hears whom

{heard}

### Events

{chr(10).join(table())}

\\* Open screens hear of it, too: its kind and its id.
{END}"""


def written(page: str) -> str:
    """The page with what is generated made anew, and the rest as it was."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(
            f"{PAGE.name} has lost the marks that the graph stands between: {BEGIN} and {END}"
        )
    return before + generated() + after


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
