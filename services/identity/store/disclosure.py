"""What has left the network, in PostgreSQL: written by the service itself, never changed, read by privacy officers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, Integer, Uuid, insert, or_, select, tuple_

from libs.chassis.database import Transaction, every_field, param, sql
from services.identity.domain.disclosure import Disclosure
from services.identity.store.schema import disclosures

_d = disclosures.c
ADD = sql(insert(disclosures).values(every_field(disclosures)))
BY_ID = sql(select(disclosures).where(_d.id == param("id", type_=Uuid)), row=Disclosure)
PAGE = sql(
    select(disclosures)
    .where(
        _d.patient_id == param("patient_id", type_=Uuid),
        _d.at > param("since", type_=DateTime(timezone=True)),
        or_(~param("only_accountable", type_=Boolean), _d.is_accountable),
        or_(~param("only_part2", type_=Boolean), _d.is_part2),
        tuple_(_d.at, _d.id)
        < tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)),
    )
    .order_by(_d.at.desc(), _d.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Disclosure,
)


class DisclosureStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, id: UUID) -> list[Disclosure]:
        """What has left under an id, of each patient."""
        return await self._tx.fetch(BY_ID, id=id)

    async def add(self, told: Sequence[Disclosure]) -> None:
        await self._tx.run_many(ADD, told)

    async def list_page(
        self,
        patient_id: UUID,
        before: tuple[datetime, UUID],
        limit: int,
        *,
        since: datetime,
        only_accountable: bool,
        only_part2: bool,
    ) -> list[Disclosure]:
        return await self._tx.fetch(
            PAGE,
            patient_id=patient_id,
            before_at=before[0],
            before_id=before[1],
            limit=limit,
            since=since,
            only_accountable=only_accountable,
            only_part2=only_part2,
        )
