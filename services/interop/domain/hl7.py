"""HL7 v2 text, read lazily: lines are split once, fields only of the segments asked for.

A missing trailing field, an empty field and an absent component all read as "": nothing was said.
`""` (two quotes) is DELETE: the sender wants the value gone. Escapes are decoded last, on the
smallest part, so that an escaped delimiter never splits anything.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

DELETE = '""'

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"[\r\n]")
_NAMED_ESCAPES = {".br": "\n", "H": "", "N": ""}
# MSH-18, table 0211, in the spellings that are about.
_CHARSETS = {
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    # Nothing, and what senders name that do not know what they send: the bytes decide.
    "": "",
    "ASCII": "",
    "ISO IR6": "",
    "ISO IR87": "",
}
for _part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16):
    for _name in ("8859/", "ISO-8859-", "ISO8859-", "ISO 8859-", "ISO_8859-"):
        _CHARSETS[f"{_name}{_part}"] = "latin-1" if _part == 1 else f"iso8859-{_part}"
for _page in range(1250, 1259):
    for _name in ("WINDOWS-", "CP", "CP-"):
        _CHARSETS[f"{_name}{_page}"] = f"cp{_page}"
_UNKNOWN = "unknown"


class Unreadable(ValueError):
    """The text is no HL7 v2 message at all: it has no header that could be read."""


class WrongCharset(ValueError):
    """The bytes are not in the character set that the header names."""


class UnknownCharset(WrongCharset):
    """The header names a character set that nobody here knows, and the bytes are not plain ASCII."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The delimiters that MSH defines, and what decodes the text between them."""

    field_mark: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    charset: str
    _pattern: re.Pattern[str] | None = field(default=None, compare=False)

    def text(self, raw: str) -> str:
        """The value of the smallest part: escapes decoded, blanks around it gone."""
        if raw == DELETE:
            return ""
        if self._pattern is not None and self.escape in raw:
            raw = self._pattern.sub(self._decode, raw)
        return raw.strip()

    def _decode(self, found: re.Match[str]) -> str:
        name = found[1]
        if name in _NAMED_ESCAPES:
            return _NAMED_ESCAPES[name]
        if name.startswith("X"):
            return _from_hex(name[1:], self.charset) or found[0]
        return {
            "F": self.field_mark,
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
        }.get(name, self.escape)

    def repetitions(self, raw: str) -> list[str]:
        return raw.split(self.repetition) if self.repetition in raw else [raw]

    def components(self, raw: str) -> list[str]:
        return raw.split(self.component)

    def first(self, raw: str) -> str:
        """The first sub-component of the first component of the first repetition, decoded."""
        if self.repetition in raw:
            raw = raw[: raw.index(self.repetition)]
        if self.component in raw:
            raw = raw[: raw.index(self.component)]
        return self.head(raw)

    def head(self, component: str) -> str:
        """The first sub-component, decoded."""
        if self.subcomponent in component:
            component = component[: component.index(self.subcomponent)]
        return self.text(component)


def _from_hex(digits: str, charset: str) -> str:
    """Text of a hexadecimal escape; "" where it is none, and then it stays as it was sent."""
    if not digits or len(digits) % 2:
        return ""
    octets = bytes.fromhex(digits)
    try:
        return octets.decode(charset).replace("\x00", "")
    except UnicodeDecodeError:
        return octets.decode("latin-1").replace("\x00", "")


@lru_cache(maxsize=256)
def _encoding(marks: str, charset: str) -> Encoding:
    mark, component, repetition, escape, subcomponent = tuple(marks)
    pattern = None
    if escape != "\x00":
        edge = re.escape(escape)
        pattern = re.compile(rf"{edge}(F|S|T|R|E|H|N|\.br|X[0-9A-Fa-f]+){edge}")
    return Encoding(mark, component, repetition, escape, subcomponent, charset, pattern)


@dataclass(slots=True)
class Segment:
    """One line. Fields are counted as the standard counts them, in MSH too."""

    name: str
    line: int
    encoding: Encoding
    fields: list[str]

    def raw(self, number: int) -> str:
        return self.fields[number] if number < len(self.fields) else ""

    def text(self, number: int) -> str:
        """The first part of a field, decoded."""
        raw = self.fields[number] if number < len(self.fields) else ""
        return self.encoding.first(raw) if raw else ""

    def is_deleted(self, number: int) -> bool:
        return self.raw(number).strip() == DELETE

    def repetitions(self, number: int) -> list[str]:
        """What a field says, each repetition of it; none if it says nothing or DELETE."""
        raw = self.raw(number)
        if not raw:
            return []
        return [each for each in self.encoding.repetitions(raw) if each.strip() not in ("", DELETE)]

    def parts(self, number: int) -> list[str]:
        """The components of the first repetition, each without its further sub-components."""
        said = self.repetitions(number)
        return self.split(said[0]) if said else []

    def split(self, repetition: str) -> list[str]:
        head = self.encoding.head
        return [head(part) if part else "" for part in repetition.split(self.encoding.component)]


@dataclass(slots=True)
class Message:
    """A message, its lines not looked into until somebody asks."""

    encoding: Encoding
    lines: list[str]
    header: Segment
    _numbers: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = self._numbers
        for number, line in enumerate(self.lines):
            name = line[:3]
            if name in numbers:
                numbers[name].append(number)
            else:
                numbers[name] = [number]

    def segments(self, name: str) -> list[Segment]:
        return [self._segment(number) for number in self._numbers.get(name, ())]

    def first(self, name: str) -> Segment | None:
        numbers = self._numbers.get(name)
        return self._segment(numbers[0]) if numbers else None

    def lines_of(self, name: str) -> list[str]:
        """The lines of segments, not split into fields."""
        return [self.lines[number] for number in self._numbers.get(name, ())]

    def count(self, name: str) -> int:
        return len(self._numbers.get(name, ()))

    def every_segment(self) -> Iterator[Segment]:
        for number, line in enumerate(self.lines):
            if line:
                yield self._segment(number)

    def _segment(self, number: int) -> Segment:
        if number == 0:
            return self.header
        fields = self.lines[number].split(self.encoding.field_mark)
        return Segment(fields[0][:3], number + 1, self.encoding, fields)


def read(raw: bytes, charset: str = "") -> Message:
    """A message of a feed whose quirk is `charset`. Raises Unreadable or WrongCharset.

    The character set is that of MSH-18; else, and where the bytes are not in it, the feed's; else
    UTF-8, and Latin-1 for what is not UTF-8. A set that is named and does not fit is an error, not
    a guess: a name read wrong finds the wrong person.
    """
    raw = trim(raw)
    declared = declared_charset(raw)
    text, used = _decode(raw, declared, charset)
    if "\n" in text:
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    if "\x00" in text:
        text = text.replace("\x00", "")
    lines = text.rstrip("\r \t").split("\r")
    encoding = _encoding(_marks(lines[0]), used)
    return Message(encoding, lines, _header(lines[0], encoding))


def read_header(raw: bytes) -> Segment:
    """Only MSH, whatever the rest is like: enough to answer with. Raises Unreadable."""
    line = _LINE_END.split(trim(raw)[: 8 * 1024], maxsplit=1)[0]
    try:
        text, charset = line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, charset = line.decode("latin-1"), "latin-1"
    text = text.replace("\x00", "")
    return _header(text, _encoding(_marks(text), charset))


def trim(raw: bytes) -> bytes:
    raw = raw.lstrip(b" \t\r\n\x0b")
    return raw[3:].lstrip(b" \t\r\n") if raw.startswith(_BYTE_ORDER_MARK) else raw


def _header(line: str, encoding: Encoding) -> Segment:
    mark = encoding.field_mark
    fields = line.split(mark)
    return Segment("MSH", 1, encoding, ["MSH", mark, *fields[1:]])


@lru_cache(maxsize=256)
def _check_marks(mark: str, others: str) -> str:
    # Delimiters that a sender leaves out of MSH-2 cannot occur: NUL stands for them, which is
    # never part of a text. A fifth one (truncation, since 2.7) has no meaning to a reader.
    marks = mark + others[:4].ljust(4, "\x00")
    used = marks.rstrip("\x00")
    is_odd = any(each.isalnum() or each.isspace() for each in used)
    if is_odd or not used.isascii() or len(set(used)) != len(used):
        raise Unreadable
    return marks


def _marks(header: str) -> str:
    if not header.startswith("MSH") or len(header) < 5:
        raise Unreadable
    mark = header[3]
    end = header.find(mark, 4)
    if not 5 <= end <= 9:
        raise Unreadable
    return _check_marks(mark, header[4:end])


def declared_charset(raw: bytes) -> str:
    """The codec that MSH-18 names; "" if it names none, or ASCII, and "unknown" for one that is not known."""
    mark = raw[3:4]
    line = _LINE_END.split(raw[: 8 * 1024], maxsplit=1)[0]
    fields = line.split(mark, 18) if mark else []
    if len(fields) < 18:
        return ""
    name = re.split(rb"[~^]", fields[17], maxsplit=1)[0].decode("latin-1").strip().upper()
    return _CHARSETS.get(name, _UNKNOWN)


def _decode(raw: bytes, declared: str, quirk: str) -> tuple[str, str]:
    if declared == _UNKNOWN and raw.isascii():
        declared = ""
    for charset in (declared, quirk):
        if charset and charset != _UNKNOWN:
            try:
                return raw.decode(charset), charset
            except UnicodeDecodeError:
                continue
    if declared:
        raise UnknownCharset if declared == _UNKNOWN else WrongCharset
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def sending_facility(raw: bytes) -> str:
    """MSH-4; "" where there is none."""
    try:
        return read_header(raw).text(4)
    except Unreadable:
        return ""


def to_text(raw: bytes, charset: str = "") -> str:
    """The whole message to look at, segments ended by CR; never fails."""
    raw = trim(raw)
    try:
        text, _ = _decode(raw, declared_charset(raw), charset)
    except WrongCharset:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\r").replace("\n", "\r")


def encode(text: str) -> bytes:
    """Bytes of a message that came as text, in the character set that it says it is in."""
    raw = text.encode("utf-8", "replace")
    declared = declared_charset(trim(raw))
    if declared not in ("", _UNKNOWN) and codecs.lookup(declared).name != "utf-8":
        try:
            return text.encode(declared)
        except UnicodeEncodeError:
            return raw
    return raw


def escape(text: str) -> str:
    """A value for a message of ours, which has the delimiters that everybody has."""
    text = text.replace("\\", "\\E\\").replace("|", "\\F\\").replace("^", "\\S\\")
    text = text.replace("&", "\\T\\").replace("~", "\\R\\")
    return re.sub(r"[\x00-\x1f]", " ", text)
