"""How a visit goes: each kind of visit as a course of steps, with what goes wrong at desks and on wards."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from libs.simulator.clock import Clock, minutes
from libs.simulator.conditions import (
    ACUTE,
    CONDITIONS,
    DIED,
    DISPOSITIONS,
    ELECTIVE,
    FLARES,
    FOLLOW_UP,
    MINOR,
    ROUTINE,
    Complaint,
)
from libs.simulator.event import Diagnosis, Trigger, Visit, VisitClass, VisitState
from libs.simulator.people import Person
from libs.simulator.places import Site

_TEXTS = {condition.code: condition.text for condition in CONDITIONS}
_ENDS = tuple(end for end, _ in DISPOSITIONS)
_END_WEIGHTS = tuple(accumulate(weight for _, weight in DISPOSITIONS))
_DOCTORS = (
    "88101^Varga^Imre^^^Dr", "88102^Osei^Abena^^^Dr", "88103^Lindgren^Maja^^^Dr", "88104^Castellanos^Iván^^^Dr",
    "88105^Brightwater^Ione^^^Dr", "88106^Haddad^Rania^^^Dr", "88107^Nakagawa^Ren^^^Dr", "88108^O'Dowd^Fintan^^^Dr",
    "88109^Szczepańska^Ewa^^^Dr", "88110^Mbeki-Thorne^Naledi^^^Dr",
)  # fmt: skip


class Step(NamedTuple):
    """The visit after a step. `occurred_at` where it is told later than it happened."""

    when: datetime
    trigger: Trigger
    visit: Visit | None
    occurred_at: datetime | None = None


class Course:
    """One visit of one person, told step by step. The times in the visit are those on the wall."""

    def __init__(
        self, chance: random.Random, clock: Clock, site: Site, person: Person, number: str
    ) -> None:
        self._chance = chance
        self._clock = clock
        self._site = site
        self._person = person
        self.visit = Visit(
            number=number,
            visit_class=VisitClass.OUTPATIENT,
            state=VisitState.PLANNED,
            attending=chance.choice(_DOCTORS),
        )

    # The kinds of visits.

    def inpatient(self, at: datetime) -> Iterator[Step]:
        complaint = self._complaint()
        self._change(visit_class=VisitClass.INPATIENT, admission_type="U", reason=complaint.reason)
        yield self._admit(at, Trigger.ADMITTED, self._bed())
        if self._happens(0.04):
            yield self._cancel(at + self._minutes(20, 90))
            return
        yield from self._stay(at, complaint)

    def elective(self, at: datetime) -> Iterator[Step]:
        """Planned for another day; now and then nobody comes, or it is called off."""
        complaint = _weighted(self._chance, ELECTIVE)
        due = at + self._minutes(1 * 1440, 6 * 1440)
        self._change(
            visit_class=VisitClass.PREADMIT,
            admission_type="C",
            reason=complaint.reason,
            # As far ahead as people plan, whatever the speed: what was said never depends on later spells.
            expected_at=self._clock.wall(at) + (due - at),
        )
        yield Step(at, Trigger.PREADMITTED, self.visit)
        if self._happens(0.06):
            yield self._cancel(at + self._minutes(600, 1400))
        elif not self._happens(0.05):
            self._change(visit_class=VisitClass.INPATIENT)
            yield self._admit(due, Trigger.ADMITTED, self._bed())
            yield from self._stay(due, complaint)

    def emergency(self, at: datetime) -> Iterator[Step]:
        """Home within hours, or on to a ward."""
        stays = self._happens(0.07 + 0.012 * min(self._person.burden, 25))
        complaint = self._complaint() if stays else _weighted(self._chance, MINOR)
        self._change(visit_class=VisitClass.EMERGENCY, admission_type="E", reason=complaint.reason)
        yield self._admit(at, Trigger.REGISTERED, f"ED^{self._chance.randrange(1, 30)}^1")
        at += self._minutes(90, 300)
        if stays:
            self._change(visit_class=VisitClass.INPATIENT)
            self._move(self._bed())
            yield Step(at, Trigger.MADE_INPATIENT, self.visit)
            yield from self._stay(at, complaint)
            return
        self._diagnose(complaint, "F")
        yield self._leave(at + self._minutes(15, 200), "07" if self._happens(0.03) else "01")

    def outpatient(self, at: datetime, *, follows_stay: bool = False) -> Iterator[Step]:
        complaint = FOLLOW_UP if follows_stay else _weighted(self._chance, ROUTINE)
        self._change(visit_class=VisitClass.OUTPATIENT, admission_type="R", reason=complaint.reason)
        room = f"{self._site.wards[0]}^{self._chance.randrange(1, 20)}^"
        yield self._admit(at, Trigger.REGISTERED, room.rstrip("^"))
        self._diagnose(complaint, "F")
        if self._happens(0.3):
            yield Step(at + self._minutes(10, 25), Trigger.UPDATED, self.visit)
        if self._happens(0.9):
            yield self._leave(at + self._minutes(40, 150), "01")

    # What they are made of.

    def _stay(self, at: datetime, complaint: Complaint) -> Iterator[Step]:
        """From the bed to the door."""
        leaves = self._day_of_leaving(at)
        at += self._minutes(30, 200)
        self._diagnose(complaint, "W")
        yield Step(at, Trigger.UPDATED, self.visit)
        if self._happens(0.02):
            self._change(visit_class=VisitClass.OUTPATIENT)
            at += self._minutes(60, 400)
            yield Step(at, Trigger.MADE_OUTPATIENT, self.visit)
            leaves = at + self._minutes(60, 900)
        while (at := at + self._minutes(300, 1900)) < leaves - minutes(60):
            yield from self._day(at)
            at += minutes(60)
        yield from self._end(leaves, complaint)

    def _day(self, at: datetime) -> Iterator[Step]:
        """Something of a day on a ward: a transfer, sometimes taken back; a result; another doctor."""
        draw = self._chance.random()
        if draw < 0.40:
            before, places = self.visit.place, self.visit.places
            self._move(self._bed())
            yield Step(at, Trigger.TRANSFERRED, self.visit)
            if self._happens(0.07):
                self._change(place=before, places=places)
                yield Step(at + self._minutes(12, 40), Trigger.TRANSFER_CANCELLED, self.visit)
        elif draw < 0.65:
            yield Step(at, Trigger.RESULT, self.visit)
        elif draw < 0.9:
            self._change(attending=self._chance.choice(_DOCTORS))
            yield Step(at, Trigger.UPDATED, self.visit)

    def _end(self, at: datetime, complaint: Complaint) -> Iterator[Step]:
        end = self._chance.choices(_ENDS, cum_weights=_END_WEIGHTS)[0]
        if end == DIED and not self._may_die():
            end = "01"
        yield self._leave(at, end)
        if end == DIED:
            return
        if self._happens(0.03):
            self._change(state=VisitState.IN_PROGRESS, discharge_at=None, disposition="")
            at += self._minutes(15, 90)
            yield Step(at, Trigger.DISCHARGE_CANCELLED, self.visit)
            at += self._minutes(200, 1800)
            yield self._leave(at, end)
        yield from self._afterwards(at, complaint)

    def _afterwards(self, at: datetime, complaint: Complaint) -> Iterator[Step]:
        """A follow-up is booked; coders and clerks look at it again: another disposition, the final diagnoses."""
        if self._happens(0.3):
            yield Step(at + self._minutes(10, 25), Trigger.BOOKED, self.visit)
        draw = self._chance.random()
        if draw < 0.03:
            # The discharge once more, as it should have been said. It happened when it happened.
            self._change(disposition=self._other_end())
            yield Step(
                at + self._minutes(30, 300),
                Trigger.DISCHARGED,
                self.visit,
                occurred_at=self.visit.discharge_at,
            )
        elif draw < 0.05:
            self._change(disposition=self._other_end())
            yield Step(at + self._minutes(30, 600), Trigger.UPDATED, self.visit)
        elif draw < 0.30:
            self._diagnose(complaint, "F")
            yield Step(at + self._minutes(200, 2400), Trigger.UPDATED, self.visit)

    def _admit(self, at: datetime, trigger: Trigger, place: str) -> Step:
        self._change(state=VisitState.IN_PROGRESS, admit_at=self._clock.wall(at))
        self._move(place)
        return Step(at, trigger, self.visit)

    def _leave(self, at: datetime, end: str) -> Step:
        self._change(state=VisitState.FINISHED, discharge_at=self._clock.wall(at), disposition=end)
        return Step(at, Trigger.DISCHARGED, self.visit)

    def _cancel(self, at: datetime) -> Step:
        self._change(state=VisitState.CANCELLED)
        return Step(at, Trigger.ADMISSION_CANCELLED, self.visit)

    def _change(self, **fields: object) -> None:
        self.visit = replace(self.visit, **fields)  # type: ignore[arg-type]

    def _move(self, place: str) -> None:
        self._change(place=place, places=(*self.visit.places, place))

    def _diagnose(self, complaint: Complaint, kind: str) -> None:
        """What they came for, and what they have anyway."""
        codes = dict.fromkeys((complaint.code, *self._person.conditions))
        texts = {complaint.code: complaint.text}
        self._change(
            diagnoses=tuple(
                Diagnosis(code=code, text=texts.get(code) or _TEXTS[code], type=kind)
                for code in codes
            )
        )

    # Chance.

    def _complaint(self) -> Complaint:
        """A flare of something the person has, where they have it; else something acute."""
        flares = [FLARES[code] for code in self._person.conditions if code in FLARES]
        if flares and self._happens(0.6):
            return self._chance.choice(flares)
        return _weighted(self._chance, ACUTE)

    def _bed(self) -> str:
        while True:
            ward = self._chance.choice(self._site.wards)
            bed = f"{ward}^{self._chance.randrange(101, 560)}^{self._chance.randrange(1, 3)}"
            if bed != self.visit.place:
                return bed

    def _day_of_leaving(self, at: datetime) -> datetime:
        """A stay of some three days, which ends between morning rounds and supper."""
        days = min(max(self._chance.lognormvariate(0.95, 0.6), 0.6), 14.0)
        local = (at + timedelta(days=days)).astimezone(self._site.zone)
        hour, minute = self._chance.randrange(10, 18), self._chance.randrange(60)
        leaves = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return max(leaves.astimezone(at.tzinfo), at + minutes(600))

    def _other_end(self) -> str:
        return "06" if self.visit.disposition == "01" else "01"

    def _may_die(self) -> bool:
        """Who is known at two sites under numbers that have nothing in common lives: after a death nobody could tell
        any more that the two are one person, and what is true of them would hang on which message came first.
        """
        numbers = {(r.insurance, r.birth_on) for r in self._person.registrations}
        is_one = len(self._person.registrations) == 1
        return is_one or (len(numbers) == 1 and next(iter(numbers))[0] != "")

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def _minutes(self, least: float, most: float) -> timedelta:
        return minutes(self._chance.uniform(least, most))


def _weighted(chance: random.Random, complaints: tuple[Complaint, ...]) -> Complaint:
    return chance.choices(complaints, [each.weight for each in complaints])[0]
