"""Makes the messages of appointments and loops what those ask for as they are now."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from services.messaging.consumers.labeling import label_what_followed
from services.messaging.domain.directory import Facility
from services.messaging.domain.hours import Hours
from services.messaging.domain.message import Message
from services.messaging.domain.plan import (
    Appointment,
    Transition,
    Wanted,
    for_appointment,
    for_transition,
    reconcile,
)
from services.messaging.events import await_message, save_message
from services.messaging.store import DirectoryStore, MessageStore


async def plan(tx: Transaction, causes: Sequence[Appointment | Transition]) -> None:
    """Add what is asked for and not there, withdraw what waits and is not asked for. Twice changes nothing.

    What came before its facility is planned when that is known (directory.py).
    """
    if not causes:
        return
    facilities = await DirectoryStore(tx).facilities(each.facility_id for each in causes)
    stored = defaultdict[UUID | None, list[Message]](list)
    for message in await MessageStore(tx).of_causes(each.id for each in causes):
        stored[message.appointment_id or message.loop_id].append(message)
    new: list[Message] = []
    for cause in causes:
        if cause.facility_id not in facilities:
            continue
        wanted = _wanted(cause, facilities[cause.facility_id], tx.at)
        changes = reconcile(cause, wanted, stored[cause.id], cause.patient_id, tx.at)
        new.extend(changes.new)
        before = {message.id: message for message in stored[cause.id]}
        for message in changes.changed:
            await save_message(tx, before[message.id], message)
        relabeled = [m.id for m in changes.changed if m.labels != before[m.id].labels]
        await label_what_followed(tx, relabeled, cause.labels)
    await MessageStore(tx).add(new)
    for message in new:
        await await_message(tx, message)


def _wanted(
    cause: Appointment | Transition, facility: Facility, at: datetime
) -> tuple[Wanted, ...]:
    if isinstance(cause, Transition):
        return for_transition(cause, at)
    return for_appointment(cause, Hours(zone=facility.time_zone), at)
