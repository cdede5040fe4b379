"""MessagingService. The contract, its paths and its permissions: protos/carehub/messaging/v1."""

from collections.abc import Callable
from uuid import UUID

from carehub.messaging.v1 import (
    contact_pb2,
    patient_message_pb2,
    telephone_pb2,
    thread_pb2,
)
from carehub.messaging.v1 import messaging_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import check_etag, to_uuid
from libs.conveyor.timers import set_timer
from services.messaging.convert import contact_to_proto, entry_to_proto, post_to_proto
from services.messaging.domain.contact import Means
from services.messaging.events import ANSWER, HEAR, save_contact, save_thread
from services.messaging.service.contacts import changed, contact_alone, known_contact
from services.messaging.service.patients import list_messages, written_by_person
from services.messaging.service.telephone import list_telephone, must_have_telephone, written_entry
from services.messaging.service.threads import (
    list_threads,
    post_of,
    show_thread,
    start,
    take_up,
)
from services.messaging.store import TelephoneStore, ThreadStore


class MessagingService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. The guard does the rest."""

    def __init__(self, means: Means, new_id: Callable[[], UUID]) -> None:
        self._means = means
        self._new_id = new_id

    async def GetContact(self, request: rpc.GetContactRequest, call: Call) -> contact_pb2.Contact:
        contact = await known_contact(call, to_uuid("patient_id", request.patient_id))
        return contact_to_proto(contact)

    async def UpdateContact(
        self, request: rpc.UpdateContactRequest, call: Call
    ) -> contact_pb2.Contact:
        contact = await contact_alone(call, to_uuid("contact.id", request.contact.id))
        check_etag(request.contact.etag, contact.version)
        after = changed(call, contact, request)
        await save_contact(call.tx, after)
        return contact_to_proto(after)

    async def ListMessages(
        self, request: rpc.ListMessagesRequest, call: Call
    ) -> rpc.ListMessagesResponse:
        return await list_messages(request, call)

    async def SendMessage(
        self, request: rpc.SendMessageRequest, call: Call
    ) -> patient_message_pb2.PatientMessage:
        return await written_by_person(request, call, self._means, self._new_id())

    async def StartThread(self, request: rpc.StartThreadRequest, call: Call) -> thread_pb2.Thread:
        thread = await start(request, call, self._new_id)
        return await show_thread(call, thread)

    async def GetThread(self, request: rpc.GetThreadRequest, call: Call) -> thread_pb2.Thread:
        thread = await ThreadStore(call.tx).get(to_uuid("thread_id", request.thread_id))
        return await show_thread(call, thread)

    async def ListThreads(
        self, request: rpc.ListThreadsRequest, call: Call
    ) -> rpc.ListThreadsResponse:
        return await list_threads(request, call)

    async def PostMessage(self, request: rpc.PostMessageRequest, call: Call) -> thread_pb2.Post:
        thread = await ThreadStore(call.tx).get(to_uuid("thread_id", request.thread_id))
        post, directory = await post_of(request, call, thread, self._new_id())
        await ThreadStore(call.tx).add_post(post)
        await set_timer(call.tx, HEAR, str(thread.id), call.tx.at)
        call.show(thread.patient_id)
        return post_to_proto(post, directory)

    async def AcceptThread(self, request: rpc.AcceptThreadRequest, call: Call) -> thread_pb2.Thread:
        thread = await take_up(call, request.thread_id, request.etag)
        after = thread.accept(call.caller.subject, call.tx.at)
        if after is not thread:
            await save_thread(call.tx, after)
        return await show_thread(call, after)

    async def CloseThread(self, request: rpc.CloseThreadRequest, call: Call) -> thread_pb2.Thread:
        thread = await take_up(call, request.thread_id, request.etag)
        after = thread.close(call.tx.at)
        await save_thread(call.tx, after)
        return await show_thread(call, after)

    async def MarkRead(self, request: rpc.MarkReadRequest, call: Call) -> rpc.MarkReadResponse:
        thread = await ThreadStore(call.tx).get(to_uuid("thread_id", request.thread_id))
        await ThreadStore(call.tx).mark_read(thread.id, call.caller.subject, call.tx.at)
        await set_timer(call.tx, HEAR, str(thread.id), call.tx.at)
        call.show(thread.patient_id)
        return rpc.MarkReadResponse()

    async def ListTelephone(
        self, request: rpc.ListTelephoneRequest, call: Call
    ) -> rpc.ListTelephoneResponse:
        must_have_telephone(self._means)
        return await list_telephone(request, call)

    async def AnswerAsPatient(
        self, request: rpc.AnswerAsPatientRequest, call: Call
    ) -> telephone_pb2.TelephoneEntry:
        must_have_telephone(self._means)
        entry = await written_entry(request, call, self._new_id())
        await TelephoneStore(call.tx).add(entry)
        await set_timer(call.tx, ANSWER, str(entry.id), call.tx.at)
        call.show(entry.patient_id)
        return entry_to_proto(entry)
