"""Being alone with things by their ids until a transaction ends; and with patients, whose records may be merged meanwhile."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from sqlalchemy import Text, Uuid, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Transaction, param, sql


class IdLock:
    """One kind of lock on ids. Take all that a transaction needs at once: who takes one after the other may wait in a ring.

    `kind` keeps it apart from others in the same database. It never changes: processes of two releases wait for each other.
    """

    def __init__(self, kind: int) -> None:
        ids = func.unnest(param("ids", type_=ARRAY(Uuid)))
        key = func.hashtextextended(cast(ids, Text), literal_column(str(kind))).label("key")
        in_order = select(key).distinct().order_by(literal_column("1")).subquery()
        self._take = sql(select(func.pg_advisory_xact_lock(in_order.c.key)))

    async def take(self, tx: Transaction, ids: Iterable[UUID]) -> None:
        if in_order := sorted(set(ids)):
            await tx.fetch(self._take, ids=in_order)


async def alone_with(
    patient_ids: Iterable[UUID],
    survivors: Callable[[Iterable[UUID]], Awaitable[dict[UUID, UUID]]],
    lock: Callable[[Iterable[UUID]], Awaitable[None]],
) -> dict[UUID, UUID]:
    """Lock these patients, and of whom their records live on in; who each of them is now.

    While one waits for a lock a merge may come in between, and one more for the next: it ends when none did.
    """
    told, held = set(patient_ids), set[UUID]()
    now = await survivors(told)
    while missing := {*told, *now.values()} - held:
        await lock(missing)
        held |= missing
        now = await survivors(told)
    return now
