"""What people have recorded about patients, of which access is decided."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.chassis.database import Transaction
from services.identity.domain.fact import Recorded
from services.identity.domain.recorded import RecordedMembership
from services.identity.store.account import AccountStore
from services.identity.store.break_glass import GlassStore
from services.identity.store.consent import ConsentStore
from services.identity.store.merge import MergeStore
from services.identity.store.network import NetworkStore
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
        """Of those about whom anything was recorded, also before their records were merged.

        What was recorded about who survives counts for a merged record, too: rows may bear its id for a while.
        """
        whose = await MergeStore(self._tx).whole_records(patient_ids)
        found: dict[str, Sequence[Any]] = {
            "consents": await ConsentStore(self._tx).about(whose),
            "proxies": await proxy_store(self._tx).about(whose),
            "memberships": await self._memberships(whose),
            "referrals": await referral_store(self._tx).about(whose),
            "holds": await hold_store(self._tx).about(whose),
        }
        recorded: dict[UUID, Recorded] = {}
        for account in await AccountStore(self._tx).about(whose):
            patient_id = whose[account.patient_id]
            if account.patient_id == patient_id or patient_id not in recorded:  # their own first
                recorded[patient_id] = Recorded(person_id=account.person_id)
        for of, open_now in (await GlassStore(self._tx).emergencies_of(whose)).items():
            known = recorded.get(whose[of]) or Recorded()
            recorded[whose[of]] = replace(known, emergencies=(*known.emergencies, *open_now))
        for sort, records in found.items():
            for record in records:
                patient_id = whose[record.patient_id]
                known = recorded.get(patient_id) or Recorded()
                more: dict[str, Any] = {sort: (*getattr(known, sort), record)}
                recorded[patient_id] = replace(known, **more)
        return {i: recorded[whose[i]] for i in patient_ids if whose[i] in recorded}

    async def _memberships(self, patient_ids: Collection[UUID]) -> list[RecordedMembership]:
        """As they count: of people, while they work where they are on the care team for."""
        found = await membership_store(self._tx).about(patient_ids)
        if not found:
            return []
        staff = await NetworkStore(self._tx).staff_among({one.grantee_id for one in found})
        return [one.as_it_counts(staff.get(one.grantee_id)) for one in found]
