"""The caller token: what identity vouches for, for the next seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from libs.chassis.errors import PermissionDenied, Unauthenticated
from services.identity.domain.role import PERMISSIONS
from services.identity.domain.staff import StaffMember

ISSUER = "carehub-identity"
AUDIENCE = "carehub-internal"
TREATMENT, EMERGENCY = "TREATMENT", "EMERGENCY"
PATIENT_REQUEST, FAMILY_REQUEST = "PATIENT_REQUEST", "FAMILY_REQUEST"
# Who asks in an emergency gives care, too.
ACTING = {
    TREATMENT: (TREATMENT,),
    EMERGENCY: (EMERGENCY, TREATMENT),
    PATIENT_REQUEST: (PATIENT_REQUEST,),
    FAMILY_REQUEST: (FAMILY_REQUEST,),
}
# As a patient, or for one, somebody asks as nothing else, also who works here.
OWN = frozenset({PATIENT_REQUEST, FAMILY_REQUEST})
OWN_READ = "own.read"
BREAK_GLASS = "glass.break"
LIFETIME = timedelta(seconds=30)
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What an access token of the identity provider proved. `session` is the provider's: it outlives the token.

    `acr` is how sure the provider is of the person, and `authenticated_at` since when; not every provider says.
    """

    subject: UUID
    expires_at: datetime
    session: str = ""
    acr: str = ""
    authenticated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Where somebody belongs: all facilities of the network by their organization, and the teams they are in by their facility."""

    organization_of: Mapping[UUID, UUID]
    teams: Mapping[UUID, UUID] = field(default_factory=dict)

    def teams_of(self, member: StaffMember) -> frozenset[UUID]:
        """The teams that count: where they hold no role any more, they may still be listed in one."""
        return frozenset(team for team, place in self.teams.items() if member.works_at(place))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerToken:
    """Who is asking and what they may do where. Never outlives the access token it was made from."""

    id: UUID
    subject: UUID
    name: str
    issued_at: datetime
    expires_at: datetime
    roles: Mapping[str, frozenset[UUID]]
    permissions: Mapping[str, frozenset[UUID]]
    everywhere: frozenset[str]
    organization_of: Mapping[UUID, UUID]
    teams: frozenset[UUID]
    purpose: str
    acr: str
    authenticated_at: datetime | None

    def claims(self) -> dict[str, object]:
        """The payload. Facilities are listed once; roles and permissions point into the list, or say that it is all of it.

        That keeps it short enough for a header of a request: who answers for a network holds everything everywhere.
        """
        held = (*self.roles.values(), *self.permissions.values())
        facilities = sorted(frozenset[UUID]().union(*held))
        index = {facility_id: place for place, facility_id in enumerate(facilities)}
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(self.subject),
            "kind": "PERSON",
            "name": self.name,
            "purpose": self.purpose,
            "purposes": list(ACTING[self.purpose]),
            "teams": [str(team_id) for team_id in sorted(self.teams)],
            "jti": str(self.id),
            "iat": int(self.issued_at.timestamp()),
            "exp": int(self.expires_at.timestamp()),
            "facilities": [str(facility_id) for facility_id in facilities],
            "organizations": [str(self.organization_of[place]) for place in facilities],
            "roles": _pointing_into(index, self.roles),
            "permissions": _pointing_into(index, self.permissions),
            "everywhere": sorted(self.everywhere),
            **_certainty(self.acr, self.authenticated_at),
        }


def vouch(
    member: StaffMember | None,
    *,
    signed_in: SignedIn,
    membership: Membership,
    id: UUID,
    at: datetime,
    purpose: str = TREATMENT,
) -> CallerToken:
    """A caller token for `member`. For an emergency it is refused to whoever may not break the glass."""
    if member is None:
        raise Unauthenticated("STAFF_UNKNOWN", "This account does not belong to the network.")
    if not member.is_active:
        raise Unauthenticated("STAFF_DEACTIVATED", "This account has been deactivated.")
    expires_at = _end(signed_in, at)
    everywhere = frozenset(membership.organization_of)
    permissions = held_by(member, everywhere)
    if purpose == EMERGENCY and BREAK_GLASS not in permissions:
        raise PermissionDenied(
            "EMERGENCY_NOT_YOURS",
            "Your roles do not act in emergencies. Ask without the purpose EMERGENCY.",
            permission=BREAK_GLASS,
        )
    return CallerToken(
        id=id,
        subject=member.id,
        name=member.display_name,
        issued_at=at,
        expires_at=expires_at,
        roles=_where(((str(held.role), held.facility_id) for held in member.roles), everywhere),
        permissions=permissions,
        everywhere=frozenset(p for p, place in _permissions_of(member) if place is None),
        organization_of=membership.organization_of,
        teams=membership.teams_of(member),
        purpose=purpose,
        acr=signed_in.acr,
        authenticated_at=signed_in.authenticated_at,
    )


def vouch_for_own(
    *,
    has_records: bool,
    signed_in: SignedIn,
    id: UUID,
    at: datetime,
    purpose: str,
) -> CallerToken:
    """A caller token of a patient, or of one who acts for a patient: without a role, a team or a place, whoever they are."""
    expires_at = _end(signed_in, at)
    if not has_records:
        raise PermissionDenied(
            "NO_RECORD_OF_YOURS",
            "No record is linked to this account. The facility where you are known can link it.",
        )
    return CallerToken(
        id=id,
        subject=signed_in.subject,
        name="",
        issued_at=at,
        expires_at=expires_at,
        roles={},
        permissions={OWN_READ: frozenset()},
        everywhere=frozenset(),
        organization_of={},
        teams=frozenset(),
        purpose=purpose,
        acr=signed_in.acr,
        authenticated_at=signed_in.authenticated_at,
    )


def _end(signed_in: SignedIn, at: datetime) -> datetime:
    """When the token ends, in whole seconds. UNAUTHENTICATED if that is over."""
    expires_at = min(at + LIFETIME, signed_in.expires_at)
    if expires_at <= at:
        raise Unauthenticated("TOKEN_EXPIRED", "The access token has ended.")
    return datetime.fromtimestamp(int(expires_at.timestamp()), UTC)


def held_by(member: StaffMember, everywhere: frozenset[UUID]) -> Mapping[str, frozenset[UUID]]:
    """Where somebody holds which permission, in a network of these facilities."""
    return _where(_permissions_of(member), everywhere)


def _permissions_of(member: StaffMember) -> Iterable[tuple[str, UUID | None]]:
    for held in member.roles:
        for permission in PERMISSIONS[held.role]:
            yield permission, held.facility_id


def _where(
    held: Iterable[tuple[str, UUID | None]], everywhere: frozenset[UUID]
) -> dict[str, frozenset[UUID]]:
    where: dict[str, frozenset[UUID]] = {}
    for key, facility_id in held:
        here = frozenset({facility_id}) if facility_id else everywhere
        where[key] = where.get(key, frozenset()) | here
    return where


def _certainty(acr: str, authenticated_at: datetime | None) -> dict[str, object]:
    """What the provider says of how sure it is, and nothing that it does not say."""
    said = {"acr": acr or None, "auth_time": authenticated_at and int(authenticated_at.timestamp())}
    return {name: value for name, value in said.items() if value is not None}


def _pointing_into(
    index: Mapping[UUID, int], held: Mapping[str, frozenset[UUID]]
) -> dict[str, list[int] | str]:
    return {
        key: EVERYWHERE
        if len(index) > 1 and held[key] == index.keys()
        else sorted(index[facility_id] for facility_id in held[key])
        for key in sorted(held)
    }
