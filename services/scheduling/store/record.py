"""Encounters and merges as registry told of them, and the lock that keeps two hands off one patient."""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis import locks
from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.scheduling.domain.visit import Merge, Visit

metadata = MetaData()
visits = Table(
    "visits",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_id", Uuid),
    Column("patient_id", Uuid),
    Column("began_at", DateTime(timezone=True)),
    Column("died_at", DateTime(timezone=True)),
    Column("labels", ARRAY(Text)),
)
merges = Table(
    "merges",
    metadata,
    Column("retired_id", Uuid, primary_key=True),
    Column("survivor_id", Uuid),
)
_ids = param("ids", type_=ARRAY(Uuid))
_MOST_MERGES = 32  # a chain of merges longer than this is a circle

_new_visit = insert(visits).values(every_field(visits))
KEEP_VISIT = sql(
    _new_visit.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_visit.excluded[c.name] for c in fields_except(visits, "id")},
        where=visits.c.version < _new_visit.excluded.version,
    )
)
VISITS_OF = sql(
    select(visits).where(
        visits.c.patient_id == any_(_ids),
        or_(visits.c.began_at.is_not(None), visits.c.died_at.is_not(None)),
    ),
    row=Visit,
)
MOVE_VISITS = sql(
    update(visits)
    .where(visits.c.patient_id == param("retired_id", type_=Uuid))
    .values(patient_id=param("survivor_id", type_=Uuid))
)
_new_merge = insert(merges).values(every_field(merges))
KEEP_MERGE = sql(
    _new_merge.on_conflict_do_update(
        index_elements=["retired_id"], set_={"survivor_id": _new_merge.excluded.survivor_id}
    )
)


MERGED = sql(select(merges).where(merges.c.retired_id == any_(_ids)), row=Merge)
LOCK = locks.IdLock(11)


class RecordStore:
    """What registry told, newest only."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Be alone with the appointments of these until the transaction ends. Where each of them lives on."""
        return await locks.alone_with(patient_ids, self.survivors, partial(LOCK.take, self._tx))

    async def keep_visits(self, told: Sequence[Visit]) -> None:
        await self._tx.run_many(KEEP_VISIT, told)

    async def visits_of(self, patient_ids: Iterable[UUID]) -> list[Visit]:
        """What shows that patients came, or died."""
        return await self._tx.fetch(VISITS_OF, ids=sorted(set(patient_ids)))

    async def merge(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(KEEP_MERGE, retired_id=retired_id, survivor_id=survivor_id)

    async def move_visits(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(MOVE_VISITS, retired_id=retired_id, survivor_id=survivor_id)

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The record that each of these lives on in: itself, unless it was merged, perhaps more than once."""
        out = {patient_id: patient_id for patient_id in patient_ids}
        for _ in range(_MOST_MERGES):
            found = await self._tx.fetch(MERGED, ids=sorted(set(out.values())))
            known = {each.retired_id: each.survivor_id for each in found}
            following = {id: known[at] for id, at in out.items() if at in known}
            if not following:
                break
            out |= following
        return out
