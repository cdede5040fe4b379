"""What happens when an appointment was booked, and when it has begun and nobody has come."""

import logging
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from services.scheduling.consumers.weighing import weigh_all
from services.scheduling.events import set_clock
from services.scheduling.store import AppointmentStore, RecordStore

log = logging.getLogger(__name__)


async def miss(tx: Transaction, key: str, due_at: datetime) -> None:
    """Weigh it anew: it counts as missed by now, unless something shows that the patient came.

    One that was just booked is weighed, too: the patient may have died before.
    """
    store = AppointmentStore(tx)
    appointment_id = UUID(key)
    await RecordStore(tx).alone_with(await store.patients_of([appointment_id]))
    held = await store.hold([appointment_id])
    for weighed in await weigh_all(tx, [(each, each) for each in held]):
        await set_clock(tx, weighed)  # gone, or its time has not come
    log.info("an appointment was weighed", extra={"appointment_id": key})
