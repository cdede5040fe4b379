"""What people have recorded about patients, of which access is decided."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.chassis.database import Transaction
from services.identity.domain.fact import Recorded
from services.identity.store.account import AccountStore
from services.identity.store.break_glass import GlassStore
from services.identity.store.consent import ConsentStore
from services.identity.store.records import (
    hold_store,
    membership_store,
    proxy_store,
    referral_store,
)


class RecordedStore:
    """Each sort of record has a store of its own; this one brings them together for the decider."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def about(self, patient_ids: Collection[UUID]) -> dict[UUID, Recorded]:
        """Of those about whom anything was recorded."""
        recorded: dict[UUID, Recorded] = {}
        found: dict[str, Sequence[Any]] = {
            "consents": await ConsentStore(self._tx).about(patient_ids),
            "proxies": await proxy_store(self._tx).about(patient_ids),
            "memberships": await membership_store(self._tx).about(patient_ids),
            "referrals": await referral_store(self._tx).about(patient_ids),
            "holds": await hold_store(self._tx).about(patient_ids),
        }
        for account in await AccountStore(self._tx).about(patient_ids):
            recorded[account.patient_id] = Recorded(person_id=account.person_id)
        for patient_id, open_now in (
            await GlassStore(self._tx).emergencies_of(patient_ids)
        ).items():
            known = recorded.get(patient_id) or Recorded()
            recorded[patient_id] = replace(known, emergencies=open_now)
        for sort, records in found.items():
            for record in records:
                known = recorded.get(record.patient_id) or Recorded()
                more: dict[str, Any] = {sort: (*getattr(known, sort), record)}
                recorded[record.patient_id] = replace(known, **more)
        return recorded
