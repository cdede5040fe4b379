"""What differs between before and now, with the next version of whatever the others should hear of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from services.registry.domain.appointment import ToldAppointment
from services.registry.domain.encounter import Encounter
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient, Program

V = TypeVar("V", Encounter, ToldAppointment, Observation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Of `remembered` patients only the memory is better: nobody needs to hear of it."""

    told: tuple[Patient, ...]
    remembered: tuple[Patient, ...]
    programs: tuple[Program, ...]


def records_between(before: Mapping[UUID, Patient], now: Mapping[UUID, Patient]) -> Records:
    told, remembered, programs = [], [], list[Program]()
    for patient in now.values():
        was = before.get(patient.id)
        programs += _told_apart(patient, was)
        if was is None:
            told.append(patient)
        elif patient.differs_from(was):
            told.append(replace(patient, version=was.version + 1))
        elif patient.facts != was.facts:
            remembered.append(patient)
    return Records(told=tuple(told), remembered=tuple(remembered), programs=tuple(programs))


def born_otherwise(before: Mapping[UUID, Patient], now: Mapping[UUID, Patient]) -> Iterator[UUID]:
    """Patients, known before, of whom another day of birth is known now; and whoever a record that was merged lives on in."""
    for patient in now.values():
        was = before.get(patient.id)
        if was is None:
            continue
        if patient.person.birth_on != was.person.birth_on:
            yield patient.id
        if patient.merged_into_id and patient.merged_into_id != was.merged_into_id:
            yield patient.merged_into_id


def next_versions(before: Mapping[UUID, V], now: Mapping[UUID, V]) -> tuple[V, ...]:
    """Those of now that are new or differ."""
    found = []
    for each in now.values():
        was = before.get(each.id)
        if each != was:
            found.append(replace(each, version=was.version + 1 if was else 1))
    return tuple(found)


def _told_apart(patient: Patient, before: Patient | None) -> Iterator[Program]:
    """What programs told, with the next version of each."""
    known = before.programs if before else {}
    for facility_id, program in patient.programs.items():
        was = known.get(facility_id)
        if was is None or program.facts != was.facts:
            yield replace(program, version=was.version + 1 if was else 1)
