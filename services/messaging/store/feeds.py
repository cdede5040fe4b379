"""What messaging keeps of the feeds: which facilities are programs under 42 CFR Part 2, in what people write there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    Table,
    Uuid,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.messaging.domain.program import KnownFeed

feeds = Table(
    "feeds",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("facility_ids", ARRAY(Uuid)),
    Column("is_program", Boolean),
)
_new = insert(feeds).values(every_field(feeds))
KEEP = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(feeds, "id")},
        where=feeds.c.version < _new.excluded.version,
    )
)
_place = func.unnest(feeds.c.facility_ids).label("place")
_placed = select(_place, feeds.c.is_program).subquery()
PROGRAMS = sql(
    select(_placed.c.place).group_by(_placed.c.place).having(func.bool_and(_placed.c.is_program))
)
IS_PROGRAM = sql(
    select(func.coalesce(func.bool_and(_placed.c.is_program), literal_column("false"))).where(
        _placed.c.place == param("id", type_=Uuid)
    )
)
_programs = func.hashtextextended(literal_column("'programs'"), literal_column("11"))
WRITING = sql(select(func.pg_advisory_xact_lock_shared(_programs)))
TOLD = sql(select(func.pg_advisory_xact_lock(_programs)))


class FeedStore:
    """Whoever writes has the answer from before some news, and has written when that is kept; or has it from after."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, told: Sequence[KnownFeed]) -> frozenset[UUID]:
        """Keep the newest of each; the programs that were none before, and those that this tells of again."""
        await self._tx.fetch(TOLD)
        before = await self._programs()
        await self._tx.run_many(KEEP, told)
        now = await self._programs()
        return now - before | now & {place for each in told for place in each.facility_ids}

    async def _programs(self) -> frozenset[UUID]:
        return frozenset(await self._tx.fetch(PROGRAMS))

    async def is_program(self, facility_id: UUID) -> bool:
        """Whether a facility has feeds, and none but those of a program under 42 CFR Part 2; until the transaction ends.

        To be asked before one is alone with a patient: who takes the one after the other waits in no ring.
        """
        await self._tx.fetch(WRITING)
        return bool(await self._tx.one(IS_PROGRAM, id=facility_id))
