"""What identity tells the others. Each event carries the resource as it is now."""

from carehub.identity.v1 import identity_events_pb2

from libs.chassis import outbox
from libs.chassis.database import Transaction
from libs.chassis.fields import to_timestamp
from services.identity.convert.directory import (
    facility_to_proto,
    organization_to_proto,
    staff_to_proto,
    team_to_proto,
)
from services.identity.domain.facility import Facility
from services.identity.domain.grant import Grant
from services.identity.domain.organization import Organization
from services.identity.domain.staff import StaffMember
from services.identity.domain.team import Team


async def organization_changed(tx: Transaction, organization: Organization) -> None:
    event = identity_events_pb2.OrganizationChanged(
        organization=organization_to_proto(organization), version=organization.version
    )
    await outbox.add(tx, event, key=organization.id, version=organization.version)


async def facility_changed(tx: Transaction, facility: Facility) -> None:
    event = identity_events_pb2.FacilityChanged(
        facility=facility_to_proto(facility), version=facility.version
    )
    await outbox.add(tx, event, key=facility.id, version=facility.version, facility_id=facility.id)


async def staff_changed(tx: Transaction, member: StaffMember) -> None:
    event = identity_events_pb2.StaffChanged(
        staff_member=staff_to_proto(member), version=member.version
    )
    await outbox.add(tx, event, key=member.id, version=member.version)


async def team_changed(tx: Transaction, team: Team) -> None:
    event = identity_events_pb2.TeamChanged(team=team_to_proto(team), version=team.version)
    await outbox.add(tx, event, key=team.id, version=team.version, facility_id=team.facility_id)


async def grant_changed(tx: Transaction, grant: Grant) -> None:
    event = identity_events_pb2.GrantChanged(
        grant_id=str(grant.id),
        version=grant.version,
        facility_id=str(grant.facility_id),
        patient_id=str(grant.patient_id),
        reason=grant.reason,
        expire_time=to_timestamp(grant.expires_at),
        is_active=grant.is_active,
    )
    await outbox.add(tx, event, key=grant.id, version=grant.version, facility_id=grant.facility_id)
