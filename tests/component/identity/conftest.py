"""identity running for a test, with a network admin and a shorthand for its RPCs."""

from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import identity_service_pb2 as rpc
from carehub.identity.v1.facility_pb2 import Facility
from carehub.identity.v1.organization_pb2 import Organization
from carehub.identity.v1.staff_pb2 import RoleAssignment, StaffMember
from carehub.identity.v1.team_pb2 import Team
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message_factory import GetMessageClass

from libs.testing.hub import caller_token
from services.identity.domain.role import PERMISSIONS, Role

CONTRACT = rpc.DESCRIPTOR.services_by_name["IdentityService"]


class Identity:
    """The RPCs of identity, called as somebody; the network admin unless another token is given."""

    def __init__(self, hub):
        self.hub = hub
        self.admin_id = uuid4()
        self.admin = self.token("network_admin", subject=self.admin_id)

    @staticmethod
    def token(role, *facilities, subject=None):
        return caller_token(
            roles=[role],
            permissions=PERMISSIONS[Role(role)],
            facilities=[UUID(str(facility)) for facility in facilities],
            subject=subject,
        )

    async def call(self, method, request, token=None, **headers):
        kind = GetMessageClass(CONTRACT.methods_by_name[method].output_type)
        token = self.admin if token is None else token
        return await self.hub.call(CONTRACT, method, request, kind, token=token, headers=headers)

    async def create_organization(self, token=None, **fields):
        fields = {"name": "Mercy Health", "kind": Organization.KIND_PROVIDER} | fields
        request = rpc.CreateOrganizationRequest(organization=Organization(**fields))
        return await self.call("CreateOrganization", request, token)

    async def create_facility(self, token=None, **fields):
        if "organization_id" not in fields:
            fields["organization_id"] = (await self.create_organization()).id
        fields = {"name": "Mercy", "time_zone": "America/Chicago"} | fields
        request = rpc.CreateFacilityRequest(facility=Facility(**fields))
        return await self.call("CreateFacility", request, token)

    async def update_facility(self, token=None, mask=None, **fields):
        request = rpc.UpdateFacilityRequest(
            facility=Facility(**fields), update_mask=FieldMask(paths=mask or [])
        )
        return await self.call("UpdateFacility", request, token)

    async def create_staff(self, account, *roles, token=None, **fields):
        """`roles` are pairs of a role and a facility id ("" for the network)."""
        member = StaffMember(**{"account": account, "display_name": account.title()} | fields)
        member.roles.extend(RoleAssignment(role=role, facility_id=at) for role, at in roles)
        request = rpc.CreateStaffMemberRequest(staff_member=member)
        return await self.call("CreateStaffMember", request, token)

    async def update_staff(self, token=None, mask=None, roles=(), **fields):
        member = StaffMember(**fields)
        member.roles.extend(RoleAssignment(role=role, facility_id=at) for role, at in roles)
        request = rpc.UpdateStaffMemberRequest(
            staff_member=member, update_mask=FieldMask(paths=mask or [])
        )
        return await self.call("UpdateStaffMember", request, token)

    async def deactivate(self, staff_id, token=None, **fields):
        request = rpc.DeactivateStaffMemberRequest(staff_id=staff_id, **fields)
        return await self.call("DeactivateStaffMember", request, token)

    async def create_team(self, facility_id, lead, *others, token=None, **fields):
        members = [lead.id, *(other.id for other in others)]
        fields = {"name": "Duty", "lead_id": lead.id, "member_ids": members} | fields
        request = rpc.CreateTeamRequest(team=Team(facility_id=facility_id, **fields))
        return await self.call("CreateTeam", request, token)

    async def update_team(self, token=None, mask=None, **fields):
        request = rpc.UpdateTeamRequest(
            team=Team(**fields), update_mask=FieldMask(paths=mask or [])
        )
        return await self.call("UpdateTeam", request, token)

    async def told(self, kind):
        """The events of one kind in the outbox, in order: as (key, version, event)."""
        async with self.hub.system("identity") as tx:
            rows = await tx._connection.fetch(
                "SELECT key, version, payload FROM outbox WHERE subject = $1 ORDER BY position",
                kind.DESCRIPTOR.full_name,
            )
        return [(row["key"], row["version"], kind.FromString(row["payload"])) for row in rows]


@pytest.fixture
def identity(hub):
    @asynccontextmanager
    async def running(*others, **env):
        async with hub("identity", *others, env=env) as running_hub:
            yield Identity(running_hub)

    return running
