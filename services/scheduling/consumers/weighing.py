"""Weighs appointments anew against everything that is known by now, and saves what that changes."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from libs.chassis.database import Transaction
from services.scheduling.domain.appointment import Appointment
from services.scheduling.domain.visit import Visit, weigh
from services.scheduling.events import save_appointment
from services.scheduling.store import DirectoryStore, RecordStore

# An appointment before this change of it, None for a new one, and as it is told or moved.
Changed = tuple[Appointment | None, Appointment]


async def weigh_all(tx: Transaction, appointments: Sequence[Changed]) -> list[Appointment]:
    """Each is held, and its patient locked, so that nobody else weighs it meanwhile. What they are now."""
    if not appointments:
        return []
    facilities = await DirectoryStore(tx).facilities(each.facility_id for _, each in appointments)
    visits = defaultdict[UUID, list[Visit]](list)
    for visit in await RecordStore(tx).visits_of(each.patient_id for _, each in appointments):
        visits[visit.patient_id].append(visit)
    saved = []
    for before, told in appointments:
        weighed = weigh(told, visits[told.patient_id], facilities.get(told.facility_id))
        saved.append(await save_appointment(tx, before, weighed.settled(tx.at)))
    return saved
