"""The telephones of a demo hub, answered in the patient's place."""

from uuid import UUID

from carehub.messaging.v1 import messaging_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from libs.chassis.pages import page_size, page_start, token_after
from services.messaging.convert import entry_to_proto, to_optional_id, to_words
from services.messaging.domain.contact import Channel, Means
from services.messaging.domain.telephone import Entry
from services.messaging.service.patients import NEWEST
from services.messaging.store import TelephoneStore

MOST_TEXT = 480


def must_have_telephone(means: Means) -> None:
    """Where messages leave the hub nobody answers in a patient's place."""
    if Channel.SMS not in means.channels:
        raise FailedPrecondition("NO_TELEPHONE", "This hub has no telephones of its own.")


async def list_telephone(
    request: rpc.ListTelephoneRequest, call: Call
) -> rpc.ListTelephoneResponse:
    """A page of what telephones show, of the patients whom the caller may see."""
    size = page_size(request.page_size)
    patient_id = to_optional_id("patient_id", request.patient_id)
    before = page_start(request.page_token, request, NEWEST)
    found = await TelephoneStore(call.tx).newest(patient_id, before, size + 1)
    page, token = found[:size], ""
    if len(found) > size:
        token = token_after(page[-1].at, page[-1].id, request)
    call.show(*(entry.patient_id for entry in page))
    return rpc.ListTelephoneResponse(entries=map(entry_to_proto, page), next_page_token=token)


async def written_entry(request: rpc.AnswerAsPatientRequest, call: Call, entry_id: UUID) -> Entry:
    """What a patient would write, on a telephone that received something from one of the caller's facilities."""
    text = to_words("text", request.text, MOST_TEXT)
    received = await TelephoneStore(call.tx).received(request.phone, 1)
    if not received:
        raise NotFound("NOTHING_RECEIVED", "Nothing was received on such a telephone.")
    [last] = received
    if last.facility_id not in call.facilities:
        raise PermissionDenied("NOT_YOUR_TELEPHONE", "Another facility wrote to it last.")
    return Entry(
        id=entry_id,
        facility_id=last.facility_id,
        patient_id=last.patient_id,
        message_id=last.message_id,
        phone=last.phone,
        is_written=True,
        channel=last.channel,
        text=text,
        at=call.tx.at,
        labels=last.labels,
    )
