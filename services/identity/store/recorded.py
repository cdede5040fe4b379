"""What people have recorded about patients, of which access is decided."""

from collections.abc import Collection
from uuid import UUID

from libs.chassis.database import Transaction
from services.identity.domain.fact import Recorded


class RecordedStore:
    """Each sort of record has a store of its own; this one brings them together for the decider."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def about(self, patient_ids: Collection[UUID]) -> dict[UUID, Recorded]:
        """Of those about whom anything was recorded."""
        return {}
