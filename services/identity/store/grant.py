"""Facts about patients, and the grants decided from them, in PostgreSQL.

The table `grants` is the one that every service has: elsewhere a projection, here the truth.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid, any_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.grants import grants
from services.identity.domain.grant import AccessFact, Grant
from services.identity.store.schema import access_facts

_IDS = param("ids", type_=ARRAY(Uuid))

FACTS_BY_ID = sql(select(access_facts).where(access_facts.c.id == any_(_IDS)), row=AccessFact)
FACTS_OF_PATIENTS = sql(
    select(access_facts).where(access_facts.c.patient_id == any_(_IDS)), row=AccessFact
)
SAVE_FACT = sql(
    insert(access_facts)
    .values(every_field(access_facts))
    .on_conflict_do_update(
        index_elements=["kind", "id"], set_=fields_except(access_facts, "kind", "id")
    )
)
GRANTS_OF_PATIENTS = sql(select(grants).where(grants.c.patient_id == any_(_IDS)), row=Grant)
SAVE_GRANT = sql(
    insert(grants)
    .values(every_field(grants))
    .on_conflict_do_update(index_elements=["id"], set_=fields_except(grants, "id"))
)
# Row-level security confirms the facilities; naming them here as well lets the index find them.
VISIBLE_AMONG = sql(
    select(grants.c.patient_id)
    .distinct()
    .where(
        grants.c.patient_id == any_(_IDS),
        grants.c.facility_id == any_(param("facilities", type_=ARRAY(Uuid))),
        grants.c.is_active,
        or_(
            grants.c.expires_at.is_(None),
            grants.c.expires_at > param("at", type_=DateTime(timezone=True)),
        ),
    )
)


class GrantStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def facts_by_id(self, fact_ids: Iterable[UUID]) -> list[AccessFact]:
        return await self._tx.fetch(FACTS_BY_ID, ids=list(fact_ids))

    async def facts_of(self, patient_ids: Iterable[UUID]) -> list[AccessFact]:
        return await self._tx.fetch(FACTS_OF_PATIENTS, ids=list(patient_ids))

    async def save_facts(self, facts: Sequence[AccessFact]) -> None:
        await self._tx.run_many(SAVE_FACT, facts)

    async def grants_of(self, patient_ids: Iterable[UUID]) -> list[Grant]:
        """Every grant of these patients, ended ones too."""
        return await self._tx.fetch(GRANTS_OF_PATIENTS, ids=list(patient_ids))

    async def save_grants(self, decided: Sequence[Grant]) -> None:
        await self._tx.run_many(SAVE_GRANT, decided)

    async def visible_among(
        self, patient_ids: Iterable[UUID], facilities: Collection[UUID], at: datetime
    ) -> frozenset[UUID]:
        found = await self._tx.fetch(
            VISIBLE_AMONG, ids=list(patient_ids), facilities=list(facilities), at=at
        )
        return frozenset(found)
