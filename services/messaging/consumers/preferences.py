"""Follows careplans: how patients want to be reached. Messages that wait ask for it when their time has come."""

from collections.abc import Sequence

from carehub.careplans.v1 import careplans_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor.inbox import Delivery, Unprocessable
from services.messaging.convert import to_wish
from services.messaging.store import ContactStore, WishStore


async def follow_preferences(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest of each patient and facility, under the record that its patient lives on in."""
    told = [
        to_wish(delivery.event.preferences, delivery.event.version)
        for delivery in deliveries
        if isinstance(delivery.event, careplans_events_pb2.PreferencesChanged)
    ]
    if not all(each.is_readable for each in told):
        raise Unprocessable("WISH_TIME_UNREADABLE", "A time of day that is none.")
    contacts = ContactStore(tx)
    survivors = await contacts.alone_with(each.patient_id for each in told)
    await WishStore(tx).keep([each.of(survivors[each.patient_id]) for each in told])
