"""Messages to a patient: the history, and what somebody writes in their own words."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.messaging.v1 import patient_message_pb2

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, PermissionDenied
from libs.chassis.fields import to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.messaging.convert import message_to_proto, to_words
from services.messaging.domain.contact import Means
from services.messaging.domain.hours import Hours
from services.messaging.domain.message import Message
from services.messaging.domain.reply import Reply
from services.messaging.domain.template import telling_words
from services.messaging.events import await_message, message_changed
from services.messaging.service.contacts import contact_alone, known_contact
from services.messaging.service.labels import labels_at
from services.messaging.store import DirectoryStore, MessageStore, ReplyStore

MOST_TEXT = 480
QUIET = "QUIET_HOURS"
# What somebody wrote is of use for a day and a night; after that it is not what they meant.
USEFUL = timedelta(hours=36)
NEWEST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


async def list_messages(request: rpc.ListMessagesRequest, call: Call) -> rpc.ListMessagesResponse:
    """A page of what a patient was told, with what came back."""
    contact = await known_contact(call, to_uuid("patient_id", request.patient_id))
    size = page_size(request.page_size)
    before = page_start(request.page_token, request, NEWEST)
    found = await MessageStore(call.tx).page(contact.patient_id, before, size + 1)
    page = found[:size]
    replies = defaultdict[UUID, list[Reply]](list)
    for reply in await ReplyStore(call.tx).of_messages(message.id for message in page):
        replies[reply.message_id].append(reply)
    token = ""
    if len(found) > size:
        token = token_after(page[-1].created_at, page[-1].id, request)
    return rpc.ListMessagesResponse(
        messages=[message_to_proto(each, replies[each.id]) for each in page], next_page_token=token
    )


async def written_by_person(
    request: rpc.SendMessageRequest, call: Call, means: Means, message_id: UUID
) -> patient_message_pb2.PatientMessage:
    """Keep what somebody writes; it leaves at the next permitted moment."""
    text = to_words("text", request.text, MOST_TEXT)
    facility_id = to_uuid("facility_id", request.facility_id)
    labels = await labels_at(call, facility_id)
    contact = await contact_alone(call, to_uuid("patient_id", request.patient_id))
    facility = (await DirectoryStore(call.tx).facilities([facility_id])).get(facility_id)
    if facility_id not in call.facilities or facility is None:
        raise PermissionDenied("SENDER_NOT_THERE", "Write for a facility at which you may.")
    if contact.is_deceased or contact.way(means) is None:
        raise FailedPrecondition(
            "CANNOT_BE_REACHED", "No channel leads to the patient that they allow."
        )
    if (words := telling_words(text)) and not request.is_checked:
        # How many, not which: what is said here may be logged where it is read.
        raise FailedPrecondition(
            "WORDS_NEED_A_LOOK",
            "Some words could tell others of an illness. Look again, then send it as checked.",
            count=str(len(words)),
        )
    due_at = Hours(zone=facility.time_zone).next_allowed(call.tx.at)
    message = Message(
        id=message_id,
        facility_id=facility_id,
        patient_id=contact.patient_id,
        template="",
        text=text,
        due_at=due_at,
        until_at=due_at + USEFUL,
        created_at=call.tx.at,
        sent_by_id=call.caller.subject,
        labels=labels,
    )
    await MessageStore(call.tx).add([message])
    await await_message(call.tx, message)
    await message_changed(call.tx, message)
    return message_to_proto(message, waits_for=QUIET if due_at > call.tx.at else "")
