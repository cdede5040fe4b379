"""The accounts of patients in PostgreSQL."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, any_, delete, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import FailedPrecondition
from services.identity.domain.recorded import PatientAccount
from services.identity.store.schema import patient_accounts

_mine = patient_accounts.c.patient_id == param("patient_id", type_=Uuid)
GET = sql(select(patient_accounts).where(_mine), row=PatientAccount)
ABOUT = sql(
    select(patient_accounts)
    .where(patient_accounts.c.patient_id == any_(param("ids", type_=ARRAY(Uuid))))
    .order_by(patient_accounts.c.patient_id),
    row=PatientAccount,
)
ADD = sql(insert(patient_accounts).values(every_field(patient_accounts)).on_conflict_do_nothing())
DROP = sql(delete(patient_accounts).where(_mine))


class AccountStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, patient_id: UUID) -> PatientAccount | None:
        return await self._tx.one_or_none(GET, patient_id=patient_id)

    async def about(self, patient_ids: Collection[UUID]) -> list[PatientAccount]:
        return await self._tx.fetch(ABOUT, ids=list(patient_ids))

    async def add(self, account: PatientAccount) -> None:
        """Link it, unless another facility linked one: which, is not for everybody to know."""
        if await self._tx.run(ADD, account) != 1:
            raise FailedPrecondition(
                "ACCOUNT_LINKED_ELSEWHERE",
                "The patient has an account, linked at another facility.",
            )

    async def drop(self, patient_id: UUID) -> None:
        await self._tx.run(DROP, patient_id=patient_id)
