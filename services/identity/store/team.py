"""Teams in PostgreSQL."""

from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.identity.domain.reach import Reach
from services.identity.domain.team import Team
from services.identity.domain.token import Membership
from services.identity.store.facility import FacilityStore
from services.identity.store.schema import teams

GET = sql(select(teams).where(teams.c.id == param("id", type_=Uuid)), row=Team)
OF_MEMBER = sql(
    select(teams)
    .where(teams.c.member_ids.contains(param("among", type_=ARRAY(Uuid))))
    .order_by(teams.c.id),
    row=Team,
)
ADD = sql(insert(teams).values(every_field(teams)))
SAVE = sql(
    update(teams)
    .where(teams.c.id == param("id"), teams.c.version == param("version") - 1)
    .values(every_field(teams))
)
_PAGE = (
    select(teams)
    .where(
        tuple_(teams.c.name, teams.c.id)
        > tuple_(param("after_name", type_=Text), param("after_id", type_=Uuid))
    )
    .order_by(teams.c.name, teams.c.id)
    .limit(param("limit", type_=Integer))
)
PAGE = sql(_PAGE, row=Team)
PAGE_AT_FACILITY = sql(
    _PAGE.where(teams.c.facility_id == param("facility_id", type_=Uuid)), row=Team
)


class TeamStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, team_id: UUID) -> Team | None:
        return await self._tx.one_or_none(GET, id=team_id)

    async def get(self, team_id: UUID) -> Team:
        if team := await self.find(team_id):
            return team
        raise _not_found(team_id)

    async def get_within(self, reach: Reach, team_id: UUID) -> Team:
        """As `get`; a team out of reach is as good as none."""
        team = await self.get(team_id)
        if not reach.covers(team.facility_id):
            raise _not_found(team_id)
        return team

    async def list_of_member(self, staff_id: UUID) -> list[Team]:
        return await self._tx.fetch(OF_MEMBER, among=[staff_id])

    async def membership(self, person_id: UUID) -> Membership:
        """The teams of a person, in the network as it is."""
        return Membership(
            organization_of=await FacilityStore(self._tx).organizations(),
            teams={team.id: team.facility_id for team in await self.list_of_member(person_id)},
        )

    async def add(self, team: Team) -> None:
        await self._tx.run(ADD, team)

    async def save(self, team: Team) -> None:
        """Write the next version, unless somebody else already did."""
        if await self._tx.run(SAVE, team) != 1:
            raise Aborted("STALE_TEAM", "Somebody else changed the team.", team_id=str(team.id))

    async def list_page(
        self, after: tuple[str, UUID], limit: int, *, facility_id: UUID | None
    ) -> list[Team]:
        name, id = after
        if facility_id is None:
            return await self._tx.fetch(PAGE, after_name=name, after_id=id, limit=limit)
        return await self._tx.fetch(
            PAGE_AT_FACILITY, after_name=name, after_id=id, limit=limit, facility_id=facility_id
        )


def _not_found(team_id: UUID) -> NotFound:
    return NotFound("TEAM_NOT_FOUND", "There is no such team.", team_id=str(team_id))
