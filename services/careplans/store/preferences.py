"""Preferences in PostgreSQL: one row for each facility that wrote some down."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, delete, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.careplans.domain.preferences import Preferences
from services.careplans.store.schema import preferences

_new = insert(preferences).values(every_field(preferences))
SAVE = sql(
    _new.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new.excluded[c.name] for c in fields_except(preferences, "id")},
        where=preferences.c.version < _new.excluded.version,
    )
)
OF = sql(
    select(preferences)
    .where(preferences.c.patient_id == param("patient_id", type_=Uuid))
    .order_by(preferences.c.updated_at.desc(), preferences.c.id),
    row=Preferences,
)
DROP = sql(delete(preferences).where(preferences.c.id == any_(param("ids", type_=ARRAY(Uuid)))))


class PreferenceStore:
    """Preferences that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, patient_id: UUID) -> list[Preferences]:
        """What was written down last comes first."""
        return await self._tx.fetch(OF, patient_id=patient_id)

    async def save(self, changed: Sequence[Preferences]) -> None:
        """Call it only while alone with the patient (NeighborStore.alone_with)."""
        await self._tx.run_many(SAVE, changed)

    async def drop(self, ids: Iterable[UUID]) -> None:
        """What another row of the same facility took the place of, in a merge."""
        if found := sorted(set(ids)):
            await self._tx.run(DROP, ids=found)
