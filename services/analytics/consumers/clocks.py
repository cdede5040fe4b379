"""Counts everybody anew where a definition has changed, so many at a time."""

from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from libs.conveyor.timers import set_timer
from services.analytics.consumers.computing import compute_anew
from services.analytics.store import RecordStore

# A migration sets the first one, with the nil UUID as its key.
ANEW = "units-anew"
AT_ONCE = 200


async def count_anew(tx: Transaction, key: str, _due_at: datetime) -> None:
    """The next patients after the key; and then the timer of those after them. Counted twice they come to the same."""
    ids = await RecordStore(tx).patients_after(UUID(key), AT_ONCE)
    if not ids:
        return
    await RecordStore(tx).alone_with(ids)
    await compute_anew(tx, ids)
    await set_timer(tx, ANEW, str(ids[-1]), tx.at)
