"""What registry keeps of the feeds: which facilities are programs under 42 CFR Part 2, also in what people type in there."""

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Transaction, every_field, fields_except, sql
from services.registry.domain.program import KnownFeed
from services.registry.store.schema import feeds

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
# A feed is connected once; whether it is a program's is asked with every record that people add.
FRESH_SECONDS = 1.0


class FeedStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, told: Sequence[KnownFeed]) -> None:
        await self._tx.run_many(KEEP, told)

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
            self._known, self._read_at = await FeedStore(tx).programs(), now
        return facility_id in self._known
