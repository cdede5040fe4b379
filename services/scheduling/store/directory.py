"""Facilities and feeds as identity and interop told of them last."""

import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, Text, Uuid, any_, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.scheduling.domain.facility import Facility, KnownFeed

metadata = MetaData()
facilities = Table(
    "facilities",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("time_zone", Text),
)
feeds = Table(
    "feeds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_program", Boolean),
)


def _keep_newest(table: Table) -> Statement[Any]:
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=["id"],
            set_={c: new.excluded[c.name] for c in fields_except(table, "id")},
            where=table.c.version < new.excluded.version,
        )
    )


KEEP_FACILITY = _keep_newest(facilities)
KEEP_FEED = _keep_newest(feeds)
FACILITIES = sql(
    select(facilities).where(facilities.c.id == any_(param("ids", type_=ARRAY(Uuid)))),
    row=Facility,
)
_place = func.unnest(feeds.c.facility_ids).label("place")
_placed = select(_place, feeds.c.is_program).subquery()
PROGRAMS = sql(
    select(_placed.c.place).group_by(_placed.c.place).having(func.bool_and(_placed.c.is_program))
)
# A feed is connected once; whether it is a program's is asked with every booking.
FRESH_SECONDS = 1.0


class DirectoryStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def facilities(self, ids: Iterable[UUID]) -> dict[UUID, Facility]:
        found = await self._tx.fetch(FACILITIES, ids=sorted(set(ids)))
        return {facility.id: facility for facility in found}

    async def keep_facilities(self, told: Sequence[Facility]) -> set[UUID]:
        """Keep the newest of each; those whose clock is another one now, or the first that is known."""
        before = await self.facilities(each.id for each in told)
        await self._tx.run_many(KEEP_FACILITY, told)
        after = await self.facilities(each.id for each in told)
        return {
            id
            for id, facility in after.items()
            if id not in before or before[id].time_zone != facility.time_zone
        }

    async def keep_feeds(self, told: Sequence[KnownFeed]) -> None:
        await self._tx.run_many(KEEP_FEED, told)

    async def programs(self) -> frozenset[UUID]:
        """The facilities that have feeds, and none but those of a program under 42 CFR Part 2."""
        return frozenset(await self._tx.fetch(PROGRAMS))


class Programs:
    """Which facilities are programs, as it was a moment ago."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._known: frozenset[UUID] = frozenset()

    async def include(self, facility_id: UUID, tx: Transaction) -> bool:
        now = time.monotonic()
        if now - self._read_at > FRESH_SECONDS:
            self._known, self._read_at = await DirectoryStore(tx).programs(), now
        return facility_id in self._known
