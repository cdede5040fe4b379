"""Organizations, facilities, staff and teams between the domain and protobuf."""

from collections.abc import Callable
from uuid import UUID

from carehub.identity.v1 import facility_pb2, organization_pb2, staff_pb2, team_pb2

from libs.calendars.calendar import NO_HOLIDAYS
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_uuid
from services.identity.domain.facility import Facility
from services.identity.domain.organization import COVERED, Organization, OrganizationKind
from services.identity.domain.role import Role
from services.identity.domain.staff import RoleAssignment, StaffMember
from services.identity.domain.team import Team

Message = (
    organization_pb2.Organization | facility_pb2.Facility | staff_pb2.StaffMember | team_pb2.Team
)


def organization_to_proto(organization: Organization) -> organization_pb2.Organization:
    return organization_pb2.Organization(
        id=str(organization.id),
        etag=etag(organization.version),
        name=organization.name,
        kind=organization_pb2.Organization.Kind.Value(f"KIND_{organization.kind}"),
        is_covered=organization.is_covered,
    )


def organization_to_domain(
    message: organization_pb2.Organization, new_id: Callable[[], UUID]
) -> Organization:
    kinds = organization_pb2.Organization.Kind
    # A number that this version does not know has no name.
    name = kinds.Name(message.kind) if message.kind in kinds.values() else ""
    kind = name.removeprefix("KIND_")
    if kind not in OrganizationKind.__members__:
        raise InvalidArgument("KIND_MISSING", "A kind is needed.", field="organization.kind")
    return Organization(
        id=_id_of("organization", message, new_id),
        name=message.name,
        kind=OrganizationKind(kind),
        is_covered=message.is_covered if message.HasField("is_covered") else kind in COVERED,
    )


def facility_to_proto(facility: Facility) -> facility_pb2.Facility:
    return facility_pb2.Facility(
        id=str(facility.id),
        etag=etag(facility.version),
        organization_id=str(facility.organization_id),
        name=facility.name,
        time_zone=facility.time_zone,
        holiday_calendar=facility.holiday_calendar,
        duty_team_id=_text(facility.duty_team_id),
        phone=facility.phone,
    )


def facility_to_domain(message: facility_pb2.Facility, new_id: Callable[[], UUID]) -> Facility:
    return Facility(
        id=_id_of("facility", message, new_id),
        organization_id=to_uuid("facility.organization_id", message.organization_id),
        name=message.name,
        time_zone=message.time_zone,
        holiday_calendar=message.holiday_calendar or NO_HOLIDAYS,
        duty_team_id=maybe_uuid("facility.duty_team_id", message.duty_team_id),
        phone=message.phone,
    )


def staff_to_proto(member: StaffMember) -> staff_pb2.StaffMember:
    return staff_pb2.StaffMember(
        id=str(member.id),
        etag=etag(member.version),
        account=member.account,
        display_name=member.display_name,
        email=member.email,
        roles=[
            staff_pb2.RoleAssignment(role=held.role, facility_id=_text(held.facility_id))
            for held in member.roles
        ],
        state=staff_pb2.StaffMember.State.Value(f"STATE_{member.state}"),
    )


def staff_to_domain(message: staff_pb2.StaffMember, new_id: Callable[[], UUID]) -> StaffMember:
    """The person as one who works here: the state is never taken from a request."""
    return StaffMember(
        id=_id_of("staff_member", message, new_id),
        account=message.account,
        display_name=message.display_name,
        email=message.email,
        roles=tuple(
            RoleAssignment(
                role=_role("staff_member.roles.role", held.role),
                facility_id=maybe_uuid("staff_member.roles.facility_id", held.facility_id),
            )
            for held in message.roles
        ),
    )


def team_to_proto(team: Team) -> team_pb2.Team:
    return team_pb2.Team(
        id=str(team.id),
        etag=etag(team.version),
        facility_id=str(team.facility_id),
        name=team.name,
        role=team.role or "",
        lead_id=str(team.lead_id),
        member_ids=[str(member_id) for member_id in team.member_ids],
    )


def team_to_domain(message: team_pb2.Team, new_id: Callable[[], UUID]) -> Team:
    return Team(
        id=_id_of("team", message, new_id),
        facility_id=to_uuid("team.facility_id", message.facility_id),
        name=message.name,
        role=_role("team.role", message.role) if message.role else None,
        lead_id=to_uuid("team.lead_id", message.lead_id),
        member_ids=tuple(to_uuid("team.member_ids", text) for text in message.member_ids),
    )


def maybe_uuid(field: str, text: str) -> UUID | None:
    """The id in an optional field."""
    return to_uuid(field, text) if text else None


def _id_of(resource: str, message: Message, new_id: Callable[[], UUID]) -> UUID:
    return to_uuid(f"{resource}.id", message.id) if message.id else new_id()


def _role(field: str, text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InvalidArgument("ROLE_UNKNOWN", "There is no such role.", field=field) from error


def _text(id: UUID | None) -> str:
    return str(id) if id else ""
