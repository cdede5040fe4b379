"""What neighbors tell: facilities, which record of a patient became part of which, and whom a patient forbids."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis import locks
from libs.chassis.access import denials
from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.referrals.domain.directory import Service
from services.referrals.domain.facility import Facility
from services.referrals.domain.referral import Referral

metadata = MetaData()
facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("name", Text),
    Column("time_zone", Text),
    Column("holiday_calendar", Text),
    Column("phone", Text),
)
merges = Table(
    "merges",
    metadata,
    Column("retired_id", Uuid, primary_key=True),
    Column("survivor_id", Uuid),
    Column("version", BigInteger),
)


_new = insert(facilities).values(every_field(facilities))
KEEP = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(facilities, "id")},
        where=facilities.c.version < _new.excluded.version,
    )
)
FACILITY = sql(select(facilities).where(facilities.c.id == param("id", type_=Uuid)), row=Facility)
_merge = insert(merges).values(every_field(merges))
MERGE = sql(
    _merge.on_conflict_do_update(
        index_elements=["retired_id"],
        set_={"survivor_id": _merge.excluded.survivor_id, "version": _merge.excluded.version},
        where=merges.c.version < _merge.excluded.version,
    )
)
SURVIVOR = sql(select(merges.c.survivor_id).where(merges.c.retired_id == param("id", type_=Uuid)))
_ids = param("ids", type_=ARRAY(Uuid))
LOCK = locks.IdLock(11)
# Who was merged into one that is now merged itself, leads on.
LEAD_ON = sql(
    update(merges)
    .where(merges.c.survivor_id == any_(_ids))
    .values(survivor_id=param("survivor_id", type_=Uuid))
)


# Whom the patient forbids in a way that no consent to this referral outweighs: that names them, or theirs, and weighs more.
BARRED = sql(
    select(denials.c.grantee_id)
    .where(
        denials.c.patient_id == param("patient_id", type_=Uuid),
        denials.c.grantee_id == any_(_ids),
        denials.c.weight > literal_column("1"),
        literal_column("denials.purposes && '{CARE_COORDINATION}'"),
        literal_column("denials.classes && '{DEMOGRAPHICS,REFERRALS}'"),
        literal_column("denials.labels").op("&&")(param("labels", type_=ARRAY(Text))),
        or_(
            denials.c.sources.is_(None),
            param("facility_id", type_=Uuid) == any_(denials.c.sources),
        ),
        or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
    )
    .distinct()
)


class NeighborStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, told: Iterable[Facility]) -> None:
        """Keep facilities as they were told last."""
        await self._tx.run_many(KEEP, list(told))

    async def facility(self, facility_id: UUID) -> Facility:
        """A facility; one that was not told of yet counts in UTC, without holidays."""
        return await self._tx.one_or_none(FACILITY, id=facility_id) or Facility(id=facility_id)

    async def merge(self, retired_id: UUID, survivor_id: UUID, version: int) -> UUID:
        """Keep that a record became part of another one; returns the one that all of them lead to."""
        survivor = await self.survivor(survivor_id)
        if survivor != retired_id:
            await self._tx.run(MERGE, retired_id=retired_id, survivor_id=survivor, version=version)
            await self._tx.run(LEAD_ON, ids=[retired_id], survivor_id=survivor)
        return survivor

    async def barred(self, referral: Referral, services: Iterable[Service]) -> set[UUID]:
        """Which of these services and of their organizations the patient forbids to be told of it, as identity told last.

        Nobody is asked because of it: identity is, before anybody is told anything.
        """
        ids = sorted({id for each in services for id in (each.id, each.organization_id)})
        return set(await self._tx.fetch(BARRED, referral, ids=ids))

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Be alone with these patients, and with whom their records live on in, until the transaction ends; who each of them
        is now. Whoever writes what is new of a patient is, and so is a merge: what is written meanwhile would stay behind.
        """
        return await locks.alone_with(patient_ids, self._survivors, self._lock)

    async def _survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        return {each: await self.survivor(each) for each in patient_ids}

    async def _lock(self, ids: Iterable[UUID]) -> None:
        await LOCK.take(self._tx, ids)

    async def survivor(self, patient_id: UUID) -> UUID:
        """The record that this one leads to by now: itself, if it was never merged."""
        return await self._tx.one_or_none(SURVIVOR, id=patient_id) or patient_id
