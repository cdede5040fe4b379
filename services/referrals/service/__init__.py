"""ReferralsService. The contract, its paths and its permissions: protos/carehub/referrals/v1."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from carehub.referrals.v1 import directory_pb2, referral_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import check_etag, to_uuid
from services.referrals.clients import Identity
from services.referrals.convert.directory import service_to_proto, to_capacity
from services.referrals.convert.referral import maybe_uuid, to_draft, to_line
from services.referrals.deciding import ask_next
from services.referrals.domain.partner import expiry, hash_of, new_token
from services.referrals.events import add_referral, save_referral, save_services
from services.referrals.service.directory import (
    export_directory,
    import_directory,
    list_organizations,
    search_services,
)
from services.referrals.service.recording import record_answer
from services.referrals.service.sending import send_referral
from services.referrals.service.work import (
    check_helps,
    list_referrals,
    show,
    take_up,
    whose,
)
from services.referrals.store import DirectoryStore, LinkStore, ReferralStore

MOST_WAIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralsService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change. Sending asks identity before.

    `page` is what the address of a partner's page begins with.
    """

    identity: Identity
    page: str
    new_id: Callable[[], UUID]

    async def ImportDirectory(
        self, request: rpc.ImportDirectoryRequest, call: Call
    ) -> rpc.ImportDirectoryResponse:
        return await import_directory(request, call)

    async def ExportDirectory(
        self, request: rpc.ExportDirectoryRequest, call: Call
    ) -> rpc.ExportDirectoryResponse:
        return await export_directory(request, call)

    async def ListOrganizations(
        self, request: rpc.ListOrganizationsRequest, call: Call
    ) -> rpc.ListOrganizationsResponse:
        return await list_organizations(request, call)

    async def GetService(
        self, request: rpc.GetServiceRequest, call: Call
    ) -> directory_pb2.DirectoryService:
        service = await DirectoryStore(call.tx).get(to_uuid("service_id", request.service_id))
        return service_to_proto(service, call.tx.at)

    async def SearchServices(
        self, request: rpc.SearchServicesRequest, call: Call
    ) -> rpc.SearchServicesResponse:
        return await search_services(request, call)

    async def SetCapacity(
        self, request: rpc.SetCapacityRequest, call: Call
    ) -> directory_pb2.DirectoryService:
        status = to_capacity(request.status)
        wait = to_line("wait", request.wait, MOST_WAIT)
        service = await DirectoryStore(call.tx).take(to_uuid("service_id", request.service_id))
        check_etag(request.etag, service.version)
        after = service.say_capacity(status, at=call.tx.at, wait=wait)
        await save_services(call.tx, after)
        return service_to_proto(after, call.tx.at)

    async def CreateReferral(
        self, request: rpc.CreateReferralRequest, call: Call
    ) -> referral_pb2.Referral:
        service_id = to_uuid("referral.service_id", request.referral.service_id)
        service = await DirectoryStore(call.tx).get(service_id)
        draft = to_draft(
            request.referral,
            request.labels,
            id=self.new_id(),
            service_name=service.name,
            at=call.tx.at,
            by=call.caller.subject,
        )
        draft = await whose(draft, call)
        check_helps(service, draft)
        await add_referral(call.tx, draft)
        return show(call, draft)

    async def SendReferral(
        self, request: rpc.SendReferralRequest, call: Call
    ) -> referral_pb2.Referral:
        return await send_referral(request, call, self.identity, self.new_id)

    async def CancelReferral(
        self, request: rpc.CancelReferralRequest, call: Call
    ) -> referral_pb2.Referral:
        referral = await take_up(call, call.tx, request.referral_id, request.etag)
        after = referral.cancel(request.reason, at=call.tx.at)
        await save_referral(call.tx, after)
        return show(call, after)

    async def RecordAnswer(
        self, request: rpc.RecordAnswerRequest, call: Call
    ) -> referral_pb2.Referral:
        return await record_answer(request, call, self.identity, self.new_id)

    async def AskNext(self, request: rpc.AskNextRequest, call: Call) -> referral_pb2.Referral:
        referral = await take_up(call, call.tx, request.referral_id, request.etag)
        wanted = maybe_uuid("service_id", request.service_id)
        if wanted:
            check_helps(await DirectoryStore(call.tx).get(wanted), referral)
        by = call.caller.subject
        return show(call, await ask_next(call.tx, referral, wanted, by=by, new_id=self.new_id))

    async def CreatePartnerLink(
        self, request: rpc.CreatePartnerLinkRequest, call: Call
    ) -> rpc.PartnerLink:
        referral = await take_up(call, call.tx, request.referral_id, "")
        after, token = referral.note_link(at=call.tx.at), new_token()
        until = expiry(call.tx.at, referral.details.end_at)
        await save_referral(call.tx, after)
        await LinkStore(call.tx).add(hash_of(token), referral.id, until)
        service = await DirectoryStore(call.tx).get(referral.service_id)
        show(call, after)
        link = rpc.PartnerLink(url=f"{self.page}{token}", telephone=next(iter(service.phones), ""))
        link.expire_time.FromDatetime(until)
        return link

    async def GetReferral(
        self, request: rpc.GetReferralRequest, call: Call
    ) -> referral_pb2.Referral:
        referral_id = to_uuid("referral_id", request.referral_id)
        return show(call, await ReferralStore(call.tx).get(referral_id))

    async def ListReferrals(
        self, request: rpc.ListReferralsRequest, call: Call
    ) -> rpc.ListReferralsResponse:
        return await list_referrals(request, call)
