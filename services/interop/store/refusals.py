"""The newest refusals of each feed, and of senders that no feed knows."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    delete,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from libs.chassis.database import Transaction, every_field, param, sql
from services.interop.domain.message import Refusal

REFUSALS_KEPT = 1_000

metadata = MetaData()
_INSTANT = DateTime(timezone=True)

refusals = Table(
    "refusals",
    metadata,
    Column("id", Uuid),
    Column("feed_id", Uuid),
    Column("facility_id", Uuid),
    Column("refused_at", _INSTANT),
    Column("code", Text),
    Column("error_code", Integer),
    Column("reason", Text),
    Column("explanation", Text),
    Column("peer", Text),
    Column("size_bytes", BigInteger),
)

_most = param("most", type_=Integer)
ADD_REFUSAL = sql(insert(refusals).values(every_field(refusals)))
_whose = refusals.c.feed_id == param("feed_id", type_=Uuid)
_oldest_kept = (
    select(refusals.c.id)
    .where(_whose)
    .order_by(refusals.c.id.desc())
    .offset(param("kept", REFUSALS_KEPT - 1, type_=Integer))
    .limit(param("one", 1, type_=Integer))
    .scalar_subquery()
)
TRIM_REFUSALS = sql(delete(refusals).where(_whose, refusals.c.id < _oldest_kept))
REFUSALS = sql(
    select(refusals)
    .where(_whose, refusals.c.id < param("before", type_=Uuid))
    .order_by(refusals.c.id.desc())
    .limit(_most),
    row=Refusal,
)


class RefusalStore:
    """The newest refusals of each feed, and of senders that no feed knows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add_many(self, refused: Sequence[Refusal]) -> None:
        await self._tx.run_many(ADD_REFUSAL, refused)
        for feed_id in {refusal.feed_id for refusal in refused}:
            await self._tx.run(TRIM_REFUSALS, feed_id=feed_id)

    async def list_page(self, feed_id: UUID, before: UUID, most: int) -> list[Refusal]:
        """The newest first."""
        return await self._tx.fetch(REFUSALS, feed_id=feed_id, before=before, most=most)
