"""Path templates of google.api.http, and the trie that finds the one a request means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

T = TypeVar("T")

_VERB = re.compile(r":([A-Za-z][A-Za-z0-9_]*)$")
_PIECE = re.compile(r"\{([a-z][a-z0-9_.]*)(?:=([^{}]+))?\}|\*\*?|[A-Za-z0-9._~-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class BadPath(ValueError):
    """A path that no client of good will sends: not UTF-8, or with control characters."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A field of the request, and which segments of the path it takes."""

    field: str
    start: int
    end: int | None

    def value(self, segments: Sequence[str]) -> str:
        return "/".join(segments[self.start : self.end])


@dataclass(frozen=True, slots=True)
class Template:
    """`/v1/tasks/{task_id}:claim`, taken apart. A segment is a literal, `*` or, at the end, `**`."""

    text: str
    segments: tuple[str, ...]
    variables: tuple[Variable, ...]
    verb: str


def parse_template(text: str) -> Template:
    """Take a template of a contract apart; ValueError if it is none."""
    found = _VERB.search(text)
    verb = found.group(1) if found else ""
    path = text.removesuffix(f":{verb}") if verb else text
    segments: list[str] = []
    variables: list[Variable] = []
    for piece in _pieces(path):
        match = _PIECE.fullmatch(piece)
        if not match:
            raise ValueError(f"{text}: {piece!r} is no segment")
        name, pattern = match.groups()
        inner = (pattern or "*").split("/") if name else [piece]
        end = None if inner[-1] == "**" else len(segments) + len(inner)
        if name:
            variables.append(Variable(name, len(segments), end))
        segments += inner
    if "**" in segments[:-1]:
        raise ValueError(f"{text}: ** is not the last segment")
    return Template(text, tuple(segments), tuple(variables), verb)


def _pieces(path: str) -> list[str]:
    """Split at the slashes outside of braces."""
    if not path.startswith("/"):
        raise ValueError(f"{path}: a template begins with /")
    return re.split(r"/(?![^{]*\})", path[1:])


def split_path(raw: bytes) -> tuple[list[str], str]:
    """Return the segments of a path as it was sent, and its verb.

    A colon in the last segment starts the verb; one that belongs to a value is sent as %3A.
    """
    try:
        text = raw.decode("ascii")
        path, colon, verb = text, "", ""
        if ":" in text[text.rfind("/") :]:
            path, colon, verb = text.rpartition(":")
        segments = [_decoded(segment) for segment in path[1:].split("/")]
    except UnicodeDecodeError:
        raise BadPath("The path is not UTF-8.") from None
    if colon and not verb:
        raise BadPath("The path ends in a colon.")
    return segments, verb


def _decoded(segment: str) -> str:
    if "%" in segment:
        segment = unquote_to_bytes(segment).decode()
    if _CONTROL.search(segment):
        raise BadPath("The path has control characters.")
    return segment


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    any: "_Node[T] | None" = None
    rest: "_Node[T] | None" = None
    leaves: dict[str, dict[str, T]] = field(default_factory=dict)

    def child(self, segment: str) -> "_Node[T]":
        if segment == "*":
            self.any = self.any or _Node()
            return self.any
        if segment == "**":
            self.rest = self.rest or _Node()
            return self.rest
        return self.literals.setdefault(segment, _Node())


class Trie(Generic[T]):
    """Templates by path, verb and HTTP method. A literal wins over `*`, and that over `**`."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, http_method: str, template: Template, target: T) -> None:
        """Add a target; ValueError if another one has exactly this place."""
        node = self._root
        for segment in template.segments:
            node = node.child(segment)
        leaf = node.leaves.setdefault(template.verb, {})
        if http_method in leaf:
            raise ValueError(f"{http_method} {template.text} is there twice")
        leaf[http_method] = target

    def find(self, segments: Sequence[str], verb: str, http_method: str) -> T | None:
        for leaf in _walk(self._root, segments, 0, verb):
            if target := leaf.get(http_method):
                return target
        return None

    def methods(self, segments: Sequence[str], verb: str) -> list[str]:
        """Return the HTTP methods that this path has, sorted."""
        return sorted({name for leaf in _walk(self._root, segments, 0, verb) for name in leaf})


def _walk(node: _Node[T], segments: Sequence[str], at: int, verb: str) -> Iterator[dict[str, T]]:
    if at == len(segments):
        if leaf := node.leaves.get(verb):
            yield leaf
        return
    segment = segments[at]
    if child := node.literals.get(segment):
        yield from _walk(child, segments, at + 1, verb)
    if node.any and segment:
        yield from _walk(node.any, segments, at + 1, verb)
    if node.rest and (leaf := node.rest.leaves.get(verb)):
        yield leaf
