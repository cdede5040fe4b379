"""What people have recorded about patients, of which access is decided."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from libs.chassis.database import Transaction
from services.identity.domain.fact import Recorded
from services.identity.store.break_glass import GlassStore

NOTHING = Recorded()


class RecordedStore:
    """Each sort of record has a store of its own; this one brings them together for the decider."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def about(self, patient_ids: Collection[UUID]) -> dict[UUID, Recorded]:
        """Of those about whom anything was recorded."""
        recorded: dict[UUID, Recorded] = {}
        for patient_id, found in (await GlassStore(self._tx).emergencies_of(patient_ids)).items():
            recorded[patient_id] = replace(recorded.get(patient_id, NOTHING), emergencies=found)
        return recorded
