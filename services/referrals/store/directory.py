"""The directory in PostgreSQL."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    collate,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.referrals.domain.directory import Organization, Service
from services.referrals.domain.matching import Wanted

PORTION = 500  # so many are ranked without a pause, about 30 ms

metadata = MetaData()
organizations = Table(
    "organizations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("name", Text),
    Column("description", Text),
    Column("body", JSONB),
)
services = Table(
    "services",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("organization_id", Uuid),
    Column("name", Text),
    Column("description", Text),
    Column("status", Text),
    Column("service_types", ARRAY(Text)),
    Column("needs", ARRAY(Text)),
    Column("postal_codes", ARRAY(Text)),
    Column("counties", ARRAY(Text)),
    Column("languages", ARRAY(Text)),
    Column("is_wheelchair_accessible", Boolean),
    Column("eligibility", Text),
    Column("minimum_age", Integer),
    Column("maximum_age", Integer),
    Column("hours", JSONB),
    Column("drivers", Integer),
    Column("answer_hours", Integer),
    Column("capacity_hours", Integer),
    Column("phones", ARRAY(Text)),
    Column("email", Text),
    Column("assured_on", Date),
    Column("capacity", Text),
    Column("capacity_at", DateTime(timezone=True)),
    Column("capacity_until", DateTime(timezone=True)),
    Column("wait", Text),
    Column("body", JSONB),
)
seats = Table(
    "seats",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("seat", Integer, primary_key=True),
)
_ids = param("ids", type_=ARRAY(Uuid))
_one = literal_column("1", type_=Integer)
_new_organization = insert(organizations).values(every_field(organizations))
SAVE_ORGANIZATION = sql(
    _new_organization.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_organization.excluded[c.name] for c in fields_except(organizations, "id")},
        where=organizations.c.version == _new_organization.excluded.version - _one,
    )
)
_new_service = insert(services).values(every_field(services))
SAVE_SERVICE = sql(
    _new_service.on_conflict_do_update(
        index_elements=["id"],
        set_={c: _new_service.excluded[c.name] for c in fields_except(services, "id")},
        where=services.c.version == _new_service.excluded.version - _one,
    )
)
ADD_SEATS = sql(
    insert(seats)
    .from_select(
        ["service_id", "seat"],
        select(
            param("service_id", type_=Uuid),
            func.generate_series(literal_column("0"), param("drivers", type_=Integer) - _one),
        ),
    )
    .on_conflict_do_nothing()
)
LOCK_SEATS = sql(
    select(seats.c.seat)
    .where(
        seats.c.service_id == param("service_id", type_=Uuid),
        seats.c.seat < param("drivers", type_=Integer),
    )
    .order_by(seats.c.seat)
    .with_for_update()
)
ORGANIZATIONS = sql(
    select(organizations).where(organizations.c.id == any_(_ids)).order_by(organizations.c.id),
    row=Organization,
)
LOCK_ORGANIZATIONS = sql(
    select(organizations)
    .where(organizations.c.id == any_(_ids))
    .order_by(organizations.c.id)
    .with_for_update(),
    row=Organization,
)
ORGANIZATIONS_AFTER = sql(
    select(organizations)
    .where(
        tuple_(organizations.c.name, organizations.c.id)
        > tuple_(param("name", type_=Text), param("id", type_=Uuid))
    )
    .order_by(organizations.c.name, organizations.c.id)
    .limit(param("limit", type_=Integer)),
    row=Organization,
)
_named = select(services, organizations.c.name.label("organization_name")).join(
    organizations, organizations.c.id == services.c.organization_id
)
SERVICES = sql(_named.where(services.c.id == any_(_ids)).order_by(services.c.id), row=Service)
LOCK_SERVICES = sql(
    _named.where(services.c.id == any_(_ids)).order_by(services.c.id).with_for_update(of=services),
    row=Service,
)
SERVICES_OF = sql(
    _named.where(services.c.organization_id == any_(_ids)).order_by(services.c.name, services.c.id),
    row=Service,
)
_helps = services.c.needs.contains(param("needs", type_=ARRAY(Text)))
_limit = param("limit", type_=Integer)
_none = literal_column("'{}'", type_=ARRAY(Text))
# The same as `_area` in domain/matching.py, which decides: what is left out here is what it rules out.
MAY_SERVE = or_(
    param("is_anywhere", type_=Boolean),
    services.c.postal_codes.overlap(param("postal_codes", type_=ARRAY(Text))),
    services.c.counties.overlap(param("counties", type_=ARRAY(Text))),
    and_(param("is_any_county", type_=Boolean), services.c.counties != _none),
    and_(services.c.postal_codes == _none, services.c.counties == _none),
)
COUNTIES = sql(select(func.unnest(services.c.counties, type_=Text)).where(_helps).distinct())
FOR_NEED = sql(
    _named.where(_helps, MAY_SERVE, services.c.id > param("after", type_=Uuid))
    .order_by(services.c.id)
    .limit(_limit),
    row=Service,
)
# By name as Python compares names: these are the first of those that `Match.order` puts at the end.
ELSEWHERE = sql(
    _named.where(_helps, not_(MAY_SERVE))
    .order_by(collate(services.c.name, "C"), services.c.id)
    .limit(_limit),
    row=Service,
)
_times = (
    param("since", type_=DateTime(timezone=True)),
    param("until", type_=DateTime(timezone=True)),
)
_taken = func.drivers_taken(_ids, *_times).table_valued(
    column("service_id", Uuid), column("seat", Integer)
)
TAKEN = sql(select(func.jsonb_build_array(_taken.c.service_id, _taken.c.seat, type_=JSONB)))


class DirectoryStore:
    """About no patient: everybody who may read the directory reads all of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def organizations(self, ids: Iterable[UUID]) -> dict[UUID, Organization]:
        found = await self._tx.fetch(ORGANIZATIONS, ids=sorted(set(ids)))
        return {one.id: one for one in found}

    async def hold_organizations(self, ids: Iterable[UUID]) -> dict[UUID, Organization]:
        """The same, to be changed: nobody else changes them until the end of the transaction."""
        found = await self._tx.fetch(LOCK_ORGANIZATIONS, ids=sorted(set(ids)))
        return {one.id: one for one in found}

    async def organizations_after(self, name: str, id: UUID, limit: int) -> list[Organization]:
        return await self._tx.fetch(ORGANIZATIONS_AFTER, name=name, id=id, limit=limit)

    async def get(self, service_id: UUID) -> Service:
        return _there((await self.services([service_id])).get(service_id))

    async def take(self, service_id: UUID) -> Service:
        """The service, to be changed: nobody else changes it until the end of the transaction."""
        found = await self._tx.fetch(LOCK_SERVICES, ids=[service_id])
        return _there(found[0] if found else None)

    async def services(self, ids: Iterable[UUID]) -> dict[UUID, Service]:
        found = await self._tx.fetch(SERVICES, ids=sorted(set(ids)))
        return {one.id: one for one in found}

    async def hold(self, ids: Iterable[UUID]) -> dict[UUID, Service]:
        """The same, to be changed: nobody else changes them until the end of the transaction."""
        found = await self._tx.fetch(LOCK_SERVICES, ids=sorted(set(ids)))
        return {one.id: one for one in found}

    async def services_of(self, organization_ids: Iterable[UUID]) -> list[Service]:
        return await self._tx.fetch(SERVICES_OF, ids=sorted(set(organization_ids)))

    async def for_need(self, wanted: Wanted) -> AsyncIterator[list[Service]]:
        """Every service for the need that may serve the place, by portions."""
        asked, after = await self._asked(wanted), UUID(int=0)
        while found := await self._tx.fetch(FOR_NEED, after=after, limit=PORTION, **asked):
            yield found
            if len(found) < PORTION:
                return
            after = found[-1].id

    async def elsewhere(self, wanted: Wanted, most: int) -> list[Service]:
        """The first by name of those for the need that do not serve the place."""
        if most < 1 or wanted.is_anywhere:
            return []
        return await self._tx.fetch(ELSEWHERE, limit=most, **await self._asked(wanted))

    async def _asked(self, wanted: Wanted) -> dict[str, object]:
        """The need and the place, as the statements ask. Which spellings of a county are meant, the domain says."""
        needs = [wanted.need]
        spelled = await self._tx.fetch(COUNTIES, needs=needs) if wanted.county else []
        return {
            "needs": needs,
            "is_anywhere": wanted.is_anywhere,
            "postal_codes": [wanted.postal_code],
            "counties": [each for each in spelled if wanted.is_in(each)],
            "is_any_county": not wanted.county,
        }

    async def save_organizations(self, changed: Sequence[Organization]) -> None:
        """Write new ones and next versions of those that are held."""
        for one in changed:
            _must_touch(await self._tx.run(SAVE_ORGANIZATION, one))

    async def save(self, changed: Sequence[Service]) -> None:
        """Write new services and next versions of those that are held, and have as many drivers as each has."""
        for one in changed:
            _must_touch(await self._tx.run(SAVE_SERVICE, one))
            if one.drivers:
                await self._tx.run(ADD_SEATS, service_id=one.id, drivers=one.drivers)

    async def drivers_taken(
        self, ids: Iterable[UUID], since: datetime, until: datetime
    ) -> Mapping[UUID, frozenset[int]]:
        """The drivers of each service who are taken at some moment of that time, whoever took them."""
        rows = await self._tx.fetch(TAKEN, ids=sorted(set(ids)), since=since, until=until)
        found: dict[UUID, set[int]] = {}
        for service_id, seat in rows:
            found.setdefault(UUID(service_id), set()).add(seat)
        return {id: frozenset(taken) for id, taken in found.items()}

    async def free_driver(self, service: Service, since: datetime, until: datetime) -> int | None:
        """A driver of the service who is free the whole time, and whom nobody else takes until this commits."""
        seats = await self._tx.fetch(LOCK_SEATS, service_id=service.id, drivers=service.drivers)
        taken = await self.drivers_taken([service.id], since, until)
        return next((s for s in seats if s not in taken.get(service.id, frozenset())), None)


def _must_touch(rows: int) -> None:
    if rows != 1:
        raise Aborted(
            "DIRECTORY_CHANGED", "The directory was changed at the same time. Take it over again."
        )


def _there(service: Service | None) -> Service:
    if service is None:
        raise NotFound("SERVICE_NOT_FOUND", "There is no such service in the directory.")
    return service
