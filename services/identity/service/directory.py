"""IdentityService: tokens, organizations, facilities, staff and teams. Its contract: identity_service.proto."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from carehub.identity.v1 import facility_pb2, organization_pb2, staff_pb2, team_pb2
from carehub.identity.v1 import identity_service_pb2 as rpc

from libs.chassis.audit import record_sign_in
from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument, PermissionDenied, Unauthenticated, Unavailable
from libs.chassis.fields import apply_mask, check_etag, to_timestamp, to_uuid
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, id_in_token, page_size
from services.identity import events
from services.identity.clients.provider import AccessTokens
from services.identity.convert.directory import (
    facility_to_domain,
    facility_to_proto,
    maybe_uuid,
    organization_to_domain,
    organization_to_proto,
    staff_to_domain,
    staff_to_proto,
    team_to_domain,
    team_to_proto,
)
from services.identity.convert.token import to_purpose
from services.identity.deciding import Decider
from services.identity.domain.creation import already_created
from services.identity.domain.facility import Facility
from services.identity.domain.reach import Reach
from services.identity.domain.sign_in import Sessions
from services.identity.domain.staff import StaffMember, check_network_keeps_admin
from services.identity.domain.team import Team, duty_team_unknown
from services.identity.domain.token import OWN, CallerToken, SignedIn, vouch, vouch_for_own
from services.identity.keys import SigningKeys
from services.identity.store.access import AccessStore
from services.identity.store.facility import FacilityStore
from services.identity.store.organization import OrganizationStore
from services.identity.store.schema import hold_directory
from services.identity.store.staff import StaffStore
from services.identity.store.team import TeamStore

MOST_FILTERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityService:
    """Each RPC: one transaction, one aggregate, the events that tell of the change.

    `reader` opens a transaction of the service itself, for the exchange: whoever asks for a caller token has none yet.
    """

    access_tokens: AccessTokens
    keys: SigningKeys
    reader: Callable[[], AbstractAsyncContextManager[Transaction]]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    decider: Decider
    sessions: Sessions = field(default_factory=Sessions)

    async def ExchangeToken(
        self, request: rpc.ExchangeTokenRequest, call: Call
    ) -> rpc.ExchangeTokenResponse:
        signed_in, purpose = None, to_purpose(request)
        try:
            signed_in = await self.access_tokens.verify(request.access_token)
            token = await self._vouch(signed_in, purpose, call)
        except (Unauthenticated, PermissionDenied) as error:
            await self._refused(signed_in, call, error)
            raise
        self.sessions.remember(signed_in.subject, signed_in.session)
        return rpc.ExchangeTokenResponse(
            caller_token=self.keys.signer.sign(token), expire_time=to_timestamp(token.expires_at)
        )

    async def _refused(
        self, signed_in: SignedIn | None, call: Call, error: Unauthenticated | PermissionDenied
    ) -> None:
        """For the ledger; where the database is away the refusal stands all the same."""
        subject = signed_in.subject if signed_in else None
        with suppress(Unavailable):
            async with self.reader() as tx:
                record_sign_in(tx, call, subject, {}, refused=error)

    async def _vouch(self, signed_in: SignedIn, purpose: str, call: Call) -> CallerToken:
        """The token of whoever signed in; the first of a session is a sign-in, for the ledger."""
        about: dict[str, Any] = {"signed_in": signed_in, "id": self.new_id(), "at": self.now()}
        async with self.reader() as tx:
            if purpose in OWN:
                records = await AccessStore(tx).records_of(signed_in.subject)
                token = vouch_for_own(has_records=bool(records), purpose=purpose, **about)
            else:
                member = await StaffStore(tx).find(signed_in.subject)
                belongs = await TeamStore(tx).membership(signed_in.subject)
                token = vouch(member, membership=belongs, purpose=purpose, **about)
            if self.sessions.is_new(signed_in.subject, signed_in.session):
                record_sign_in(tx, call, signed_in.subject, token.roles)
        return token

    async def GetCallerKeys(
        self, request: rpc.GetCallerKeysRequest, call: Call
    ) -> rpc.GetCallerKeysResponse:
        return rpc.GetCallerKeysResponse(jwks=self.keys.signer.public_keys)

    async def GetMe(self, request: rpc.GetMeRequest, call: Call) -> rpc.GetMeResponse:
        caller = call.caller
        member = await StaffStore(call.tx).get(caller.subject)
        return rpc.GetMeResponse(
            staff_member=staff_to_proto(member),
            permissions=sorted(caller.permissions),
            facility_ids=sorted({str(id) for held in caller.roles.values() for id in held}),
        )

    async def FilterVisible(
        self, request: rpc.FilterVisibleRequest, call: Call
    ) -> rpc.FilterVisibleResponse:
        """Shows no patient's data, only which of the ids sent lead to some: nothing to audit by patient."""
        if len(request.patient_ids) > MOST_FILTERED:
            raise InvalidArgument(
                "TOO_MANY_PATIENTS", f"At most {MOST_FILTERED} at a time.", field="patient_ids"
            )
        asked = [(text, to_uuid("patient_ids", text)) for text in request.patient_ids]
        visible = await AccessStore(call.tx).visible_among({id for _, id in asked}, call)
        return rpc.FilterVisibleResponse(patient_ids=[text for text, id in asked if id in visible])

    async def ListOrganizations(
        self, request: rpc.ListOrganizationsRequest, call: Call
    ) -> rpc.ListOrganizationsResponse:
        size = page_size(request.page_size)
        found = await OrganizationStore(call.tx).list_page(_after_name(request), size + 1)
        return rpc.ListOrganizationsResponse(
            organizations=[organization_to_proto(one) for one in found[:size]],
            next_page_token=_next(request, [(one.name, one.id) for one in found], size),
        )

    async def CreateOrganization(
        self, request: rpc.CreateOrganizationRequest, call: Call
    ) -> organization_pb2.Organization:
        _reach(call).check_network()
        await hold_directory(call.tx)
        store = OrganizationStore(call.tx)
        wanted = organization_to_domain(request.organization, self.new_id)
        if same := already_created(await store.find(wanted.id), wanted):
            return organization_to_proto(same)
        wanted.check()
        await store.add(wanted)
        await events.organization_changed(call.tx, wanted)
        return organization_to_proto(wanted)

    async def GetFacility(
        self, request: rpc.GetFacilityRequest, call: Call
    ) -> facility_pb2.Facility:
        facility_id = to_uuid("facility_id", request.facility_id)
        return facility_to_proto(await FacilityStore(call.tx).get(facility_id))

    async def ListFacilities(
        self, request: rpc.ListFacilitiesRequest, call: Call
    ) -> rpc.ListFacilitiesResponse:
        size = page_size(request.page_size)
        found = await FacilityStore(call.tx).list_page(_after_name(request), size + 1)
        return rpc.ListFacilitiesResponse(
            facilities=[facility_to_proto(one) for one in found[:size]],
            next_page_token=_next(request, [(one.name, one.id) for one in found], size),
        )

    async def CreateFacility(
        self, request: rpc.CreateFacilityRequest, call: Call
    ) -> facility_pb2.Facility:
        _reach(call).check_network()
        await hold_directory(call.tx)
        store = FacilityStore(call.tx)
        wanted = facility_to_domain(request.facility, self.new_id)
        if same := already_created(await store.find(wanted.id), wanted):
            return facility_to_proto(same)
        wanted.check()
        await _check_references(call.tx, None, wanted)
        await store.add(wanted)
        await events.decide_everybody_anew(call.tx)
        await events.facility_changed(call.tx, wanted)
        return facility_to_proto(wanted)

    async def UpdateFacility(
        self, request: rpc.UpdateFacilityRequest, call: Call
    ) -> facility_pb2.Facility:
        await hold_directory(call.tx)
        store, reach = FacilityStore(call.tx), _reach(call)
        before = await store.get_within(reach, to_uuid("facility.id", request.facility.id))
        check_etag(request.facility.etag, before.version)
        after = before.changed_to(self._merged_facility(before, request))
        if after.organization_id != before.organization_id:
            reach.check_network()
            await events.decide_everybody_anew(call.tx)
        if after != before:
            await _check_references(call.tx, before, after)
            await store.save(after)
            await events.facility_changed(call.tx, after)
        return facility_to_proto(after)

    async def GetStaffMember(
        self, request: rpc.GetStaffMemberRequest, call: Call
    ) -> staff_pb2.StaffMember:
        return staff_to_proto(await StaffStore(call.tx).get(to_uuid("staff_id", request.staff_id)))

    async def ListStaff(self, request: rpc.ListStaffRequest, call: Call) -> rpc.ListStaffResponse:
        size = page_size(request.page_size)
        found = await StaffStore(call.tx).list_page(
            _after_account(request),
            size + 1,
            facility_id=maybe_uuid("facility_id", request.facility_id),
            show_deactivated=request.show_deactivated,
        )
        return rpc.ListStaffResponse(
            staff=[staff_to_proto(one) for one in found[:size]],
            next_page_token=_next(request, [(one.account,) for one in found], size),
        )

    async def CreateStaffMember(
        self, request: rpc.CreateStaffMemberRequest, call: Call
    ) -> staff_pb2.StaffMember:
        await hold_directory(call.tx)
        store = StaffStore(call.tx)
        wanted = staff_to_domain(request.staff_member, self.new_id)
        wanted.check()
        _reach(call).check_hiring(wanted)
        if same := already_created(await store.find(wanted.id), wanted):
            return staff_to_proto(same)
        wanted.check_facilities(await FacilityStore(call.tx).ids())
        await store.check_account_free(wanted)
        await store.add(wanted)
        await events.staff_changed(call.tx, wanted)
        return staff_to_proto(wanted)

    async def UpdateStaffMember(
        self, request: rpc.UpdateStaffMemberRequest, call: Call
    ) -> staff_pb2.StaffMember:
        await hold_directory(call.tx)
        store, reach = StaffStore(call.tx), _reach(call)
        before = await store.get_within(reach, to_uuid("staff_member.id", request.staff_member.id))
        check_etag(request.staff_member.etag, before.version)
        after = before.changed_to(self._merged_staff(before, request))
        if after != before:
            reach.check_change(before, after)
            after.check_facilities(await FacilityStore(call.tx).ids())
            await _save_staff(call.tx, before, after)
        return staff_to_proto(after)

    async def DeactivateStaffMember(
        self, request: rpc.DeactivateStaffMemberRequest, call: Call
    ) -> staff_pb2.StaffMember:
        await hold_directory(call.tx)
        store, reach = StaffStore(call.tx), _reach(call)
        before = await store.get_within(reach, to_uuid("staff_id", request.staff_id))
        after = before.deactivate(because=request.reason, at=call.tx.at)
        if after != before:
            reach.check_change(before, after)
            successor = maybe_uuid("successor_id", request.successor_id)
            await _hand_over_teams(call.tx, before.id, successor)
            await _save_staff(call.tx, before, after)
            call.afterwards(lambda: self.decider.deactivated(after.id))
        return staff_to_proto(after)

    async def GetTeam(self, request: rpc.GetTeamRequest, call: Call) -> team_pb2.Team:
        return team_to_proto(await TeamStore(call.tx).get(to_uuid("team_id", request.team_id)))

    async def ListTeams(self, request: rpc.ListTeamsRequest, call: Call) -> rpc.ListTeamsResponse:
        size = page_size(request.page_size)
        facility_id = maybe_uuid("facility_id", request.facility_id)
        found = await TeamStore(call.tx).list_page(
            _after_name(request), size + 1, facility_id=facility_id
        )
        return rpc.ListTeamsResponse(
            teams=[team_to_proto(one) for one in found[:size]],
            next_page_token=_next(request, [(one.name, one.id) for one in found], size),
        )

    async def CreateTeam(self, request: rpc.CreateTeamRequest, call: Call) -> team_pb2.Team:
        await hold_directory(call.tx)
        store = TeamStore(call.tx)
        wanted = team_to_domain(request.team, self.new_id)
        await FacilityStore(call.tx).get_within(_reach(call), wanted.facility_id)
        if same := already_created(await store.find(wanted.id), wanted):
            return team_to_proto(same)
        active = await StaffStore(call.tx).active_among(wanted.member_ids)
        wanted.check_joining(wanted.member_ids, active=active)
        wanted.check(active=active)
        await store.add(wanted)
        await events.team_changed(call.tx, wanted)
        return team_to_proto(wanted)

    async def UpdateTeam(self, request: rpc.UpdateTeamRequest, call: Call) -> team_pb2.Team:
        await hold_directory(call.tx)
        store = TeamStore(call.tx)
        before = await store.get_within(_reach(call), to_uuid("team.id", request.team.id))
        check_etag(request.team.etag, before.version)
        wanted = self._merged_team(before, request)
        active = await StaffStore(call.tx).active_among(wanted.member_ids)
        is_on_duty = await FacilityStore(call.tx).is_on_duty(before.id)
        after = before.changed_to(wanted, active=active, is_on_duty=is_on_duty)
        if after != before:
            await store.save(after)
            await events.team_changed(call.tx, after)
        return team_to_proto(after)

    def _merged_facility(self, before: Facility, request: rpc.UpdateFacilityRequest) -> Facility:
        message = facility_to_proto(before)
        apply_mask(message, request.facility, request.update_mask)
        return facility_to_domain(message, self.new_id)

    def _merged_staff(
        self, before: StaffMember, request: rpc.UpdateStaffMemberRequest
    ) -> StaffMember:
        message = staff_to_proto(before)
        apply_mask(message, request.staff_member, request.update_mask)
        return staff_to_domain(message, self.new_id)

    def _merged_team(self, before: Team, request: rpc.UpdateTeamRequest) -> Team:
        message = team_to_proto(before)
        apply_mask(message, request.team, request.update_mask)
        return team_to_domain(message, self.new_id)


def _reach(call: Call) -> Reach:
    return Reach.of(call.caller.subject, call.caller.roles.keys(), call.facilities)


async def _check_references(tx: Transaction, before: Facility | None, after: Facility) -> None:
    """Refuse an organization that is not there, or a duty team that may not be one."""
    if await OrganizationStore(tx).find(after.organization_id) is None:
        raise InvalidArgument(
            "ORGANIZATION_UNKNOWN",
            "There is no such organization.",
            field="facility.organization_id",
        )
    if after.duty_team_id is None or (before and before.duty_team_id == after.duty_team_id):
        return
    team = await TeamStore(tx).find(after.duty_team_id)
    if team is None:
        raise duty_team_unknown()
    team.check_duty(after.id, active=await StaffStore(tx).active_among(team.member_ids))


async def _save_staff(tx: Transaction, before: StaffMember, after: StaffMember) -> None:
    store = StaffStore(tx)
    check_network_keeps_admin(before, after, network_admins=await store.count_network_admins())
    await store.save(after)
    await events.staff_changed(tx, after)
    if before.roles_changed_by(after):
        await events.decide_their_patients_anew(tx, after.id)


async def _hand_over_teams(tx: Transaction, leaver: UUID, successor: UUID | None) -> None:
    """Give what `leaver` leads to `successor`; refuse to leave a duty team with nobody."""
    teams, staff, facilities = TeamStore(tx), StaffStore(tx), FacilityStore(tx)
    for before in await teams.list_of_member(leaver):
        after = before.without(
            leaver,
            successor=successor,
            active=await staff.active_among(before.member_ids),
            is_on_duty=await facilities.is_on_duty(before.id),
        )
        if after != before:
            await teams.save(after)
            await events.team_changed(tx, after)


ByName = rpc.ListOrganizationsRequest | rpc.ListFacilitiesRequest | rpc.ListTeamsRequest


def _after_name(request: ByName) -> tuple[str, UUID]:
    """Where a page by name begins: before every name, or after the last one shown."""
    match decode_cursor(request.page_token, request):
        case None:
            return "", UUID(int=0)
        case [str(name), str(id)]:
            return name, id_in_token(id)
    raise bad_token()


def _after_account(request: rpc.ListStaffRequest) -> str:
    match decode_cursor(request.page_token, request):
        case None:
            return ""
        case [str(account)]:
            return account
    raise bad_token()


def _next(
    request: ByName | rpc.ListStaffRequest,
    keys: list[tuple[str, ...] | tuple[str, UUID]],
    size: int,
) -> str:
    """The token of the next page: there is one if a row more than the page was found."""
    return encode_cursor([str(part) for part in keys[size - 1]], request) if keys[size:] else ""
