"""How sensitive is what people write."""

from uuid import UUID

from libs.chassis.caller import Call
from services.messaging.domain.labels import NORMAL, OF_A_PROGRAM, WITHHELD, inherit
from services.messaging.store import CauseStore, FeedStore


async def labels_at(
    call: Call, facility_id: UUID, said: tuple[str, ...] = NORMAL
) -> tuple[str, ...]:
    """As people said of it, and a program's is a record of that program. To be asked before one is alone with the patient."""
    is_program = await FeedStore(call.tx).is_program(facility_id)
    return inherit((said, OF_A_PROGRAM if is_program else NORMAL))


async def labels_of_loop(call: Call, patient_id: UUID, loop_id: UUID | None) -> tuple[str, ...]:
    """As the loop's. What nobody here can read of a loop may be anything, and stays at home."""
    if loop_id is None:
        return NORMAL
    found = await CauseStore(call.tx).transitions([loop_id])
    return found[0].labels if found and found[0].patient_id == patient_id else WITHHELD
