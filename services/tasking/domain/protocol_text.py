"""YAML read with its places: what is asked of it and is not there becomes a problem with path, line
and help.

Nothing here raises for what an author wrote: a part that cannot be read counts as a problem and
reads as empty, so that one look finds everything.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

import yaml

LONGEST = 50_000
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolProblem:
    """Something wrong with a protocol's text: where, what, and how to mend it."""

    path: str
    line: int
    problem: str
    help: str


@dataclass(slots=True, kw_only=True)
class Part:
    """One place in the text; node is None where nothing is written."""

    path: str
    line: int
    node: yaml.Node | None
    problems: list[ProtocolProblem] = field(repr=False)

    def complain(self, problem: str, help_: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                ProtocolProblem(path=self.path, line=self.line, problem=problem, help=help_)
            )

    @property
    def is_written(self) -> bool:
        return self.node is not None

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def fields(self, required: str, optional: str = "") -> dict[str, "Part"]:
        """A part for each key, named in two lists of words. Others are a problem, and so are
        required ones missing.
        """
        names = [*required.split(), *optional.split()]
        found = {name: self._within(name, None) for name in names}
        for key, part in self._pairs():
            if key not in found:
                near = get_close_matches(key, names, n=1)
                known = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(names)}."
                part.complain(f"{key} is not a part of {self.path or 'a protocol'}", known)
            elif found[key].is_written:
                part.complain(f"{key} is written twice", "Keep one of them.")
            else:
                found[key] = part
        for name in required.split():
            if not found[name].is_written and (self.is_mapping or not self.is_written):
                found[name].complain(
                    f"{name} is missing", f"Add {name}: to {self.path or 'the protocol'}."
                )
        return found

    def entries(self) -> list[tuple[str, "Part"]]:
        """The entries of a mapping whose keys the author chooses; each once."""
        found: dict[str, Part] = {}
        for key, part in self._pairs():
            if key in found:
                part.complain(f"{key} is written twice", "Keep one of them.")
            found.setdefault(key, part)
        return list(found.items())

    def items(self) -> list["Part"]:
        if not isinstance(self.node, yaml.SequenceNode):
            self._expect("a list", "Write one entry per line, each after a dash.")
            return []
        return [self._within(str(at), node) for at, node in enumerate(self.node.value)]

    def named_items(self) -> list[tuple[str, "Part"]]:
        """The items of a list with their keys; paths speak of the key: steps.contact, not steps.3."""
        named = [(_scalar_of(item.node, "key"), item) for item in self.items()]
        seen = set[str]()
        for key, item in named:
            item.path = f"{self.path}.{key}" if key else item.path
            if key in seen:
                item.complain(f"{key} is used twice in {self.path}", "Give each a key of its own.")
            seen.update([key] if key else [])
        return named

    def item_keys(self) -> tuple[str, ...]:
        """The keys of the items of a list, each once; what is wrong with them is said when they are read."""
        if not isinstance(self.node, yaml.SequenceNode):
            return ()
        return tuple(dict.fromkeys(filter(None, (_scalar_of(n, "key") for n in self.node.value))))

    def text(self, *, empty: str = "") -> str:
        if self.is_written and not isinstance(self.node, yaml.ScalarNode):
            self._expect("a text", "Write it in one line, or in several after >-.")
            return empty
        value = self.node.value.strip() if self.node is not None else empty
        if self.is_written and not value:
            self.complain("It is empty", "Write something, or leave it out.")
        return str(value)

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items()) if self.is_written else ()

    def one_of(self, known: Set[str], empty: str = "") -> str:
        value, options = self.text(empty=empty), sorted(known)
        if self.is_written and value and value not in options:
            near = get_close_matches(value, options, n=1)
            did = f"Did you mean {near[0]}? " if near else ""
            self.complain(f"{value} is not known here", f"{did}Known: {', '.join(options)}.")
        return value

    def number(self, least: int, most: int, *, empty: int = 0) -> int:
        value = self.text().removesuffix("%")
        if not self.is_written:
            return empty
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            self.complain(
                "It is not a number that fits", f"Write a whole number from {least} to {most}."
            )
            return max(least, empty)
        return int(value)

    def yes(self, *, empty: bool) -> bool:
        return {"true": True, "false": False}.get(self.one_of({"true", "false"}), empty)

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text(empty=f"{date.min}"))
        except ValueError:
            self.complain("It is not a day", "Write it as 2026-01-31.")
            return date.min

    def _pairs(self) -> Iterator[tuple[str, "Part"]]:
        if not isinstance(self.node, yaml.MappingNode):
            self._expect("a set of keys with values", "Write key: value, one per line.")
            return
        for key, value in self.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            part = self._within(name, value)
            part.line = key.start_mark.line + 1
            yield name, part

    def _within(self, name: str, node: yaml.Node | None) -> "Part":
        line = node.start_mark.line + 1 if node is not None else self.line
        path = f"{self.path}.{name}" if self.path else name
        return Part(path=path, line=line, node=node, problems=self.problems)

    def _expect(self, what: str, help_: str) -> None:
        if self.is_written:
            self.complain(f"It is not {what}", help_)


class Loader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them can stand for a gigabyte."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="it uses an alias (*)", problem_mark=mark)
        return super().compose_node(parent, index)


def read(text: str, problems: list[ProtocolProblem]) -> Part:
    """The whole text as a part. Without a node when it is no YAML; the problem says why."""
    root = Part(path="", line=1, node=None, problems=problems)
    if len(text) > LONGEST:
        root.complain(f"It is longer than {LONGEST} characters", "Publish several protocols.")
        return root
    try:
        root.node = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        root.line = mark.line + 1 if mark else 1
        root.complain(f"It is not YAML: {error.problem}", "Check indentation, quotes and colons.")
    except (yaml.YAMLError, RecursionError):
        root.complain("It is not YAML", "Check for control characters and deep nesting.")
    else:
        if not root.is_written:
            root.complain("It is empty", "Begin with key: and title:, as docs/protocols.md shows.")
    return root


def _scalar_of(node: yaml.Node | None, name: str) -> str:
    if not isinstance(node, yaml.MappingNode):
        return ""
    for key, value in node.value:
        if key.value == name and isinstance(value, yaml.ScalarNode):
            return str(value.value)
    return ""
