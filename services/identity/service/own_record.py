"""OwnRecordService: what patients see of how their record is used. Its contract: own_record_service.proto."""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from carehub.identity.v1 import own_record_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument, NotFound
from libs.chassis.fields import to_uuid
from services.identity.convert.own import emergency_to_proto, record_to_proto
from services.identity.deciding import known_about
from services.identity.domain.own import PURPOSE_OF, OwnView, own_view
from services.identity.store.access import AccessStore
from services.identity.store.break_glass import GlassStore
from services.identity.store.facility import FacilityStore
from services.identity.store.merge import MergeStore
from services.identity.store.staff import StaffStore

MOST_NAMED = 500
MOST_EMERGENCIES = 100
# That there were others before is said of those alone that may be shown: so more are read.
MOST_READ = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecordService:
    """`system` opens a transaction of the service itself: facts are nobody's business, only what is said of them is."""

    system: Callable[[], AbstractAsyncContextManager[Transaction]]

    async def GetOwnRecords(
        self, request: rpc.GetOwnRecordsRequest, call: Call
    ) -> rpc.GetOwnRecordsResponse:
        async with self.system() as tx:
            theirs = await AccessStore(tx).records_of(call.caller.subject)
            facts = await known_about(tx, theirs)
        views = [own_view(one, call.caller.subject, call.tx.at) for one in facts.values()]
        found = sorted(
            filter(None, views), key=lambda one: (one.relation != "SELF", one.patient_id)
        )
        call.show(*(view.patient_id for view in found))
        return rpc.GetOwnRecordsResponse(records=map(record_to_proto, found))

    async def GetOwnEmergencies(
        self, request: rpc.GetOwnEmergenciesRequest, call: Call
    ) -> rpc.GetOwnEmergenciesResponse:
        view = await self._view(request.patient_id, call)
        whose = await MergeStore(call.tx).retired_into([view.patient_id])
        opened = await GlassStore(call.tx).opened_about(whose, MOST_READ)
        shown = [glass for glass in opened if view.shows(glass.facility_id)]
        newest = shown[:MOST_EMERGENCIES]
        people = await StaffStore(call.tx).names_of({glass.person_id for glass in newest})
        places = await FacilityStore(call.tx).names()
        call.show(view.patient_id)
        return rpc.GetOwnEmergenciesResponse(
            emergencies=[emergency_to_proto(one, view, people, places) for one in newest],
            has_more=len(shown) > len(newest),
        )

    async def GetOwnLookNames(
        self, request: rpc.GetOwnLookNamesRequest, call: Call
    ) -> rpc.GetOwnLookNamesResponse:
        view = await self._view(request.patient_id, call)
        asked = _ids("person_ids", request.person_ids), _ids("facility_ids", request.facility_ids)
        people = await StaffStore(call.tx).names_of(asked[0])
        places = await FacilityStore(call.tx).names()
        call.show(view.patient_id)
        return rpc.GetOwnLookNamesResponse(
            people={str(id): name for id, name in people.items()},
            facilities={str(i): places[i] for i in asked[1] & places.keys() if view.shows(i)},
        )

    async def _view(self, text: str, call: Call) -> OwnView:
        """The record, if it is the caller's for the purpose for which they ask and shows who has looked."""
        patient_id = to_uuid("patient_id", text)
        async with self.system() as tx:
            facts = (await known_about(tx, [patient_id])).get(patient_id)
        view = own_view(facts, call.caller.subject, call.tx.at) if facts else None
        is_asked_so = view is not None and PURPOSE_OF[view.relation] in call.capacity.purposes
        if view is None or not is_asked_so or not view.shows_looks:
            raise NotFound("RECORD_NOT_YOURS", "There is no such record of yours.")
        return view


def _ids(field: str, texts: Iterable[str]) -> set[UUID]:
    ids = {to_uuid(field, text) for text in texts}
    if len(ids) > MOST_NAMED:
        raise InvalidArgument("TOO_MANY_NAMES", f"At most {MOST_NAMED} at a time.", field=field)
    return ids
