"""Encounters in PostgreSQL, for people's requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, select, tuple_

from libs.chassis.database import Transaction, param, sql
from libs.chassis.errors import NotFound
from services.registry.domain.encounter import Encounter
from services.registry.store.schema import encounters

_after = tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid))
_shown = encounters.c.is_void.is_(False)

GET = sql(
    select(encounters).where(encounters.c.id == param("id", type_=Uuid), _shown), row=Encounter
)
PAGE = sql(
    select(encounters)
    .where(
        encounters.c.patient_id == param("patient_id", type_=Uuid),
        _shown,
        tuple_(encounters.c.listed_at, encounters.c.id) < _after,
    )
    .order_by(encounters.c.listed_at.desc(), encounters.c.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Encounter,
)


class EncounterStore:
    """Visits that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, encounter_id: UUID) -> Encounter:
        if encounter := await self._tx.one_or_none(GET, id=encounter_id):
            return encounter
        raise NotFound(
            "ENCOUNTER_NOT_FOUND", "There is no such visit.", encounter_id=str(encounter_id)
        )

    async def page(
        self, patient_id: UUID, before: tuple[datetime, UUID], limit: int
    ) -> list[Encounter]:
        """A patient's visits, the newest first, from before one of them on."""
        return await self._tx.fetch(
            PAGE, patient_id=patient_id, before_at=before[0], before_id=before[1], limit=limit
        )
