"""Whom a message means: the keys that it shares with other messages about the same person.

A key is derived from one message alone, so messages that share a key are about one person whatever order they come in.
Keys are hashes: indexes and locks hold no numbers of people.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from uuid import UUID, uuid5

from services.registry.domain.normal import plain, plain_name, plainest_name
from services.registry.domain.report import Identifier, Person, PersonName, Telecom

# The root of keys that are stored; never change it.
_KEYS = UUID("0b0c3f52-6a8f-5d1e-8f0e-3c9d2c5a7e11")

# HL7 table 0203. Numbers of accounts, visits, orders, devices and cards mean no person.
_ACCOUNTS = frozenset(
    [
        "AN",
        "ANC",
        "AND",
        "ANON",
        "ANT",
        "VN",
        "VS",
        "ACSN",
        "BC",
        "CC",
        "DI",
        "DR",
        "EI",
        "FI",
        "FILL",
        "LI",
        "LN",
        "MD",
        "NPI",
        "PLAC",
        "PRN",
        "SN",
        "SP",
        "TN",
        "XX",
    ]
)
# Numbers that name a person anywhere, but get lent: newborns come with the mother's, and twins are born on one day. So
# they need the birth date and the first given name, too.
_LENT = frozenset(["SS", "MA", "MC", "MB", "MI", "DL", "NI", "NH", "HC", "PPN", "PPC", "WC", "TAX"])
# The facility's own numbers of a person, best first; anything unheard of counts as one of these.
_OWN = ("MR", "PI", "PT")

_NO_VALUES = frozenset(
    ["0", "NONE", "NA", "N/A", "NULL", "UNKNOWN", "UNK", "TEST", "TEMP", "PENDING"]
)
_NO_NAMES = frozenset(
    {"UNKNOWN", "UNK", "TEST", "TESTPATIENT", "JOHN DOE", "JANE DOE", "BABY", "BABYBOY", "BABYGIRL"}
    | {"BOY", "GIRL", "NEWBORN", "INFANT", "TWIN", "TRIPLET", "TRAUMA", "NOLASTNAME", "NOFIRSTNAME"}
)
_NO_BIRTHS = frozenset({"1900-01-01", "1901-01-01", "1800-01-01", "1111-11-11"})
_NO_PHONES = frozenset({"5555555555", "1234567890"})
# "No middle name" and the like.
_NO_FURTHER_NAMES = frozenset({"NMN", "NMI", "NONE", "NA", "UNKNOWN", "UNK"})
# Words that say that there is no street, where no house number is among them; and the beginnings of what is none at all.
_NO_STREETS = frozenset(
    {"HOMELESS", "UNKNOWN", "UNK", "NONE", "NA", "TRANSIENT", "UNDOMICILED", "DECLINED", "REFUSED"}
    | {"TEST"}
)
_NO_STREET_AT_ALL = (
    "GENERAL DELIVERY",
    "N A",
    "NO ADDRESS",
    "NO FIXED",
    "NO KNOWN",
    "NO PERMANENT",
)
_NO_EMAILS = frozenset(
    {"NONE", "NO", "NOEMAIL", "NOMAIL", "NA", "NULL", "UNKNOWN", "UNK", "DECLINED", "REFUSED"}
    | {"TEST", "NOTPROVIDED", ""}
)


def person_keys(person: Person) -> tuple[UUID, ...]:
    """The keys by which assigned numbers link messages of one person, the facility's own number first.

    Where a message has no such number its accounts stand in for it; empty if it has none of these either.
    """
    return person.once(_person_keys)


def _person_keys(person: Person) -> tuple[UUID, ...]:
    born = person.birth_on
    borrowers = [f"{born}|{given}" for given in given_names(person.names)] if _is_day(born) else []
    own, lent, accounts = [], [], []
    for identifier in person.identifiers:
        if not identifier.assigner or is_placeholder(identifier):
            continue
        if identifier.type in _ACCOUNTS:
            accounts.append(("account", identifier))
        elif identifier.type in _LENT:
            lent += [(borrower, identifier) for borrower in borrowers]
        else:
            own.append(("", identifier))
    numbers = own + lent or accounts
    ranked = sorted(
        numbers,
        key=lambda n: (_rank(n[1]), n[1].assigner, _number(n[1]), n[0]),
    )
    return tuple(dict.fromkeys(_number_key(kind, identifier) for kind, identifier in ranked))


def lent_keys(person: Person) -> frozenset[UUID]:
    """Those of `person_keys` that come from numbers that get lent: by themselves they make nobody the same person."""
    return person.once(_lent_keys)


def _lent_keys(person: Person) -> frozenset[UUID]:
    lent = tuple(i for i in person.identifiers if i.type in _LENT)
    return frozenset(person_keys(replace(person, identifiers=lent)) if lent else ())


def own_keys(identifiers: Iterable[Identifier]) -> tuple[UUID, ...]:
    """The keys of a facility's own numbers alone: what a merge retires."""
    own = [i for i in identifiers if i.type not in _ACCOUNTS and i.type not in _LENT]
    return person_keys(Person(identifiers=tuple(own)))


@lru_cache(maxsize=4096)
def visit_key(facility_id: UUID, visit_number: str) -> UUID:
    """What stands in for the person where a message has a visit number and nothing else."""
    return uuid5(_KEYS, f"visit|{facility_id}|{visit_number}")


def described_key(person: Person) -> UUID | None:
    """Family name, first given name, birth date and sex as one key; None if one is missing or a placeholder.

    It never identifies anybody by itself: it finds candidates.
    """
    name = next((n for n in person.names if n.family and n.given), None)
    if not name or not _is_day(person.birth_on):
        return None
    family, given = _said_name(name)
    if not family or not given or person.sex is None or person.sex == "UNKNOWN":
        return None
    return _key_of(f"person|{family}|{given}|{person.birth_on}|{person.sex}")


def described_keys(person: Person) -> frozenset[UUID]:
    """The same for every name that somebody goes or went by."""
    return person.once(_described_keys)


def _described_keys(person: Person) -> frozenset[UUID]:
    each = (
        described_key(
            Person(names=(name,), birth_on=person.birth_on, sex=person.sex),
        )
        for name in person.names
    )
    return frozenset(key for key in each if key)


def given_names(names: Iterable[PersonName]) -> list[str]:
    """The first given name of each name as compared, without those that only say that there is none yet."""
    return sorted({given for name in names if (given := _said_name(name)[1])})


def further_given_names(names: Iterable[PersonName]) -> list[str]:
    """What follows the first given name, as compared."""
    further = {plainest_name(given) for name in names for given in name.given[1:]}
    return sorted(further - _NO_FURTHER_NAMES - {""})


def family_names(names: Iterable[PersonName]) -> list[str]:
    return sorted({family for name in names if (family := _said_name(name)[0])})


def birth_day(person: Person) -> str:
    """The day of birth as far as it is known; "" for one that was typed because the form wanted one."""
    return "" if person.birth_on in _NO_BIRTHS else person.birth_on


def is_placeholder(identifier: Identifier) -> bool:
    """Whether a number was typed because the form wanted one."""
    value = _number(identifier)
    if not value or value in _NO_VALUES:
        return True
    if identifier.type == "SS":
        return not is_social_security_number(value)
    return len(value) >= 3 and set(value) in ({"0"}, {"9"})


def is_social_security_number(value: str) -> bool:
    """Nine digits that were given to somebody: no area 000, 666 or 9xx, and none of the well-known examples."""
    if len(value) != 9 or not value.isdigit() or len(set(value)) == 1:
        return False
    if value[:3] in ("000", "666") or value[0] == "9" or value[3:5] == "00" or value[5:] == "0000":
        return False
    return value not in ("123456789", "111223333", "078051120", "219099999", "987654321")


def social_security_numbers(person: Person) -> frozenset[str]:
    numbers = (_number(i) for i in person.identifiers if i.type == "SS")
    return frozenset(n for n in numbers if is_social_security_number(n))


def phones(telecoms: Iterable[Telecom]) -> frozenset[str]:
    """Ten digits each; placeholders left out."""
    numbers = ("".join(c for c in t.value if c.isdigit())[-10:] for t in telecoms if not t.is_email)
    return frozenset(n for n in numbers if len(n) == 10 and n not in _NO_PHONES and len(set(n)) > 1)


def emails(telecoms: Iterable[Telecom]) -> frozenset[str]:
    """In lower case; placeholders left out."""
    values = (t.value.strip().lower() for t in telecoms if t.is_email)
    return frozenset(value for value in values if not _is_no_email(value))


def _is_no_email(value: str) -> bool:
    local, at, domain = value.rpartition("@")
    parts = (local, domain.rpartition(".")[0])
    return not at or any(plain(part).replace(" ", "") in _NO_EMAILS for part in parts)


def streets(person: Person) -> frozenset[str]:
    """First street line and postal code of each address that has both; placeholders left out."""
    return frozenset(
        f"{plain(a.lines[0])}|{a.postal_code[:5]}"
        for a in person.addresses
        if a.lines and _is_street(plain(a.lines[0])) and len(a.postal_code) >= 5 and a.use != "BA"
    )


def _is_street(line: str) -> bool:
    if not line or line.startswith(_NO_STREET_AT_ALL):
        return False
    return any(c.isdigit() for c in line) or _NO_STREETS.isdisjoint(line.split())


def own_numbers(person: Person) -> dict[str, frozenset[str]]:
    """The facility's own numbers by their assigner. One of no said type counts as one."""
    out: dict[str, frozenset[str]] = {}
    for i in person.identifiers:
        if i.assigner and i.type in (*_OWN, "") and not is_placeholder(i):
            out[i.assigner] = out.get(i.assigner, frozenset()) | {_number(i)}
    return out


def _is_day(birth_on: str) -> bool:
    return len(birth_on) == len("1980-04-30") and birth_on not in _NO_BIRTHS


@lru_cache(maxsize=4096)
def _said_name(name: PersonName) -> tuple[str, str]:
    """Family name and first given name as compared; "" for what stands in for one, such as "Baby Girl A"."""
    family, given = plain_name(name.family), plain_name(name.given[0]) if name.given else ""
    if f"{given} {family}" in _NO_NAMES:
        return "", ""
    return "" if _stands_in(family) else family, "" if _stands_in(given) else given


def _stands_in(name: str) -> bool:
    return any(word in _NO_NAMES or word.startswith("BABY") for word in name.split())


def _rank(identifier: Identifier) -> int:
    if identifier.type in _OWN:
        return _OWN.index(identifier.type)
    return len(_OWN) + (identifier.type in _LENT)


def _number_key(kind: str, identifier: Identifier) -> UUID:
    return _key_of(f"number|{kind}|{identifier.assigner}|{_number(identifier)}")


@lru_cache(maxsize=8192)  # messages of one person follow each other
def _key_of(text: str) -> UUID:
    return uuid5(_KEYS, text)


def _number(identifier: Identifier) -> str:
    """A number as compared: a social security number without its hyphens, any other as it is but for case."""
    if identifier.type == "SS":
        return plain(identifier.value).replace(" ", "")
    return identifier.value.strip().upper()
