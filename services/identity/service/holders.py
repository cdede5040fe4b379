"""HolderService: what was decided, for services that hold data and did not hear of it. Its contract: holder_service.proto."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from carehub.identity.v1 import holder_service_pb2 as rpc

from libs.chassis import audit
from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.fields import to_timestamp
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, page_size
from services.identity.convert.access import access_to_proto
from services.identity.store.access import AccessStore

# Much longer than a holder can be away and still catch up by events.
ENDED_LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderService:
    """`reader` opens a transaction of the service itself: who may see what is shown to no person as it is."""

    reader: Callable[[], AbstractAsyncContextManager[Transaction]]

    async def ListAccess(
        self, request: rpc.ListAccessRequest, call: Call
    ) -> rpc.ListAccessResponse:
        """The clock before the list: what is decided meanwhile counts as decided after."""
        size = page_size(request.page_size, default=100, most=200)
        async with self.reader() as tx:
            store = AccessStore(tx)
            at = await store.clock()
            ended = await store.ended_since(at - ENDED_LATELY)
            found = await store.decided_after(_after(request), size + 1)
            page = found[:size]
            decided = await store.decided({each.patient_id: each.version for each in page})
            call.show(*decided)
            audit.record(tx, call, "")
        position = page[-1].position if page else request.after_position
        return rpc.ListAccessResponse(
            access=map(access_to_proto, decided.values()),
            next_page_token=encode_cursor([position], request) if len(found) > size else "",
            position=position,
            beat_time=to_timestamp(at),
            ended_basis_ids=map(str, ended),
        )


def _after(request: rpc.ListAccessRequest) -> int:
    match decode_cursor(request.page_token, request):
        case None:
            return request.after_position
        case [int(position)]:
            return position
    raise bad_token()
