"""Results of laboratories in PostgreSQL, for people's requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, select, tuple_

from libs.chassis.database import Transaction, param, sql
from services.registry.domain.observation import Observation
from services.registry.store.schema import observations

_after = tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid))

PAGE = sql(
    select(observations)
    .where(
        observations.c.patient_id == param("patient_id", type_=Uuid),
        tuple_(observations.c.listed_at, observations.c.id) < _after,
    )
    .order_by(observations.c.listed_at.desc(), observations.c.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Observation,
)


class ObservationStore:
    """Results that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Observation]:
        """A patient's results, the newest specimen first, from before one of them on."""
        return await self._tx.fetch(
            PAGE, patient_id=patient_id, before_at=before[0], before_id=before[1], limit=limit
        )
