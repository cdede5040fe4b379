"""Organizations in PostgreSQL."""

from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, insert, select, tuple_

from libs.chassis.database import Transaction, every_field, param, sql
from services.identity.domain.organization import Organization
from services.identity.store.schema import organizations

GET = sql(
    select(organizations).where(organizations.c.id == param("id", type_=Uuid)), row=Organization
)
ADD = sql(insert(organizations).values(every_field(organizations)))
PAGE = sql(
    select(organizations)
    .where(
        tuple_(organizations.c.name, organizations.c.id)
        > tuple_(param("after_name", type_=Text), param("after_id", type_=Uuid))
    )
    .order_by(organizations.c.name, organizations.c.id)
    .limit(param("limit", type_=Integer)),
    row=Organization,
)


class OrganizationStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, organization_id: UUID) -> Organization | None:
        return await self._tx.one_or_none(GET, id=organization_id)

    async def add(self, organization: Organization) -> None:
        await self._tx.run(ADD, organization)

    async def list_page(self, after: tuple[str, UUID], limit: int) -> list[Organization]:
        return await self._tx.fetch(PAGE, after_name=after[0], after_id=after[1], limit=limit)
