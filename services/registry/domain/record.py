"""Where a report meets what is known: the part of the registry that a batch of reports touches, in memory.

The store fills a Record with everything that the reports' keys lead to, the reports are applied one by one, and the
store writes what changed. Nothing here waits or asks, so the whole of it runs in property tests as it does in production.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.registry.domain import appointment as appointments
from services.registry.domain import identity, observation
from services.registry.domain.appointment import appointment_id, learn
from services.registry.domain.demographics import Facts
from services.registry.domain.difference import next_versions, records_between
from services.registry.domain.encounter import Encounter, EncounterState
from services.registry.domain.filing import filed, is_about_the_person
from services.registry.domain.keys import stand_in_of
from services.registry.domain.known import Changes, Joined, Known, Link, was_retired_into
from services.registry.domain.matching import Matcher, are_several, contradict, meant
from services.registry.domain.minors import of_age
from services.registry.domain.patient import Patient
from services.registry.domain.report import (
    AppointmentReport,
    Handled,
    Merge,
    MergeReport,
    Outcome,
    Person,
    PersonReport,
    Report,
    ResultReport,
    Source,
    VisitReport,
    answer,
)
from services.registry.domain.results import Results
from services.registry.domain.told import FOLLOWED, VisitMessage
from services.registry.domain.visit import Folded, fold

_ABOUT_MERGES = frozenset({"A40"})
# Of the pairs of one merge message the one that somebody has to look at decides what became of it.
_GRAVEST = (Outcome.PARKED, Outcome.APPLIED, Outcome.NO_OP)


# The events of a kind of report that are followed, and what takes them.
_Taking = tuple[frozenset[str], Callable[[Any], Handled]]


class _Parked(Exception):
    """Ends the taking of a report before it has changed anything; never leaves this file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Record:
    def __init__(
        self, known: Known, matcher: Matcher, new_id: Callable[[], UUID], at: datetime
    ) -> None:
        self._known = known
        self._matcher = matcher
        self._new_id = new_id
        self._at = at
        self._handled = dict(known.handled)
        self._links = dict(known.links)
        self._messages = {m.message_id: m for m in known.messages}
        self._joined: list[Joined] = []
        self._takes: dict[type[Report], _Taking] = {
            MergeReport: (_ABOUT_MERGES, self._take_merges),
            AppointmentReport: (appointments.FOLLOWED, self._take_appointment),
            ResultReport: (observation.FOLLOWED, self._take_results),
            VisitReport: (FOLLOWED, self._take_visit),
        }
        self.patients = dict(known.patients)
        self.encounters = dict(known.encounters)
        self.appointments = dict(known.appointments)
        self.results = Results(known.observations, self._born_on)
        # The same by what they are looked for.
        self._contents = {
            (h.facility_id, h.content_hash): h.message_id
            for h in known.handled.values()
            if h.reason != "DUPLICATE"
        }
        self._streams: dict[UUID, dict[UUID, VisitMessage]] = {}
        for message in self._messages.values():
            self._streams.setdefault(message.stream_id, {})[message.message_id] = message
        self._visits: dict[UUID, set[UUID]] = {}
        for encounter in self.encounters.values():
            self._visits.setdefault(encounter.stream_id, set()).add(encounter.id)
        self._described: dict[UUID, set[UUID]] = {}
        for patient in self.patients.values():
            self._describe(patient)

    def apply(self, report: Report) -> Handled | None:
        """Take one report. What became of it, or None if that was answered before."""
        source = report.source
        earlier = self._handled.get(source.message_id)
        if earlier and earlier.version >= source.version:
            return None
        content = (source.facility_id, source.content_hash)
        if self._contents.setdefault(content, source.message_id) != source.message_id:
            handled = answer(source, Outcome.NO_OP, "DUPLICATE")
        else:
            try:
                handled = self._take(report)
            except _Parked as parked:
                handled = answer(source, Outcome.PARKED, parked.reason)
        self._handled[source.message_id] = handled
        return handled

    def changes(self) -> Changes:
        """What is to be written, with the next version of whatever the others should hear of."""
        known = self._known
        patients = records_between(known.patients, self.patients)
        visits = {id: self._of_age(each) for id, each in self.encounters.items()}
        stored = {m.message_id: m for m in known.messages}
        return Changes(
            handled=tuple(h for i, h in self._handled.items() if h != known.handled.get(i)),
            links=tuple(link for key, link in self._links.items() if link != known.links.get(key)),
            patients=patients.told,
            remembered=patients.remembered,
            programs=patients.programs,
            joined=tuple(self._joined),
            messages=tuple(m for i, m in self._messages.items() if m != stored.get(i)),
            encounters=next_versions(known.encounters, visits),
            appointments=next_versions(known.appointments, self.appointments),
            observations=self.results.changes(),
        )

    def _take(self, report: Report) -> Handled:
        source = report.source
        if isinstance(report, PersonReport | VisitReport) and is_about_the_person(report):
            return self._take_person(source, report.person)
        if taking := self._takes.get(type(report)):
            followed, take = taking
            if source.trigger in followed:
                return take(report)
        return answer(source, Outcome.NO_OP, "EVENT_NOT_FOLLOWED")

    def _take_person(self, source: Source, person: Person) -> Handled:
        patient = self._identify(identity.person_keys(person), person, source)
        return answer(source, Outcome.APPLIED, patient_id=patient.id)

    def _take_visit(self, report: VisitReport) -> Handled:
        source = report.source
        before = self.patients.copy()
        patient = self._identify(self._visitor_keys(report), report.person, source)
        message = filed(report, patient.id)
        folded, is_changed = self._file(message)
        was = before.get(patient.id)
        reason = folded.ignored.get(source.message_id, "")
        if is_changed or was is None or patient.differs_from(was) or patient.person != was.person:
            reason = ""
        return answer(
            source,
            Outcome.NO_OP if reason else Outcome.APPLIED,
            reason,
            patient_id=patient.id,
            encounter_id=folded.visits.get(source.message_id),
        )

    def _take_appointment(self, report: AppointmentReport) -> Handled:
        """Keep what it says. Whose it is counts by the newest message, too: one may have been booked for another person."""
        source, person = report.source, report.person
        before = self.patients.copy()
        patient = self._identify(identity.person_keys(person), person, source)
        key = appointment_id(source.facility_id, report.appointment.number)
        known = self.appointments.get(key)
        self.appointments[key] = learn(known, report, patient.id)
        was = before.get(patient.id)
        is_news = self.appointments[key] != known or was is None or patient.person != was.person
        return answer(
            source,
            Outcome.APPLIED if is_news else Outcome.NO_OP,
            "" if is_news else "NOTHING_NEW",
            patient_id=patient.id,
        )

    def _take_results(self, report: ResultReport) -> Handled:
        source, person = report.source, report.person
        before, keys = self.patients.copy(), identity.person_keys(report.person)
        patient = self._identify(keys, person, source)
        key = keys[0] if keys else patient.id
        is_news = self.results.take(report, patient.id, key, self._current)
        was = before.get(patient.id)
        is_news = is_news or was is None or patient.person != was.person
        return answer(
            source,
            Outcome.APPLIED if is_news else Outcome.NO_OP,
            "" if is_news else "NOTHING_NEW",
            patient_id=patient.id,
        )

    def _visitor_keys(self, report: VisitReport) -> tuple[UUID, ...]:
        """The person's keys; where a message has none, its visit number stands in.

        So a visit leads to its patient, and to a record that knows no number of the person it may be joined.
        """
        keys, stand_in = identity.person_keys(report.person), stand_in_of(report)
        if stand_in is None:
            return keys
        link = self._links.get(stand_in)
        if link and keys:
            known = self.patients[self._current(link.patient_id)].person
            if identity.person_keys(known):
                return keys
        return (*keys, stand_in)

    def _take_merges(self, report: MergeReport) -> Handled:
        results = [self._try_merge(report.source, merge) for merge in report.merges]
        if not results:
            return answer(report.source, Outcome.PARKED, "MERGE_EMPTY")
        return min(results, key=lambda handled: _GRAVEST.index(handled.outcome))

    def _try_merge(self, source: Source, merge: Merge) -> Handled:
        try:
            return self._take_merge(source, merge)
        except _Parked as parked:
            return answer(source, Outcome.PARKED, parked.reason)

    def _take_merge(self, source: Source, merge: Merge) -> Handled:
        survivor_keys = identity.own_keys(merge.survivor.identifiers)
        retired_keys = identity.own_keys(merge.retired)
        if not survivor_keys or not retired_keys:
            raise _Parked("MERGE_NOT_IDENTIFIED")
        retired_keys = tuple(key for key in retired_keys if key not in survivor_keys)
        if any(was_retired_into(self._links, s, r) for s in survivor_keys for r in retired_keys):
            raise _Parked("MERGE_CYCLE")
        keys = identity.person_keys(merge.survivor)
        involved = self._meant((*keys, *retired_keys), merge.survivor)
        # Of people whom it knows, a facility is believed that they are one, however they were described.
        if any(source.facility_id not in patient.known_at for patient in involved):
            _check_joinable(involved)
        survivor = self._identify(keys, merge.survivor, source)
        news = [self._retire(k, survivor_keys[0], survivor.id, source) for k in retired_keys]
        self._learn(self.patients[survivor.id], Person(identifiers=merge.retired), source)
        if any(news):
            return answer(source, Outcome.APPLIED, patient_id=survivor.id)
        return answer(source, Outcome.NO_OP, "ALREADY_MERGED", patient_id=survivor.id)

    def _retire(self, key: UUID, into: UUID, survivor_id: UUID, source: Source) -> bool:
        """Let a number lead to the survivor, whether anybody was known by it yet or not. False if it already does."""
        link = self._links.get(key)
        if link:
            self._join(link.patient_id, survivor_id, source, "MERGE_REPORTED")
        self._links[key] = Link(key=key, patient_id=survivor_id, retired_into=into)
        return link is None or link.retired_into is None

    def _identify(self, keys: tuple[UUID, ...], person: Person, source: Source) -> Patient:
        """Whose record is meant, made if it is new, after it has learned what the message tells.

        A message with numbers of several records shows that they are one person's: the oldest record stays. It is
        parked if it says too little to tell anybody from anybody else, or if it contradicts what its numbers say.
        """
        known = self._meant(keys, person)
        _check_joinable(known)
        if any(
            contradict(person, patient.person) and not self._corrects(patient, keys, person, source)
            for patient in known
        ):
            raise _Parked("PERSON_CONTRADICTS")
        if not known and (match := self._matched(person)):
            known = [match]
        if known:
            patient = known[0]
            for other in known[1:]:
                self._join(other.id, patient.id, source, "SHARED_NUMBER")
            patient = self.patients[patient.id]
        elif keys or identity.described_key(person):
            patient = Patient(
                id=self._new_id(), facts=Facts(), facility_ids=(), created_at=self._at
            )
        else:
            raise _Parked("PERSON_NOT_IDENTIFIED")
        for key in keys:
            self._links.setdefault(key, Link(key=key, patient_id=patient.id))
        return self._learn(patient, person, source)

    def _meant(self, keys: tuple[UUID, ...], person: Person) -> list[Patient]:
        """The records that the keys of a person mean, the oldest first."""
        lent = identity.lent_keys(person)
        known = self._led_to([key for key in keys if key not in lent])
        return meant(person, known, self._led_to(lent))

    def _led_to(self, keys: Iterable[UUID]) -> list[Patient]:
        """The records that the keys lead to, the oldest first."""
        ids = {self._current(self._links[key].patient_id) for key in keys if key in self._links}
        return sorted((self.patients[i] for i in ids), key=lambda p: (p.created_at, p.id))

    def _corrects(
        self, patient: Patient, keys: tuple[UUID, ...], person: Person, source: Source
    ) -> bool:
        """Whether a facility describes anew somebody whom it knows: by the numbers that are known, no more and no less.

        With another number, or with one of several, it may mean somebody else. Numbers that a merge retired are its word.
        """
        if source.facility_id not in patient.known_at:
            return False
        if all(key in self._links and self._links[key].retired_into for key in keys):
            return True
        said, known = (set(identity.own_keys(p.identifiers)) for p in (person, patient.person))
        return bool(said) and said == known

    def _learn(self, patient: Patient, person: Person, source: Source) -> Patient:
        is_program = source.provenance.is_part2_program
        patient = patient.learn(person, source.stamp, source.facility_id, is_program=is_program)
        self.patients[patient.id] = patient
        self._describe(patient)
        return patient

    def _describe(self, patient: Patient) -> None:
        if patient.merged_into_id is None:
            for key in self._matcher.candidates(patient.person):
                self._described.setdefault(key, set()).add(patient.id)

    def _matched(self, person: Person) -> Patient | None:
        ids = {i for key in self._matcher.candidates(person) for i in self._described.get(key, ())}
        known = {self._current(i) for i in ids}
        return self._matcher.decide(person, [self.patients[i] for i in sorted(known)])

    def _join(self, patient_id: UUID, survivor_id: UUID, source: Source, reason: str) -> None:
        """Let everything of one record belong to another one."""
        retired = self.patients[self._current(patient_id)]
        if retired.id == survivor_id:
            return
        self.patients[survivor_id] = self.patients[survivor_id].absorb(retired)
        self.patients[retired.id] = retired.retire(survivor_id)
        for key, link in self._links.items():
            if link.patient_id == retired.id:
                self._links[key] = replace(link, patient_id=survivor_id)
        for encounter in self.encounters.values():
            if encounter.patient_id == retired.id:
                self.encounters[encounter.id] = replace(encounter, patient_id=survivor_id)
        self.results.move(retired.id, survivor_id)
        self._joined.append(
            Joined(
                retired_id=retired.id,
                survivor_id=survivor_id,
                facility_id=source.facility_id,
                message_id=source.message_id,
                reason=reason,
                merged_at=self._at,
            )
        )

    def _current(self, patient_id: UUID) -> UUID:
        """The record that an id leads to, over any number of merges."""
        patient = self.patients[patient_id]
        while patient.merged_into_id is not None:
            patient = self.patients[patient.merged_into_id]
        return patient.id

    def _file(self, message: VisitMessage) -> tuple[Folded, bool]:
        """Keep a message and fold its stream anew. Whether that changed any visit."""
        before = self._messages.get(message.message_id)
        self._messages[message.message_id] = message
        moved = False
        if before and before.stream_id != message.stream_id:  # a replay reads it differently
            del self._streams[before.stream_id][message.message_id]
            _, moved = self._refold(before.stream_id)
        self._streams.setdefault(message.stream_id, {})[message.message_id] = message
        folded, is_changed = self._refold(message.stream_id)
        return folded, is_changed or moved

    def _refold(self, stream_id: UUID) -> tuple[Folded, bool]:
        folded = fold(self._streams[stream_id].values(), self._current)
        now = {encounter.id: encounter for encounter in folded.encounters}
        ids = self._visits.setdefault(stream_id, set())
        for void in ids - now.keys():
            now[void] = replace(self.encounters[void], state=EncounterState.CANCELLED, is_void=True)
        ids.update(now)
        is_changed = False
        for encounter in now.values():
            before = self.encounters.get(encounter.id)
            known = self._of_age(replace(encounter, version=before.version if before else 1))
            is_changed = is_changed or known != before
            self.encounters[encounter.id] = known
        return folded, is_changed

    def _of_age(self, visit: Encounter) -> Encounter:
        return of_age(visit, lambda: self._born_on(visit.patient_id))

    def _born_on(self, patient_id: UUID) -> str:
        return self.patients[self._current(patient_id)].person.birth_on


def _check_joinable(patients: Sequence[Patient]) -> None:
    """Refuse to make one person of two who cannot be one: it harms both, and a record more harms less."""
    if are_several([patient.person for patient in patients]):
        raise _Parked("PERSON_CONTRADICTS")
