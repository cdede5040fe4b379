"""What neighbors told, newest only; and the lock that keeps two computations of one patient apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Integer,
    Subquery,
    Table,
    Uuid,
    any_,
    func,
    literal_column,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis import locks
from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.analytics.domain.record import (
    Facility,
    History,
    Known,
    KnownCriticalResult,
    KnownDischarge,
    KnownReferral,
    KnownVisit,
    Merge,
)
from services.analytics.store.schema import (
    critical_results,
    discharges,
    facilities,
    merges,
    referrals,
    visits,
)

_ids = param("ids", type_=ARRAY(Uuid))
_RECORD = (visits, discharges, referrals, critical_results)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The statements of one kind of what is known."""

    keep: Statement[Any]
    by_id: Statement[Any]
    by_patient: Statement[Any]


def _keep(table: Table) -> Statement[Any]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version < new.excluded.version,
        )
    )


def _shelf(table: Table, row: type[Any]) -> _Shelf:
    return _Shelf(
        keep=_keep(table),
        by_id=sql(select(table).where(table.c.id == any_(_ids)), row=row),
        by_patient=sql(
            select(table).where(table.c.patient_id == any_(_ids)).order_by(table.c.id), row=row
        ),
    )


KEEP_FACILITY = _keep(facilities)
FACILITIES = sql(select(facilities).where(facilities.c.id == any_(_ids)), row=Facility)
SHELVES: Mapping[type[Any], _Shelf] = {
    KnownVisit: _shelf(visits, KnownVisit),
    KnownDischarge: _shelf(discharges, KnownDischarge),
    KnownReferral: _shelf(referrals, KnownReferral),
    KnownCriticalResult: _shelf(critical_results, KnownCriticalResult),
}
_at_them = union(*(select(t.c.patient_id).where(t.c.facility_id == any_(_ids)) for t in _RECORD))
PATIENTS_AT = sql(_at_them)
_after, _limit = param("after", type_=Uuid), param("limit", type_=Integer)


def _next_of(table: Table) -> Subquery:
    """The next patients of one table, read from its index by patient no further than the page."""
    return (
        select(table.c.patient_id)
        .distinct()
        .where(table.c.patient_id > _after)
        .order_by(table.c.patient_id)
        .limit(_limit)
        .subquery()
    )


# So many of each table and not all of each: a page costs what is on it, however many come after.
_next = union(*(select(_next_of(table).c.patient_id) for table in _RECORD)).subquery()
PATIENTS_AFTER = sql(select(_next.c.patient_id).order_by(_next.c.patient_id).limit(_limit))
MERGES = sql(select(merges).where(merges.c.retired_id == any_(_ids)), row=Merge)
_merge = insert(merges).values(every_field(merges))
MERGE = sql(
    _merge.on_conflict_do_update(
        index_elements=["retired_id"], set_={"survivor_id": _merge.excluded.survivor_id}
    )
)


def _move(table: Table, column: str) -> Statement[Any]:
    return sql(
        update(table)
        .where(table.c[column] == param("retired", type_=Uuid))
        .values({column: param("survivor", type_=Uuid)})
    )


FOLLOW_ON = _move(merges, "survivor_id")
MOVES = tuple(_move(table, "patient_id") for table in _RECORD)
LOCK = locks.IdLock(13)
_everybody = func.hashtextextended(literal_column("'everybody'"), literal_column("13"))
NOT_EVERYBODY = sql(select(func.pg_advisory_xact_lock_shared(_everybody)))
EVERYBODY = sql(select(func.pg_advisory_xact_lock(_everybody)))


class RecordStore:
    """Visits, loops and referrals, as far as they are counted."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Be alone with what is computed of these patients, and of whom their records live on in, until the transaction
        ends; who each of them is now.
        """
        return await locks.alone_with(patient_ids, self.survivors, self._lock)

    async def _lock(self, patient_ids: Iterable[UUID]) -> None:
        await self._tx.fetch(NOT_EVERYBODY)
        await LOCK.take(self._tx, patient_ids)

    async def lock_everybody(self) -> None:
        """Be alone with all patients: one lock, however many they are."""
        await self._tx.fetch(EVERYBODY)

    async def keep_facilities(self, told: Sequence[Facility]) -> None:
        await self._tx.run_many(KEEP_FACILITY, told)

    async def known(self, kind: type[Known], ids: Iterable[UUID]) -> dict[UUID, Known]:
        """What is known of these visits, loops or referrals."""
        found: list[Known] = await self._tx.fetch(SHELVES[kind].by_id, ids=sorted(set(ids)))
        return {each.id: each for each in found}

    async def keep(self, kind: type[Known], told: Sequence[Known]) -> None:
        """Keep those that are newer than what is known."""
        await self._tx.run_many(SHELVES[kind].keep, told)

    async def patients_at(self, facility_ids: Iterable[UUID]) -> list[UUID]:
        return await self._tx.fetch(PATIENTS_AT, ids=sorted(set(facility_ids)))

    async def patients_after(self, patient_id: UUID, limit: int) -> list[UUID]:
        """The next of all patients of whom anything is known, by their ids."""
        return await self._tx.fetch(PATIENTS_AFTER, after=patient_id, limit=limit)

    async def zones(self, facility_ids: Iterable[UUID]) -> dict[UUID, str]:
        """The time zones of these facilities, as far as they are known."""
        found = await self._tx.fetch(FACILITIES, ids=sorted(set(facility_ids)))
        return {each.id: each.time_zone for each in found}

    async def histories(self, patient_ids: Iterable[UUID]) -> Mapping[UUID, History]:
        """All that is known of each of these patients."""
        ids = sorted(set(patient_ids))
        seen, left, asked, told = (
            defaultdict[UUID, list[KnownVisit]](list),
            defaultdict[UUID, list[KnownDischarge]](list),
            defaultdict[UUID, list[KnownReferral]](list),
            defaultdict[UUID, list[KnownCriticalResult]](list),
        )
        for visit in await self._tx.fetch(SHELVES[KnownVisit].by_patient, ids=ids):
            seen[visit.patient_id].append(visit)
        for discharge in await self._tx.fetch(SHELVES[KnownDischarge].by_patient, ids=ids):
            left[discharge.patient_id].append(discharge)
        for referral in await self._tx.fetch(SHELVES[KnownReferral].by_patient, ids=ids):
            asked[referral.patient_id].append(referral)
        for result in await self._tx.fetch(SHELVES[KnownCriticalResult].by_patient, ids=ids):
            told[result.patient_id].append(result)
        return {
            each: History(
                visits=seen[each],
                discharges=left[each],
                referrals=asked[each],
                critical_results=told[each],
            )
            for each in ids
        }

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The record that each of these lives on in: itself, unless it was merged."""
        ids = sorted(set(patient_ids))
        known = {m.retired_id: m.survivor_id for m in await self._tx.fetch(MERGES, ids=ids)}
        return {each: known.get(each, each) for each in ids}

    async def merge(self, merge: Merge) -> None:
        """Remember which record lives on in which, whatever order merges come in; and move what was told."""
        await self._tx.run(MERGE, merge)
        for move in (FOLLOW_ON, *MOVES):
            await self._tx.run(move, retired=merge.retired_id, survivor=merge.survivor_id)
