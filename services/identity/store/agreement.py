"""Agreements in PostgreSQL, and the lists of patients that some are about: a list is written anew, and read by the decider only."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, insert, select, tuple_, update

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.identity.domain.fact import Signed
from services.identity.store.schema import agreement_patients, agreements

_a = agreements.c


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    agreement_id: UUID
    roster: int
    patient_id: UUID


GET = sql(select(agreements).where(_a.id == param("id", type_=Uuid)), row=Signed)
ADD = sql(insert(agreements).values(every_field(agreements)))
SAVE = sql(
    update(agreements)
    .where(_a.id == param("id"), _a.version == param("version") - 1)
    .values(every_field(agreements))
)
LIST_PATIENT = sql(insert(agreement_patients).values(every_field(agreement_patients)).inline())
PAGE = sql(
    select(agreements)
    .where(
        tuple_(_a.title, _a.id)
        > tuple_(param("after_title", type_=Text), param("after_id", type_=Uuid))
    )
    .order_by(_a.title, _a.id)
    .limit(param("limit", type_=Integer)),
    row=Signed,
)


class AgreementStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, agreement_id: UUID) -> Signed | None:
        return await self._tx.one_or_none(GET, id=agreement_id)

    async def get(self, agreement_id: UUID) -> Signed:
        if agreement := await self.find(agreement_id):
            return agreement
        raise NotFound(
            "AGREEMENT_NOT_FOUND", "There is no such agreement.", agreement_id=str(agreement_id)
        )

    async def add(self, agreement: Signed, listed: Collection[UUID]) -> None:
        await self._tx.run(ADD, agreement)
        await self._list(agreement, listed)

    async def save(self, agreement: Signed, listed: Collection[UUID] = ()) -> None:
        """Write the next version, unless somebody else already did; with a list, if it is a new one."""
        if await self._tx.run(SAVE, agreement) != 1:
            raise Aborted(
                "STALE_AGREEMENT",
                "Somebody else changed the agreement.",
                agreement_id=str(agreement.id),
            )
        await self._list(agreement, listed)

    async def _list(self, agreement: Signed, listed: Collection[UUID]) -> None:
        if agreement.roster is not None:
            rows = [
                _Listed(agreement_id=agreement.id, roster=agreement.roster, patient_id=one)
                for one in sorted(listed)
            ]
            await self._tx.run_many(LIST_PATIENT, rows)

    async def list_page(self, after: tuple[str, UUID], limit: int) -> list[Signed]:
        return await self._tx.fetch(PAGE, after_title=after[0], after_id=after[1], limit=limit)
