"""How a patient is reached, shown to people and changed by them."""

from uuid import UUID

from carehub.messaging.v1 import messaging_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument, PermissionDenied
from libs.chassis.fields import apply_mask
from services.messaging.convert import contact_to_proto, to_consents
from services.messaging.domain.contact import Contact
from services.messaging.store import ContactStore

_MOST_MERGES = 8


async def known_contact(call: Call, patient_id: UUID) -> Contact:
    """The contact, or that of the record that the patient lives on in; NOT_FOUND for whom the caller may not see."""
    contact = await ContactStore(call.tx).get(patient_id)
    for _ in range(_MOST_MERGES):
        if contact.merged_into_id is None:
            break
        contact = await ContactStore(call.tx).get(contact.merged_into_id)
    call.show(contact.patient_id)
    return contact


async def contact_alone(call: Call, patient_id: UUID) -> Contact:
    """The same, alone with the patient: until the transaction ends nobody merges their records, labels or writes to them."""
    await ContactStore(call.tx).alone_with([patient_id])
    return await known_contact(call, patient_id)


def changed(call: Call, contact: Contact, request: rpc.UpdateContactRequest) -> Contact:
    """The contact as somebody of a facility that knows the patient wants it."""
    if call.facilities.isdisjoint(contact.facility_ids):
        raise PermissionDenied(
            "NOT_YOUR_PATIENT", "Only people of a facility that knows the patient can change it."
        )
    before = contact_to_proto(contact)
    wanted = contact_to_proto(contact)
    apply_mask(wanted, request.contact, request.update_mask)
    stops = contact.stops_but(_named(request))
    if wanted == before and stops == contact.stops:
        raise InvalidArgument("NOTHING_CHANGED", "It says that already.", field="contact")
    said = to_consents(wanted.consents)
    return contact.changed(
        phone=_own(wanted.phone, contact.told_phone),
        email=_own(wanted.email, contact.told_email),
        language=_own(wanted.language, contact.is_said_to_speak),
        preferred_channel=wanted.preferred_channel,
        consents={**contact.consents, **{c: s for c, s in said.items() if s != "UNKNOWN"}},
        stops=stops,
        best_from=wanted.best_from_hour,
        best_until=wanted.best_until_hour,
        is_shared_phone=wanted.is_shared_phone,
    )


def _named(request: rpc.UpdateContactRequest) -> set[str]:
    """The channels of which somebody says what the patient wants: a refusal, too, that only a STOP had made until now."""
    if request.update_mask.paths and "consents" not in request.update_mask.paths:
        return set()
    return {c for c, s in to_consents(request.contact.consents).items() if s != "UNKNOWN"}


def _own(wanted: str, told: str) -> str:
    """What is kept here: nothing where the record, or the wish, says the same."""
    return "" if wanted == told else wanted
