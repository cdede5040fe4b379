"""What registry keeps of the feeds: which facilities are programs under 42 CFR Part 2, also in what people type in there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
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
IS_PROGRAM = sql(
    select(func.coalesce(func.bool_and(feeds.c.is_program), literal_column("false"))).where(
        param("facility_id", type_=Uuid) == any_(feeds.c.facility_ids)
    )
)


class FeedStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def keep(self, told: Sequence[KnownFeed]) -> None:
        await self._tx.run_many(KEEP, told)

    async def is_program(self, facility_id: UUID) -> bool:
        """Whether a facility has feeds, and none but those of a program under 42 CFR Part 2."""
        return await self._tx.one(IS_PROGRAM, facility_id=facility_id)
