"""Facilities in PostgreSQL."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, exists, insert, select, tuple_, update

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.identity.domain.facility import Facility
from services.identity.domain.reach import Reach
from services.identity.store.schema import facilities


@dataclass(frozen=True, slots=True)
class Place:
    """A facility, and whose it is."""

    id: UUID
    organization_id: UUID


@dataclass(frozen=True, slots=True)
class _Named:
    id: UUID
    name: str


GET = sql(select(facilities).where(facilities.c.id == param("id", type_=Uuid)), row=Facility)
IDS = sql(select(facilities.c.id).order_by(facilities.c.id))
PLACES = sql(select(facilities.c.id, facilities.c.organization_id), row=Place)
NAMES = sql(select(facilities.c.id, facilities.c.name), row=_Named)
ON_DUTY = sql(select(exists().where(facilities.c.duty_team_id == param("team_id", type_=Uuid))))
ADD = sql(insert(facilities).values(every_field(facilities)))
SAVE = sql(
    update(facilities)
    .where(facilities.c.id == param("id"), facilities.c.version == param("version") - 1)
    .values(every_field(facilities))
)
PAGE = sql(
    select(facilities)
    .where(
        tuple_(facilities.c.name, facilities.c.id)
        > tuple_(param("after_name", type_=Text), param("after_id", type_=Uuid))
    )
    .order_by(facilities.c.name, facilities.c.id)
    .limit(param("limit", type_=Integer)),
    row=Facility,
)


class FacilityStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, facility_id: UUID) -> Facility | None:
        return await self._tx.one_or_none(GET, id=facility_id)

    async def get(self, facility_id: UUID) -> Facility:
        if facility := await self.find(facility_id):
            return facility
        raise _not_found(facility_id)

    async def get_within(self, reach: Reach, facility_id: UUID) -> Facility:
        """As `get`; a facility out of reach is as good as none."""
        facility = await self.get(facility_id)
        if not reach.covers(facility.id):
            raise _not_found(facility_id)
        return facility

    async def ids(self) -> list[UUID]:
        """Every facility of the network."""
        return await self._tx.fetch(IDS)

    async def organizations(self) -> dict[UUID, UUID]:
        """Every facility of the network, and whose it is."""
        return {place.id: place.organization_id for place in await self._tx.fetch(PLACES)}

    async def names(self) -> dict[UUID, str]:
        """What every facility of the network is called."""
        return {place.id: place.name for place in await self._tx.fetch(NAMES)}

    async def is_on_duty(self, team_id: UUID) -> bool:
        """Whether the team is some facility's duty team."""
        return bool(await self._tx.one(ON_DUTY, team_id=team_id))

    async def add(self, facility: Facility) -> None:
        await self._tx.run(ADD, facility)

    async def save(self, facility: Facility) -> None:
        """Write the next version, unless somebody else already did."""
        if await self._tx.run(SAVE, facility) != 1:
            raise Aborted(
                "STALE_FACILITY",
                "Somebody else changed the facility.",
                facility_id=str(facility.id),
            )

    async def list_page(self, after: tuple[str, UUID], limit: int) -> list[Facility]:
        return await self._tx.fetch(PAGE, after_name=after[0], after_id=after[1], limit=limit)


def _not_found(facility_id: UUID) -> NotFound:
    return NotFound(
        "FACILITY_NOT_FOUND", "There is no such facility.", facility_id=str(facility_id)
    )
