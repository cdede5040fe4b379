"""What is true after the messages that were sent, to hold a hub's record against.

Visits are simply what the simulator knows of them. Who is one person is as certain as numbers, merges and matching
descriptions make it: a clerk's misspelling is one more person for anybody who only reads messages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from libs.simulator.conditions import DIED
from libs.simulator.event import Event, Trigger, Visit, VisitClass, VisitState
from libs.simulator.noise import Fate, Message
from libs.simulator.people import Person, Registration, spelled
from libs.simulator.places import Site

Number = tuple[str, str]

# UB-04 patient status: who went on to another facility, or died. protocols.md says why, the protocol says so too.
_ELSEWHERE = frozenset({
    "02", "03", "04", "05", "43", "51", "61", "62", "63", "64", "65", "66", "70",
    "82", "83", "84", "85", "88", "89", "90", "91", "92", "93", "94", "95",
})  # fmt: skip
# A critical potassium told again within so long is no second alarm: as the protocol says.
_SAME_ALARM = timedelta(hours=24)
_LATER = datetime.max.replace(tzinfo=UTC)
_DEATHS = frozenset({DIED, "40", "41", "42"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPatient:
    """One person as the messages show them: `numbers` are (site, number)."""

    numbers: frozenset[Number]
    people: frozenset[int]
    is_deceased: bool
    died_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEncounter:
    site: str
    visit_number: str
    visit_class: str
    state: str
    admit_at: datetime | None
    discharge_at: datetime | None
    disposition: str
    places: tuple[str, ...]
    diagnoses: tuple[str, ...]
    patient: ExpectedPatient


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTransition:
    """The loop of one stay. `end` is why it is over, by the earliest reason; empty while it must be open."""

    site: str
    visit_number: str
    discharge_at: datetime | None
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedResult:
    """A panel of a laboratory, by the number of its order. `is_alarm`: somebody has to be told of its potassium, and was not
    told of the same within a day.
    """

    site: str
    number: str
    at: datetime
    is_critical: bool
    is_alarm: bool
    patient: ExpectedPatient


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    event: Event
    visit: Visit


class Truth:
    """Grows with every message that was sent. Order, lateness and repetition make no difference."""

    def __init__(self) -> None:
        self.fates: dict[str, dict[Fate, int]] = {}
        self._visits: dict[tuple[str, str], _Known] = {}
        self._registrations: dict[Number, tuple[Registration, Person]] = {}
        self._dead: dict[Number, datetime | None] = {}
        self._merged: set[tuple[Number, Number]] = set()
        self._results: dict[tuple[str, int], Event] = {}

    def note(self, message: Message) -> None:
        counts = self.fates.setdefault(message.site.key, dict.fromkeys(Fate, 0))
        counts[message.fate] += 1
        if message.event is not None and message.fate is Fate.TAKEN:
            self._learn(message.event)

    def _learn(self, event: Event) -> None:
        site, known = event.site, event.registration
        number = (site.key, known.mrn)
        self._registrations[number] = (known, event.person)
        if event.person.is_deceased:
            self._dead[number] = event.person.died_at if site.habits.says_event_time else None
        if event.retired is not None:
            retired = (site.key, event.retired.mrn)
            self._merged.add((number, retired))
            self._registrations.setdefault(retired, (event.retired, event.person))
        if event.trigger is Trigger.RESULT:
            self._results[site.key, event.number] = event
        if event.visit is not None:
            key = (site.key, event.visit.number)
            before = self._visits.get(key)
            if before is None or before.event.number < event.number:
                self._visits[key] = _Known(event=event, visit=event.visit)

    def expected_patients(self) -> list[ExpectedPatient]:
        return list(dict.fromkeys(self._patients().values()))

    def expected_encounters(self) -> list[ExpectedEncounter]:
        patients = self._patients()
        return [
            ExpectedEncounter(
                site=site,
                visit_number=number,
                visit_class=known.visit.visit_class.name,
                state=known.visit.state.value,
                admit_at=known.visit.admit_at,
                discharge_at=known.visit.discharge_at,
                disposition=known.visit.disposition,
                places=known.visit.places,
                diagnoses=tuple(each.code for each in known.visit.diagnoses),
                patient=patients[site, known.event.registration.mrn],
            )
            for (site, number), known in sorted(self._visits.items())
        ]

    def expected_transitions(self) -> list[ExpectedTransition]:
        """The loops that must be there: each stay's that was not over before anybody could follow it."""
        encounters = self.expected_encounters()
        zones = {known.event.site.key: known.event.site for known in self._visits.values()}
        stays = [e for e in encounters if e.visit_class == VisitClass.INPATIENT.name]
        return [
            ExpectedTransition(
                site=stay.site,
                visit_number=stay.visit_number,
                discharge_at=stay.discharge_at,
                end=_end(stay, stays, zones[stay.site]),
            )
            for stay in stays
            if stay.state != VisitState.PLANNED
        ]

    def expected_results(self) -> list[ExpectedResult]:
        patients = self._patients()
        alarms = dict[tuple[str, ExpectedPatient], datetime]()
        found = []
        for (site, number), event in sorted(self._results.items(), key=_told_at):
            patient = patients[site, event.registration.mrn]
            at, last = event.at.replace(microsecond=0), alarms.get((site, patient))
            is_alarm = event.has_critical_result and (last is None or at - last >= _SAME_ALARM)
            if is_alarm:
                alarms[site, patient] = at
            found.append(
                ExpectedResult(
                    site=site,
                    number=f"L{number}",
                    at=at,
                    is_critical=event.has_critical_result,
                    is_alarm=is_alarm,
                    patient=patient,
                )
            )
        return found

    def _patients(self) -> dict[Number, ExpectedPatient]:
        groups = _Groups(self._registrations)
        for survivor, retired in self._merged:
            groups.join(survivor, retired)
        by_evidence: dict[object, Number] = {}
        for number, (known, person) in sorted(self._registrations.items()):
            for evidence in _evidence(known, person):
                groups.join(by_evidence.setdefault(evidence, number), number)
        out: dict[Number, ExpectedPatient] = {}
        for members in groups.all():
            patient = ExpectedPatient(
                numbers=frozenset(members),
                people=frozenset(self._registrations[m][1].id for m in members),
                is_deceased=any(m in self._dead for m in members),
                died_at=next((at for m in members if (at := self._dead.get(m))), None),
            )
            out.update(dict.fromkeys(members, patient))
        return out

    def lines(self) -> Iterator[bytes]:
        """Everything as JSON lines: {"kind": …, …}."""
        for kind, things in (
            ("patient", self.expected_patients()),
            ("encounter", self.expected_encounters()),
            ("transition", self.expected_transitions()),
            ("result", self.expected_results()),
        ):
            for thing in things:
                yield orjson.dumps({"kind": kind, "value": thing}, default=sorted)
        for site, counts in sorted(self.fates.items()):
            named = {fate.value: number for fate, number in counts.items()}
            yield orjson.dumps({"kind": "feed", "value": {"site": site, "fates": named}})

    def write(self, path: Path) -> None:
        path.write_bytes(b"\n".join(self.lines()) + b"\n")


def _told_at(told: tuple[tuple[str, int], Event]) -> tuple[datetime, int]:
    return told[1].at, told[0][1]


def _evidence(known: Registration, person: Person) -> Iterator[object]:
    """What makes two registrations one person to anybody who reads messages: a card's number with birth date
    and given name, since families share one; or name, birth date and sex together, where a telephone number or a street
    agrees, as it does here for one person.
    """
    if known.insurance:
        yield (known.insurance, known.birth_on, spelled(known.given))
    if not known.is_mistake:
        yield (person.id, spelled(known.family), spelled(known.given), known.birth_on)


def _end(stay: ExpectedEncounter, stays: Iterable[ExpectedEncounter], site: Site) -> str:
    if stay.state == VisitState.CANCELLED:
        return "ADMISSION_CANCELLED"
    patient = stay.patient
    ends: list[tuple[datetime, str]] = []
    if stay.discharge_at is not None:
        if stay.disposition in _DEATHS:
            ends.append((stay.discharge_at, "DECEASED"))
        elif stay.disposition in _ELSEWHERE:
            ends.append((stay.discharge_at, "NOT_ELIGIBLE"))
        if again := _next_stay(stay, stays, site):
            ends.append((again, "READMITTED"))
    if patient.is_deceased:
        ends.append((patient.died_at or _LATER, "DECEASED"))
    return min(ends, default=(_LATER, ""))[1]


def _next_stay(
    stay: ExpectedEncounter, stays: Iterable[ExpectedEncounter], site: Site
) -> datetime | None:
    left = stay.discharge_at
    if left is None:
        return None
    last_day = left.astimezone(site.zone).date() + timedelta(days=30)
    starts = [
        other.admit_at
        for other in stays
        if other is not stay
        and other.patient == stay.patient
        and other.state in (VisitState.IN_PROGRESS, VisitState.FINISHED)
        and other.admit_at is not None
        and other.admit_at >= left
        and other.admit_at.astimezone(site.zone).date() <= last_day
    ]
    return min(starts, default=None)


class _Groups:
    """Numbers that belong together."""

    def __init__(self, numbers: Iterable[Number]) -> None:
        self._leader = {number: number for number in numbers}

    def join(self, one: Number, other: Number) -> None:
        self._leader[self._lead(one)] = self._lead(other)

    def _lead(self, number: Number) -> Number:
        while self._leader[number] != number:
            number = self._leader[number]
        return number

    def all(self) -> Iterable[list[Number]]:
        groups: dict[Number, list[Number]] = {}
        for number in self._leader:
            groups.setdefault(self._lead(number), []).append(number)
        return groups.values()
