"""Who and what is of the network, by id alone."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Uuid, any_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Transaction, param, sql
from services.identity.domain.preview import Reader
from services.identity.domain.staff import StaffMember
from services.identity.domain.team import Team
from services.identity.store.facility import FacilityStore
from services.identity.store.schema import facilities, organizations, staff, teams

_ids = param("ids", type_=ARRAY(Uuid))
PLACES_AMONG = sql(
    union_all(*(select(t.c.id).where(t.c.id == any_(_ids)) for t in (facilities, organizations)))
)
PEOPLE_AMONG = sql(union_all(*(select(t.c.id).where(t.c.id == any_(_ids)) for t in (staff, teams))))
ORGANIZATIONS_AMONG = sql(select(organizations.c.id).where(organizations.c.id == any_(_ids)))
TEAMS_AMONG = sql(select(teams).where(teams.c.id == any_(_ids)), row=Team)
TEAMS_OF = sql(select(teams).where(teams.c.member_ids.overlap(_ids)), row=Team)
STAFF_AMONG = sql(select(staff).where(staff.c.id == any_(_ids)), row=StaffMember)


class NetworkStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def places_among(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """The facilities and organizations of the network."""
        return frozenset(await self._tx.fetch(PLACES_AMONG, ids=list(ids)))

    async def organizations_among(self, ids: Collection[UUID]) -> frozenset[UUID]:
        return frozenset(await self._tx.fetch(ORGANIZATIONS_AMONG, ids=list(ids)))

    async def people_among(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """The staff and teams of the network, also those who have left."""
        return frozenset(await self._tx.fetch(PEOPLE_AMONG, ids=list(ids)))

    async def staff_among(self, ids: Collection[UUID]) -> dict[UUID, StaffMember]:
        """The people among them, also those who have left."""
        return {one.id: one for one in await self._tx.fetch(STAFF_AMONG, ids=list(ids))}

    async def readers(self, ids: Collection[UUID]) -> list[Reader]:
        """What each of them is besides themselves: where people work, whose a facility is, in order of their ids."""
        organization_of = await FacilityStore(self._tx).organizations()
        staff = await self.staff_among(ids)
        teams = {one.id: one for one in await self._tx.fetch(TEAMS_AMONG, ids=list(ids))}
        joined = await self._tx.fetch(TEAMS_OF, ids=list(staff))
        readers = []
        for id in sorted(ids):
            places = _workplaces(id, staff, teams, frozenset(organization_of))
            readers.append(
                Reader(
                    id=id,
                    team_ids=frozenset(
                        team.id
                        for team in joined
                        if id in team.member_ids and team.facility_id in places
                    ),
                    facility_ids=places,
                    organization_ids=frozenset(organization_of[place] for place in places),
                )
            )
        return readers


def _workplaces(
    id: UUID,
    staff: Mapping[UUID, StaffMember],
    teams: Mapping[UUID, Team],
    facilities: frozenset[UUID],
) -> frozenset[UUID]:
    """A facility is asked about as who works there, a team as who works where it does."""
    if id in staff:
        held = {role.facility_id for role in staff[id].roles}
        return facilities if None in held else facilities & held
    return facilities & ({teams[id].facility_id} if id in teams else {id})
