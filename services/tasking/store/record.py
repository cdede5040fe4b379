"""Patients and encounters as registry told last, and the lock that keeps two plans of one patient apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    null,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis import locks
from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.tasking.domain.snapshot import (
    EncounterSnapshot,
    GlassSnapshot,
    PatientSnapshot,
    ProgramSnapshot,
)
from services.tasking.store.told import SOURCES

metadata = MetaData()
patients = Table(
    "patients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("name", Text),
    Column("language", Text),
    Column("is_deceased", Boolean),
    Column("died_at", DateTime(timezone=True)),
    Column("merged_into_id", Uuid),
    Column("facility_ids", ARRAY(Uuid)),
)
# What programs under 42 CFR Part 2 told of patients: row-level security keeps each to its program.
program_patients = Table(
    "program_patients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("name", Text),
    Column("language", Text),
    Column("is_deceased", Boolean),
    Column("died_at", DateTime(timezone=True)),
)
encounters = Table(
    "encounters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("visit_class", Text),
    Column("state", Text),
    Column("admitted_at", DateTime(timezone=True)),
    Column("discharged_at", DateTime(timezone=True)),
    Column("disposition", Text),
    Column("diagnoses", ARRAY(Text)),
    Column("admission_type", Text),
    Column("labels", ARRAY(Text)),
    Column("waits_for", Text),
)
glasses = Table(
    "glasses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("patient_id", Uuid),
    Column("facility_id", Uuid),
    Column("opened_at", DateTime(timezone=True)),
    Column("is_part2_emergency", Boolean),
    Column("uses_in_30_days", Integer),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("reviewed_by_id", Uuid),
    Column("waits_for", Text),
)
_ids = param("ids", type_=ARRAY(Uuid))
_MOST_MERGES = 32  # a chain of merges longer than this is a circle

_new_patient = insert(patients).values(every_field(patients))
KEEP_PATIENT = sql(
    _new_patient.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_patient.excluded[c.name] for c in fields_except(patients, "id")},
        where=patients.c.version < _new_patient.excluded.version,
    )
)
# The merge and the retired patient's own snapshot can carry one version: the merge is part of it.
RETIRE_PATIENT = sql(
    _new_patient.on_conflict_do_update(
        index_elements=["id"],
        set_={
            patients.c.merged_into_id: _new_patient.excluded.merged_into_id,
            patients.c.version: func.greatest(patients.c.version, _new_patient.excluded.version),
        },
        where=patients.c.version <= _new_patient.excluded.version,
    )
)
PATIENTS = sql(select(patients).where(patients.c.id == any_(_ids)), row=PatientSnapshot)
_new_program = insert(program_patients).values(every_field(program_patients))
KEEP_PROGRAM = sql(
    _new_program.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_program.excluded[c.name] for c in fields_except(program_patients, "id")},
        where=program_patients.c.version < _new_program.excluded.version,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Name:
    patient_id: UUID
    facility_id: UUID | None
    name: str


NAMES = sql(
    union_all(
        select(
            patients.c.id.label("patient_id"),
            null().cast(Uuid).label("facility_id"),
            patients.c.name.label("name"),
        ).where(patients.c.id == any_(_ids)),
        select(
            program_patients.c.patient_id, program_patients.c.facility_id, program_patients.c.name
        ).where(program_patients.c.patient_id == any_(_ids)),
    ),
    row=_Name,
)
PROGRAMS = sql(
    select(program_patients).where(program_patients.c.patient_id == any_(_ids)), row=ProgramSnapshot
)
_new_encounter = insert(encounters).values(every_field(encounters))
KEEP_ENCOUNTER = sql(
    _new_encounter.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_encounter.excluded[c.name] for c in fields_except(encounters, "id")},
        where=encounters.c.version < _new_encounter.excluded.version,
    )
)
ENCOUNTERS = sql(select(encounters).where(encounters.c.id == any_(_ids)), row=EncounterSnapshot)
ENCOUNTERS_OF = sql(
    select(encounters).where(encounters.c.patient_id == any_(_ids)).order_by(encounters.c.id),
    row=EncounterSnapshot,
)
MOVE_ENCOUNTERS = sql(
    update(encounters)
    .where(encounters.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)
WAIT = sql(
    update(encounters).where(encounters.c.id == param("id")).values(waits_for=param("waits_for"))
)
_new_glass = insert(glasses).values(every_field(glasses))
KEEP_GLASS = sql(
    _new_glass.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_glass.excluded[c.name] for c in fields_except(glasses, "id")},
        where=glasses.c.version < _new_glass.excluded.version,
    )
)
GLASSES_OF = sql(
    select(glasses).where(glasses.c.patient_id == any_(_ids)).order_by(glasses.c.id),
    row=GlassSnapshot,
)
MOVE_GLASSES = sql(
    update(glasses)
    .where(glasses.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id"))
)
WAIT_GLASS = sql(
    update(glasses).where(glasses.c.id == param("id")).values(waits_for=param("waits_for"))
)


def _waiting(table: Table, *here: ColumnElement[bool]) -> Select[tuple[UUID]]:
    return select(table.c.patient_id).where(table.c.waits_for != literal_column("''"), *here)


_subjects = (encounters, glasses, *SOURCES)
WAITING_AT = sql(union(*(_waiting(t, t.c.facility_id == any_(_ids)) for t in _subjects)))
WAITING = sql(union(*(_waiting(table) for table in _subjects)))
LOCK = locks.IdLock(7)


class RecordStore:
    """What registry told, newest only."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def lock_patients(self, patient_ids: Iterable[UUID]) -> None:
        """Be alone with the loops of these patients until the transaction ends. Everybody who changes a loop is."""
        await LOCK.take(self._tx, patient_ids)

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The same, with whom their records live on in, too; who each of them is now."""
        return await locks.alone_with(patient_ids, self.survivors, self.lock_patients)

    async def keep_patients(self, snapshots: Sequence[PatientSnapshot]) -> None:
        await self._tx.run_many(KEEP_PATIENT, snapshots)

    async def retire_patient(self, retired: PatientSnapshot) -> None:
        await self._tx.run(RETIRE_PATIENT, retired)

    async def keep_encounters(self, snapshots: Sequence[EncounterSnapshot]) -> None:
        await self._tx.run_many(KEEP_ENCOUNTER, snapshots)

    async def patients(self, ids: Iterable[UUID]) -> dict[UUID, PatientSnapshot]:
        found = await self._tx.fetch(PATIENTS, ids=sorted(set(ids)))
        return {patient.id: patient for patient in found}

    async def keep_programs(self, snapshots: Sequence[ProgramSnapshot]) -> None:
        await self._tx.run_many(KEEP_PROGRAM, snapshots)

    async def programs(
        self, patient_ids: Iterable[UUID]
    ) -> dict[tuple[UUID, UUID], ProgramSnapshot]:
        """What programs told of these patients, by patient and facility."""
        found = await self._tx.fetch(PROGRAMS, ids=sorted(set(patient_ids)))
        return {(each.patient_id, each.facility_id): each for each in found}

    async def names_of(self, patient_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID | None], str]:
        """The names of these patients, by patient; and as a program knows them, by patient and its facility."""
        found = await self._tx.fetch(NAMES, ids=sorted(set(patient_ids)))
        return {(each.patient_id, each.facility_id): each.name for each in found}

    async def encounters(self, ids: Iterable[UUID]) -> list[EncounterSnapshot]:
        return await self._tx.fetch(ENCOUNTERS, ids=sorted(set(ids)))

    async def encounters_of(self, patient_ids: Iterable[UUID]) -> list[EncounterSnapshot]:
        return await self._tx.fetch(ENCOUNTERS_OF, ids=sorted(set(patient_ids)))

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The record that each of these lives on in: itself, unless it was merged, perhaps more than once."""
        out = {patient_id: patient_id for patient_id in patient_ids}
        for _ in range(_MOST_MERGES):
            known = await self.patients(out.values())
            moved = {i: known[at].merged_into_id for i, at in out.items() if at in known}
            following = {i: to for i, to in moved.items() if to is not None}
            if not following:
                break
            out |= following
        return out

    async def keep_glasses(self, snapshots: Sequence[GlassSnapshot]) -> None:
        await self._tx.run_many(KEEP_GLASS, snapshots)

    async def glasses_of(self, patient_ids: Iterable[UUID]) -> list[GlassSnapshot]:
        return await self._tx.fetch(GLASSES_OF, ids=sorted(set(patient_ids)))

    async def move(self, retired_id: UUID, survivor_id: UUID) -> None:
        """Give the encounters and emergencies of a retired record to the one that it lives on in."""
        for statement in (MOVE_ENCOUNTERS, MOVE_GLASSES):
            await self._tx.run(statement, retired_id=retired_id, survivor_id=survivor_id)

    async def wait(self, waiting: Sequence[EncounterSnapshot | GlassSnapshot]) -> None:
        """Note what has to be known before these can be planned; nothing, once they are."""
        visits = [each for each in waiting if isinstance(each, EncounterSnapshot)]
        await self._tx.run_many(WAIT, visits)
        await self._tx.run_many(
            WAIT_GLASS, [each for each in waiting if isinstance(each, GlassSnapshot)]
        )

    async def waiting_at(self, facility_ids: Iterable[UUID] | None) -> list[UUID]:
        """The patients with something that could not be planned yet, at these facilities or at any."""
        if facility_ids is None:
            return await self._tx.fetch(WAITING)
        return await self._tx.fetch(WAITING_AT, ids=sorted(set(facility_ids)))
