"""Life in the region: what happens to whom, as an endless stream of events in the order in which they happen."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, count
from zlib import crc32

from libs.simulator.clock import OFFICE_HOURS, ROUND_THE_CLOCK, Clock, minutes
from libs.simulator.conditions import DIED, HOME
from libs.simulator.event import Event, Trigger, Visit, VisitClass, VisitState
from libs.simulator.people import Person, Region, Registration, written
from libs.simulator.places import STREETS, Site
from libs.simulator.stays import Course, Step

# What happens when its time comes, and the event of it if it is one.
Happen = Callable[[datetime], "Event | None"]
_SEVERE = frozenset({"I50.9", "J44.9"})
_QUICKLY_REGISTERED = 0.03
# Of what somebody is picked by; a place is tried again if they are in a bed already, or dead.
_TRIES = 8


class Arrival(StrEnum):
    EMERGENCY = "emergency"
    INPATIENT = "inpatient"
    ELECTIVE = "elective"
    OUTPATIENT = "outpatient"
    NEWS = "news"


_ALL_DAY = frozenset({Arrival.EMERGENCY, Arrival.INPATIENT})


class Life:
    """One run of a region's life from a start on. The same region, start, clock and intensity give the same events."""

    def __init__(
        self, region: Region, start: datetime, *, clock: Clock | None = None, intensity: float = 1.0
    ) -> None:
        self._chance = random.Random(f"{region.seed}|life")  # noqa: S311 - repeatable, not secret
        self._clock = clock or Clock()
        self._sites = region.sites
        self._intensity = intensity
        self.start = start
        self._people = {person.id: person for person in region.people}
        self._newcomers = region.newcomers()
        # Who lives now in the place of somebody who died, and in whose place they live.
        self._living: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._busy: set[int] = set()
        self._told: set[int] = set()
        # Visits that go under a number that was given by mistake.
        self._mistaken: dict[str, Registration] = {}
        self._heap: list[tuple[datetime, int, Happen]] = []
        self._serials, self._events, self._visits = count(), count(1), count(1)
        self._prefix = f"{crc32(f'{region.seed}|{start.isoformat()}'.encode()):08X}"
        self._crowds = {
            (site.key, each): _Crowd(region.people, site, each)
            for site in self._sites
            for each in Arrival
        }

    def events(self) -> Iterator[Event]:
        for site in self._sites:
            for arrival in Arrival:
                self._expect(self.start, site, arrival)
        while self._heap:
            when, _, happen = heapq.heappop(self._heap)
            if (event := happen(when)) is not None:
                yield event

    def _plan(self, when: datetime, happen: Happen) -> None:
        heapq.heappush(self._heap, (when, next(self._serials), happen))

    # Arrivals.

    def _expect(self, now: datetime, site: Site, arrival: Arrival) -> None:
        """Plan the next arrival of a kind. By thinning: as if it always were the busiest hour, and some do not come."""
        rate = getattr(site.rates, arrival.value) * self._intensity
        if not rate:
            return
        rhythm = ROUND_THE_CLOCK if arrival in _ALL_DAY else OFFICE_HOURS
        when = now
        while True:
            when += timedelta(days=self._chance.expovariate(rate * rhythm.most))
            local = when.astimezone(site.zone)
            if self._chance.random() * rhythm.most < rhythm.busy(local):
                break

        def arrive(at: datetime) -> Event | None:
            self._expect(at, site, arrival)
            person = self._somebody(site, arrival)
            if person is not None and arrival is Arrival.NEWS:
                return self._news(at, site, person)
            if person is not None:
                self._begin(at, site, person, arrival)
            return None

        self._plan(when, arrive)

    def _somebody(self, site: Site, arrival: Arrival) -> Person | None:
        crowd = self._crowds[site.key, arrival]
        for _ in range(_TRIES):
            if not crowd.ids:
                return None
            place = crowd.pick(self._chance)
            person = self._people[self._living.get(place, place)]
            if person.id not in self._busy and not person.is_deceased:
                return person
        return None

    # Visits.

    def _begin(
        self, at: datetime, site: Site, person: Person, arrival: Arrival, *, follows: bool = False
    ) -> None:
        number = f"{site.key[0]}{self._prefix}{next(self._visits):05}"
        course = Course(self._chance, self._clock, site, person, number)
        if arrival is Arrival.OUTPATIENT:
            steps = course.outpatient(at, follows_stay=follows)
        else:
            steps = getattr(course, arrival.value)(at)
        self._busy.add(person.id)
        if arrival is Arrival.EMERGENCY and self._is_mistaken(person):
            self._register_again(at, site, person, number)
        self._walk(site, person.id, course, steps)

    def _walk(self, site: Site, person_id: int, course: Course, steps: Iterator[Step]) -> None:
        """Take the next step of a visit when its time comes, and plan the one after it."""
        step = next(steps, None)
        if step is None:
            self._busy.discard(person_id)
            self._after(course.visit, site, person_id)
            return

        def happen(_: datetime) -> Event:
            event = self._event_of(step, site, person_id)
            self._walk(site, person_id, course, steps)
            return event

        self._plan(step.when, happen)

    def _event_of(self, step: Step, site: Site, person_id: int) -> Event:
        person = self._people[person_id]
        visit = step.visit
        if visit and visit.state is VisitState.FINISHED and visit.disposition == DIED:
            person = self._bury(person, visit.discharge_at)
        event = self._event(step.when, step.trigger, site, person)
        mistaken = self._mistaken.get(visit.number) if visit else None
        return replace(
            event,
            visit=visit,
            registration=mistaken or event.registration,
            at=step.occurred_at or event.at,
        )

    def _after(self, visit: Visit, site: Site, person_id: int) -> None:
        """Where a stay leads: back into hospital for some, to a follow-up visit for most."""
        person = self._people[person_id]
        went_home = visit.state is VisitState.FINISHED and visit.disposition in HOME
        if visit.visit_class is not VisitClass.INPATIENT or not went_home:
            return
        left = self._clock.life(visit.discharge_at) if visit.discharge_at else self.start
        left = max(left, self._clock.life(visit.admit_at or self.start)) + timedelta(hours=60)
        is_severe = bool(_SEVERE & set(person.conditions))
        if self._chance.random() < (0.22 if is_severe else 0.11):
            at = left + minutes(self._chance.uniform(0, 25 * 1440))
            arrival = self._chance.choice((Arrival.INPATIENT, Arrival.EMERGENCY))
            self._plan(at, self._return(self._hospital_of(person, site), person_id, arrival))
        if self._chance.random() < 0.6:
            at = left + minutes(self._chance.uniform(0, 11 * 1440))
            self._plan(
                at, self._return(self._clinic_of(person, site), person_id, Arrival.OUTPATIENT)
            )

    def _return(self, site: Site, person_id: int, arrival: Arrival) -> Happen:
        def happen(at: datetime) -> None:
            person = self._people[person_id]
            if person_id not in self._busy and not person.is_deceased:
                self._begin(at, site, person, arrival, follows=True)

        return happen

    def _hospital_of(self, person: Person, last: Site) -> Site:
        others = [r.site for r in person.registrations if r.site.is_hospital and r.site is not last]
        return self._chance.choice(others) if others and self._chance.random() < 0.3 else last

    @staticmethod
    def _clinic_of(person: Person, last: Site) -> Site:
        return next((r.site for r in person.registrations if not r.site.is_hospital), last)

    def _bury(self, person: Person, at: datetime | None) -> Person:
        """The region does not die out: somebody else moves in."""
        person = self._people[person.id] = replace(person, is_deceased=True, died_at=at)
        newcomer = self._newcomers.successor(person)
        self._people[newcomer.id] = newcomer
        place = self._places.get(person.id, person.id)
        self._living[place], self._places[newcomer.id] = newcomer.id, place
        return person

    # Numbers given by mistake, and merged.

    def _is_mistaken(self, person: Person) -> bool:
        return (
            len(person.registrations) == 1
            and not person.has_duplicate
            and self._chance.random() < _QUICKLY_REGISTERED
        )

    def _register_again(self, at: datetime, site: Site, person: Person, visit: str) -> None:
        """The emergency desk does not find somebody and gives them another number. Later that is noticed."""
        known = person.registrations[0]
        mrn = f"{known.mrn[:3]}9{known.mrn[3:]}"
        again = replace(known, mrn=mrn, insurance="", is_mistake=True)
        self._people[person.id] = replace(person, has_duplicate=True)
        self._mistaken[visit] = again

        def merge(when: datetime) -> Event:
            del self._mistaken[visit]
            event = self._event(when, Trigger.MERGED, site, self._people[person.id])
            return replace(event, retired=again)

        self._plan(at + minutes(self._chance.uniform(200, 3000)), merge)

    # News of people.

    def _news(self, at: datetime, site: Site, person: Person) -> Event:
        if person.id not in self._told:
            self._told.add(person.id)
            return self._event(at, Trigger.PERSON_ADDED, site, person)
        draw, is_one = self._chance.random(), len(person.registrations) == 1
        if draw < 0.03 and is_one and not person.has_duplicate:
            person = self._bury(person, self._clock.wall(at))
        elif draw < 0.15 and is_one and not person.has_duplicate:
            person = self._renamed(person)
        elif draw < 0.6:
            street = f"{self._chance.randrange(1, 990)} {self._chance.choice(STREETS)}"
            person = replace(person, street=street, unit="")
        else:
            person = replace(person, email=f"person{person.id}.{at:%y%m}@mail.example")
        self._people[person.id] = person
        return self._event(at, Trigger.PERSON_UPDATED, site, person)

    def _renamed(self, person: Person) -> Person:
        """Somebody marries, and takes a name that the language has."""
        family = self._chance.choice(person.tongue.families)
        known = person.registrations[0]
        known = replace(known, family=written(family, known.site))
        return replace(person, family=family, registrations=(known,))

    def _event(self, when: datetime, trigger: Trigger, site: Site, person: Person) -> Event:
        registration = person.at(site)
        if registration is None:
            raise LookupError("nobody goes where they have no number")
        self._told.add(person.id)
        typed = when + minutes(self._chance.uniform(0.1, 1.5))
        return Event(
            number=next(self._events),
            trigger=trigger,
            site=site,
            at=self._clock.wall(when),
            recorded_at=self._clock.wall(typed),
            person=person,
            registration=registration,
        )


class _Crowd:
    """The people of a site, of whom the sick come more often than the others."""

    def __init__(self, people: tuple[Person, ...], site: Site, arrival: Arrival) -> None:
        here = [person for person in people if person.at(site)]
        if arrival is Arrival.ELECTIVE:
            here = [person for person in here if person.birth_on.year < 2006]
        self.ids = [person.id for person in here]
        is_even = arrival in (Arrival.NEWS, Arrival.OUTPATIENT)
        self._weights = list(accumulate(1.0 if is_even else person.burden for person in here))

    def pick(self, chance: random.Random) -> int:
        return chance.choices(self.ids, cum_weights=self._weights)[0]
