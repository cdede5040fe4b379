"""How many messages to patients wait: for the operators' graphs. Of the network; nobody's in particular."""

from prometheus_client import Gauge

from libs.chassis.database import Transaction
from libs.process.gauges import Reading
from services.messaging.events import LEAVE
from services.messaging.store import MessageStore

WAITING = Gauge(
    "carehub_messages_waiting",
    "Messages to patients: planned for later, or written and not taken yet by their channel.",
    ["state"],
)


async def message_gauges(tx: Transaction) -> list[Reading]:
    waiting = await MessageStore(tx).waiting(LEAVE)
    return [(WAITING, ("planned",), waiting.planned), (WAITING, ("leaving",), waiting.leaving)]
