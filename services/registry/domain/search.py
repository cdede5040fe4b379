"""Finding people again by what is known of them: keys that a record is filed under, and keys that a text asks for.

A word of a name is filed as written, as it sounds, and with each one letter left out, so that one slip of the pen on
either side still meets. Every word of the text must be met; which word is what (a name, a day, a number) shows.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from services.registry.domain import identity
from services.registry.domain.normal import plain, plain_name
from services.registry.domain.report import Person

MOST_WORDS = 8
_LONGEST_WORD = 40
_LONGEST_EMAIL = 254
_MOST_KEYS = 2000  # an index entry has a limit; nobody has so many names
_MOST_ENTRIES = 20_000  # and neither has anybody been to so many places
# Who asks for more places than these is answered from what lies apart.
FEW_PLACES = 12

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        start=1,
    )
}
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_PHONE = re.compile(r"(?<![\w-])\+?1?[\s.-]*\(?\d{3}\)?[\s.-]*\d{3}[\s.-]*\d{4}(?![\w-])")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_WORDED = re.compile(
    r"\b(?:(\d{1,2})(?:st|nd|rd|th)?\.?\s+([a-z]{3,9})\.?|([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?)"
    r",?\s+(\d{4})\b",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(?<![\w-])((?:19|20)\d{2})(\d{2})(\d{2})(?![\w-])")

_SOUNDS = (
    ("PH", "F"), ("GHT", "T"), ("GH", "G"), ("SCH", "S"), ("SH", "S"), ("CH", "K"), ("CK", "K"),
    ("CE", "SE"), ("CI", "SI"), ("CY", "SI"), ("TH", "T"), ("WR", "R"), ("KN", "N"), ("GN", "N"),
    ("DG", "J"), ("MB", "M"), ("X", "KS"), ("Q", "K"), ("C", "K"), ("Z", "S"), ("V", "F"),
    ("W", "F"), ("D", "T"), ("B", "P"), ("G", "K"), ("J", "K"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """What to look for: itself, or anything that begins with it. `weight` is how much meeting it tells."""

    text: str
    weight: int
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: meeting any of the keys meets it. `tolerant` ones count only where `exact` ones fail."""

    exact: tuple[Key, ...]
    tolerant: tuple[Key, ...] = ()


def filed_under(person: Person) -> frozenset[str]:
    """The keys that a person is found by."""
    keys: set[str] = set()
    for name in person.names:
        for part in (name.family, *name.given):
            for word in _words(plain_name(part)):
                keys |= _of_name(word)
    for number in person.identifiers:
        keys.add(f"i:{_compact(number.value)}")
    for phone in identity.phones(person.telecoms):
        keys |= {f"t:{phone}", f"t:{phone[-7:]}"}
    keys |= {f"e:{email[:_LONGEST_EMAIL]}" for email in identity.emails(person.telecoms)}
    if person.birth_on:
        keys.add(f"b:{person.birth_on}")
    keys.discard("i:")
    return frozenset(_foremost(keys, _MOST_KEYS))


@lru_cache(maxsize=20_000)
def _of_name(word: str) -> frozenset[str]:
    """The keys of one word of a name; a region has fewer of them than people."""
    shorter = (f"d:{each}" for each in _one_less(word))
    return frozenset((f"n:{word}", f"s:{_sound(word)}", *shorter))


def entries(keys: Collection[str], facility_ids: Collection[UUID]) -> frozenset[str]:
    """What the index holds of a record: each key at each place that knows them; and apart from one another, for who
    asks for many places, the places, and the keys that are not only there for a slip of the pen.

    Most people search at their own few places, where few share a key; in the whole network many do.
    """
    tags = [tag_of(facility_id) for facility_id in facility_ids]
    filed = _foremost(keys, _MOST_ENTRIES // (len(tags) + 1))
    apart = [key for key in filed if not key.startswith("d:")]
    return frozenset([*tags, *apart, *(f"{tag}{key}" for tag in tags for key in filed)])


def tag_of(facility_id: UUID) -> str:
    """A place in few letters. Two places may share one: what is found is looked at again by the policy."""
    return facility_id.hex[-8:]


_Reader = Callable[[re.Match[str]], "Word | None"]


def _foremost(keys: Collection[str], most: int) -> Collection[str]:
    """The keys; of too many, those that are only there for a slip of the pen are left out first."""
    return keys if len(keys) <= most else sorted(keys, key=_is_tolerant)[:most]


def _is_tolerant(key: str) -> tuple[bool, str]:
    return (key[0] in "ds", key)


def asked_for(text: str) -> tuple[Word, ...]:
    """What a text asks for, in no particular order."""
    words: list[Word] = []

    def take(pattern: re.Pattern[str], rest: str, read: _Reader) -> str:
        def taken(match: re.Match[str]) -> str:
            word = read(match)
            if word is None:
                return match.group()
            words.append(word)
            return " "

        return pattern.sub(taken, rest)

    rest = take(_EMAIL, text, _email)
    rest = take(_YEAR_FIRST, rest, _year_first)
    rest = take(_YEAR_LAST, rest, _year_last)
    rest = take(_WORDED, rest, _worded)
    rest = take(_COMPACT, rest, _compact_day)
    rest = take(_PHONE, rest, _phone)
    for raw in re.split(r"[\s,;]+", rest):
        words += _named(raw)
    return tuple(words[:MOST_WORDS])


def exactly(family: str, born_on: str, number: str) -> tuple[Word, ...]:
    """A family name, a day of birth and, if there is one, a number; each as written."""
    named = [Word((Key(f"n:{word}", 0),)) for word in _words(plain_name(family))]
    numbered = [Word((Key(f"i:{_compact(number)}", 0),))] if _compact(number) else []
    return (*named, Word((Key(f"b:{born_on}", 0),)), *numbered)


def relevance(words: Iterable[Word], keys: frozenset[str]) -> int:
    """How well a record meets the words; the more, the better."""
    return sum(
        max((key.weight for key in (*word.exact, *word.tolerant) if _meets(key, keys)), default=0)
        for word in words
    )


def _meets(key: Key, keys: frozenset[str]) -> bool:
    return key.text in keys or (key.is_prefix and any(k.startswith(key.text) for k in keys))


def _named(raw: str) -> list[Word]:
    """A word that is a name, a number, or a part of either."""
    number = _compact(raw)
    if any(c.isdigit() for c in number):
        exact = [Key(f"i:{number}", 9), Key(f"i:{number}", 6, is_prefix=len(number) >= 4)]
        if number.isdigit() and len(number) == 7:
            exact.append(Key(f"t:{number}", 8))
        if number.isdigit() and len(number) == 4:
            exact.append(Key(f"b:{number}", 5, is_prefix=True))
        # A word with a digit in it may still be a name, as test systems have them.
        exact += [key for word in _words(plain_name(raw)) for key in _name(word).exact]
        return [Word(tuple(exact))]
    return [_name(word) for word in _words(plain_name(raw))]


def _name(word: str) -> Word:
    tolerant = [Key(f"s:{_sound(word)}", 3)]
    tolerant += [Key(f"{kind}:{w}", 2) for w in (word, *_one_less(word)) for kind in "dn"]
    # A number can be all letters.
    exact = (
        Key(f"n:{word}", 8),
        Key(f"n:{word}", 5, is_prefix=len(word) >= 3),
        Key(f"i:{word}", 8),
    )
    return Word(exact, tuple(tolerant))


def _email(match: re.Match[str]) -> Word:
    return Word((Key(f"e:{match.group().strip('<>,;').lower()[:_LONGEST_EMAIL]}", 10),))


def _phone(match: re.Match[str]) -> Word:
    digits = _digits(match.group())[-10:]
    return Word((Key(f"t:{digits}", 10), Key(f"i:{digits}", 9)))


def _year_first(match: re.Match[str]) -> Word | None:
    year, month, day = (int(part) for part in match.groups())
    return _day((year, month, day))


def _year_last(match: re.Match[str]) -> Word | None:
    """Month first, as in the United States; the other way round where only that is a day, or as a second guess."""
    first, second, year = (int(part) for part in match.groups())
    if year < 100:
        year += 2000 if year <= date.today().year % 100 else 1900  # noqa: DTZ011 a century, not an instant
    return _day((year, first, second), (year, second, first))


def _worded(match: re.Match[str]) -> Word | None:
    day, month, other_month, other_day, year = match.groups()
    number = _MONTHS.get((month or other_month)[:3].upper(), 0)
    return _day((int(year), number, int(day or other_day)))


def _compact_day(match: re.Match[str]) -> Word | None:
    """19800430 is a day, unless it is somebody's number."""
    year, month, day = (int(part) for part in match.groups())
    word = _day((year, month, day))
    return Word((*word.exact, Key(f"i:{match.group()}", 9))) if word else None


def _day(*guesses: tuple[int, int, int]) -> Word | None:
    days = []
    for year, month, day in guesses:
        try:
            days.append(date(year, month, day).isoformat())
        except ValueError:
            continue
    if not days:
        return None
    return Word((Key(f"b:{days[0]}", 9),), tuple(Key(f"b:{day}", 4) for day in days[1:]))


def _words(text: str) -> list[str]:
    return [word[:_LONGEST_WORD] for word in text.split()]


def _one_less(word: str) -> list[str]:
    """The word with each one of its letters left out; short words would meet everything."""
    if len(word) < 4:
        return []
    return [word[:i] + word[i + 1 :] for i in range(len(word))]


def _sound(word: str) -> str:
    """Roughly how English ears hear it: the consonants, and that it begins with a vowel."""
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    first = "A" if word[:1] in "AEIOUY" else word[:1]
    out = first
    for letter in word[1:]:
        if letter not in "AEIOUYH" and letter != out[-1]:
            out += letter
    return out


def _compact(value: str) -> str:
    return plain(value).replace(" ", "")[:_LONGEST_WORD]


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
