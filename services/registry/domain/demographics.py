"""What is known of a person: of everything that was told, the newest per field, whatever order it came in.

Each field remembers the stamp (event time, message time, content) of what it was told by. Learning is commutative,
associative and idempotent, so any order of messages, with duplicates, and any order of merges end in the same facts.

Of a death the newest word of each teller is kept: that one facility does not know of it takes nothing back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from services.registry.domain.identity import is_placeholder
from services.registry.domain.normal import plain, plain_name, plain_suffix
from services.registry.domain.report import (
    Address,
    Identifier,
    Person,
    PersonName,
    Sex,
    Telecom,
)

V = TypeVar("V")
LISTS = ("names", "addresses", "telecoms")
_INDICATOR, _TIME = _DEATH = ("death_indicator", "death_time")
_STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Told(Generic[V]):
    """A value, by what it was told, and which one of several it was there. An empty text was deleted."""

    value: V
    stamp: str
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything told of a person that still counts. `cleared` has the stamps up to which a list was deleted."""

    single: Mapping[str, Told[str]] = field(default_factory=dict)
    names: Mapping[str, Told[PersonName]] = field(default_factory=dict)
    addresses: Mapping[str, Told[Address]] = field(default_factory=dict)
    telecoms: Mapping[str, Told[Telecom]] = field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()
    cleared: Mapping[str, str] = field(default_factory=dict)

    def union(self, other: "Facts") -> "Facts":
        """What both know together."""
        cleared = {
            name: max(self.cleared.get(name, ""), other.cleared.get(name, ""))
            for name in {*self.cleared, *other.cleared}
        }
        return Facts(
            single=_newest(self.single, other.single),
            names=_newest(self.names, other.names, cleared.get("names", "")),
            addresses=_newest(self.addresses, other.addresses, cleared.get("addresses", "")),
            telecoms=_newest(self.telecoms, other.telecoms, cleared.get("telecoms", "")),
            identifiers=_numbers((*self.identifiers, *other.identifiers)),
            cleared=cleared,
        )

    def person(self) -> Person:
        """The person as known now: the newest first, former names and addresses behind."""
        tellers = self._tellers_of_death()
        died_at = self._time_of_death(tellers)
        sex = self._value("sex")
        names = _newest_first(self.names)
        legal = [n for n in names if n.use in ("", "L")]
        others = [n for n in names if n.use not in ("", "L")]
        return Person(
            identifiers=self.identifiers,
            names=(*legal, *others),
            birth_on=self._value("birth_date"),
            sex=Sex(sex) if sex else None,
            addresses=_newest_first(self.addresses),
            telecoms=_newest_first(self.telecoms),
            language=self._value("language"),
            is_deceased=bool(tellers),
            died_at=datetime.fromisoformat(died_at) if died_at else None,
        )

    def newest_stamp(self) -> str:
        """By what anything was told last."""
        told_by = [t.stamp for t in self.single.values()] + [t.stamp for t in self.names.values()]
        told_by += [t.stamp for t in self.addresses.values()]
        told_by += [t.stamp for t in self.telecoms.values()]
        return max([*told_by, *self.cleared.values()], default="")

    def _tellers_of_death(self) -> frozenset[str]:
        """Whose newest word is that the person died. What people last wrote of it counts more than all before it."""
        written = self.single.get(_of_teller(_INDICATOR, _STAFF))
        since = written.stamp if written else ""
        tellers = {name.partition("@")[2] for name in self.single if name.startswith(_DEATH)}
        return frozenset(teller for teller in tellers if self._says_dead(teller, since))

    def _says_dead(self, teller: str, since: str) -> bool:
        said = self.single.get(_of_teller(_INDICATOR, teller))
        time = self.single.get(_of_teller(_TIME, teller))
        if said and said.value == "Y":
            return said.stamp >= since
        if not time or not time.value or time.stamp < since:
            return False
        # A time that was told at once with "N" is no death, and one told at once with a deletion is.
        return not said or (time.stamp, "") >= (said.stamp, said.value)

    def _time_of_death(self, tellers: frozenset[str]) -> str:
        """The newest that was told by those who say so, or written by people; these delete what was told before, too."""
        written = self.single.get(_of_teller(_TIME, _STAFF))
        since = written.stamp if written else ""
        each = (self.single.get(_of_teller(_TIME, teller)) for teller in {*tellers, _STAFF})
        times = [told for told in each if told and told.value and told.stamp >= since]
        return max(times, key=lambda told: told.stamp).value if tellers and times else ""

    def _value(self, name: str) -> str:
        told_last = self.single.get(name)
        return told_last.value if told_last else ""


def told_by(person: Person, stamp: str, facility_id: UUID | None = None) -> Facts:
    """What one message of a facility tells, or what people write (None), as facts of its own."""
    teller = str(facility_id or _STAFF)
    single = {
        "birth_date": person.birth_on,
        "sex": str(person.sex or ""),
        "language": person.language,
        "death_indicator": "" if person.is_deceased is None else "NY"[person.is_deceased],
        "death_time": person.died_at.isoformat() if person.died_at else "",
    }
    return Facts(
        single={
            _of_teller(name, teller) if name in _DEATH else name: Told(value, stamp)
            for name, value in single.items()
            if value or name in person.cleared
        },
        names=_entries(person.names, _same_name, stamp),
        addresses=_entries(person.addresses, _same_address, stamp),
        telecoms=_entries(person.telecoms, _same_telecom, stamp),
        identifiers=_numbers(person.identifiers),
        cleared={name: stamp for name in LISTS if name in person.cleared},
    )


def _of_teller(name: str, teller: str) -> str:
    """Under what the word of a teller is kept. That of "" was kept before tellers were told apart."""
    return f"{name}@{teller}" if teller else name


def _entries(values: Iterable[V], same: Callable[[V], str], stamp: str) -> dict[str, Told[V]]:
    out: dict[str, Told[V]] = {}
    for place, value in enumerate(values):
        if key := same(value):
            out.setdefault(key, Told(value, stamp, place))
    return out


def _newest(
    ours: Mapping[str, Told[V]], theirs: Mapping[str, Told[V]], cleared: str = ""
) -> dict[str, Told[V]]:
    """Of each key what was told last, without what was deleted later. What told and deleted at once replaced."""
    out = dict(ours)
    for key, told in theirs.items():
        if key not in out or out[key].stamp < told.stamp:
            out[key] = told
    return {key: told for key, told in out.items() if told.stamp >= cleared}


def _newest_first(entries: Mapping[str, Told[V]]) -> tuple[V, ...]:
    ordered = sorted(entries.values(), key=lambda told: told.place)
    ordered.sort(key=lambda told: told.stamp, reverse=True)
    return tuple(told.value for told in ordered)


def _numbers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Each number once, in an order of its own; what is no number at all is left out."""
    each = {(i.assigner, i.value, i.type): i for i in identifiers if not is_placeholder(i)}
    return tuple(each[key] for key in sorted(each))


def _same_name(name: PersonName) -> str:
    parts = (
        plain_name(name.family),
        *(plain_name(g) for g in name.given),
        plain_suffix(name.suffix),
    )
    return "|".join((*parts, name.use)) if any(parts) else ""


def _same_address(address: Address) -> str:
    parts = (*(plain(line) for line in address.lines), plain(address.city), address.postal_code[:5])
    return "|".join((*parts, address.use)) if any(parts) else ""


def _same_telecom(telecom: Telecom) -> str:
    return telecom.value.strip().lower()
