"""CareTeamService: who is on the care team of a patient, and to whom they were referred. Its contract: care_team_service.proto."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from carehub.identity.v1 import care_team_pb2
from carehub.identity.v1 import care_team_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import check_etag, to_uuid
from services.identity.convert.recorded import (
    member_to_domain,
    member_to_proto,
    referral_to_domain,
    referral_to_proto,
)
from services.identity.deciding import Decider
from services.identity.domain.recorded import RecordedMembership, RecordedReferral
from services.identity.service.recording import (
    check_place,
    entry_of,
    id_of_request,
    page_of,
    take_effect,
)
from services.identity.store.network import NetworkStore
from services.identity.store.records import membership_store, referral_store
from services.identity.store.staff import StaffStore
from services.identity.store.team import TeamStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTeamService:
    """Who sees what because of it is decided after it has committed."""

    decider: Decider
    new_id: Callable[[], UUID]

    async def JoinCareTeam(
        self, request: rpc.JoinCareTeamRequest, call: Call
    ) -> care_team_pb2.CareTeamMember:
        message = request.member
        patient_id = to_uuid("member.patient_id", message.patient_id)
        entry = entry_of(call, patient_id, to_uuid("member.facility_id", message.facility_id))
        member_id = id_of_request(call, request.request_id)
        member = member_to_domain(message, entry, member_id or self.new_id())
        await check_place(call, entry.facility_id, patient_id)
        store = membership_store(call.tx)
        if member_id and (same := await store.find(member_id)):
            return await self._joined(call, same)
        member.check(
            await StaffStore(call.tx).find(member.grantee_id),
            await TeamStore(call.tx).find(member.grantee_id),
        )
        for other in await store.about([patient_id]):
            if other.is_already(member):
                return await self._joined(call, other)
        await store.add(member)
        return await self._joined(call, member)

    async def LeaveCareTeam(
        self, request: rpc.LeaveCareTeamRequest, call: Call
    ) -> care_team_pb2.CareTeamMember:
        store = membership_store(call.tx)
        before = await store.get(to_uuid("membership_id", request.membership_id))
        check_etag(request.etag, before.version)
        after = before.leave(at=call.tx.at)
        if after != before:
            await store.save(after)
        return await self._joined(call, after)

    async def ListCareTeam(
        self, request: rpc.ListCareTeamRequest, call: Call
    ) -> rpc.ListCareTeamResponse:
        found, token = await page_of(call, membership_store(call.tx), request)
        return rpc.ListCareTeamResponse(
            members=[member_to_proto(one, call.tx.at) for one in found], next_page_token=token
        )

    async def RecordReferral(
        self, request: rpc.RecordReferralRequest, call: Call
    ) -> care_team_pb2.ReferralFact:
        message = request.referral
        patient_id = to_uuid("referral.patient_id", message.patient_id)
        from_id = to_uuid("referral.from_facility_id", message.from_facility_id)
        referral_id = id_of_request(call, request.request_id)
        entry = entry_of(call, patient_id, from_id)
        referral = referral_to_domain(message, entry, referral_id or self.new_id())
        await check_place(call, from_id, patient_id)
        store = referral_store(call.tx)
        if referral_id and (same := await store.find(referral_id)):
            return await self._referred(call, same)
        referral.check(await NetworkStore(call.tx).places_among([referral.to_id]))
        await store.add(referral)
        return await self._referred(call, referral)

    async def EndReferral(
        self, request: rpc.EndReferralRequest, call: Call
    ) -> care_team_pb2.ReferralFact:
        store = referral_store(call.tx)
        before = await store.get(to_uuid("referral_id", request.referral_id))
        check_etag(request.etag, before.version)
        after = before.end(at=call.tx.at)
        if after != before:
            await store.save(after)
        return await self._referred(call, after)

    async def _joined(self, call: Call, member: RecordedMembership) -> care_team_pb2.CareTeamMember:
        call.show(member.patient_id)
        answer = member_to_proto(member, call.tx.at)
        await take_effect(call, self.decider, member.patient_id, answer)
        return answer

    async def _referred(self, call: Call, referral: RecordedReferral) -> care_team_pb2.ReferralFact:
        call.show(referral.patient_id)
        answer = referral_to_proto(referral, call.tx.at)
        await take_effect(call, self.decider, referral.patient_id, answer)
        return answer
