"""What neighbors told, newest only; and the lock that keeps two changes of one patient apart."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Table, Uuid, any_, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis import locks
from libs.chassis.access import denials
from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from services.careplans.domain.around import Around, by_patient
from services.careplans.domain.neighbor import (
    Denial,
    Facility,
    KnownFeed,
    Merge,
    Organization,
    Owner,
    Seen,
)
from services.careplans.domain.work import Loop, Task
from services.careplans.store.schema import (
    facilities,
    feeds,
    loops,
    merges,
    organizations,
    owners,
    seen,
    tasks,
)

_ids = param("ids", type_=ARRAY(Uuid))


def _keep(table: Table, key: str = "id") -> Statement[UUID]:
    """Write a row if it is newer; its id if it was."""
    new = insert(table).values(every_field(table))
    return sql(
        new.on_conflict_do_update(
            index_elements=[key],
            set_={c: new.excluded[c.name] for c in fields_except(table, key)},
            where=table.c.version < new.excluded.version,
        )
    )


KEEP_FACILITY, KEEP_OWNER, KEEP_FEED = _keep(facilities), _keep(owners), _keep(feeds)
KEEP_LOOP, KEEP_TASK = _keep(loops), _keep(tasks)
KEEP_ORGANIZATION, KEEP_SEEN = _keep(organizations), _keep(seen, "encounter_id")
ORGANIZATIONS = sql(select(organizations).where(organizations.c.id == any_(_ids)), row=Organization)
SEEN_OF = sql(
    select(seen)
    .where(seen.c.patient_id == any_(_ids), seen.c.counts)
    .order_by(seen.c.encounter_id),
    row=Seen,
)
# Those in force of what an ordinary row can meet at work, whatever weighs more: see Around.
DENIALS_OF = sql(
    select(denials.c.patient_id, denials.c.grantee_id, denials.c.sources, denials.c.classes)
    .where(
        denials.c.patient_id == any_(_ids),
        denials.c.purposes.contains(literal_column("ARRAY['TREATMENT']")),
        denials.c.labels.contains(literal_column("ARRAY['NORMAL']")),
        or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
    )
    .order_by(denials.c.patient_id, denials.c.number),
    row=Denial,
)
SEEN_BY = sql(select(seen).where(seen.c.encounter_id == any_(_ids)), row=Seen)
TEAMS_AT = sql(
    select(owners).where(owners.c.facility_id == any_(_ids), owners.c.is_active), row=Owner
)
OPEN_LOOPS_OF = sql(
    select(loops)
    .where(loops.c.patient_id == any_(_ids), loops.c.state == literal_column("'OPEN'"))
    .order_by(loops.c.id),
    row=Loop,
)
MOVE_SEEN = sql(
    update(seen)
    .where(seen.c.patient_id == param("retired", type_=Uuid))
    .values(patient_id=param("survivor", type_=Uuid))
)
FACILITY = sql(select(facilities).where(facilities.c.id == param("id", type_=Uuid)), row=Facility)
FACILITIES = sql(select(facilities).where(facilities.c.id == any_(_ids)), row=Facility)
OWNERS = sql(select(owners).where(owners.c.id == any_(_ids)), row=Owner)
_place = func.unnest(feeds.c.facility_ids).label("place")
_placed = select(_place, feeds.c.is_program).subquery()
IS_PROGRAM = sql(
    select(func.coalesce(func.bool_and(_placed.c.is_program), literal_column("false"))).where(
        _placed.c.place == param("id", type_=Uuid)
    )
)
LOOPS = sql(select(loops).where(loops.c.id == any_(_ids)).order_by(loops.c.id), row=Loop)
LOOP_ABOUT = sql(
    select(loops).where(loops.c.encounter_id == param("id", type_=Uuid)).order_by(loops.c.id),
    row=Loop,
)
TASKS_OF = sql(
    select(tasks).where(tasks.c.loop_id == any_(_ids)).order_by(tasks.c.loop_id, tasks.c.id),
    row=Task,
)
MOVE_LOOPS = sql(
    update(loops)
    .where(loops.c.patient_id == param("retired", type_=Uuid))
    .values(patient_id=param("survivor", type_=Uuid))
)
MERGES = sql(select(merges).where(merges.c.retired_id == any_(_ids)), row=Merge)
_merge = insert(merges).values(every_field(merges))
MERGE = sql(
    _merge.on_conflict_do_update(
        index_elements=["retired_id"], set_={"survivor_id": _merge.excluded.survivor_id}
    )
)
FOLLOW_ON = sql(
    update(merges)
    .where(merges.c.survivor_id == param("retired", type_=Uuid))
    .values(survivor_id=param("survivor", type_=Uuid))
)
LOCK = locks.IdLock(11)


class NeighborStore:
    """What identity, interop, registry and tasking told."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Be alone with what is here of these patients, and of whom their records live on in, until the transaction ends;
        who each of them is now. Everybody who changes it is.

        Call it once, with all of them: who takes locks one after the other may wait in a ring.
        """
        return await locks.alone_with(patient_ids, self.survivors, self._lock)

    async def hold_loops(self, loop_ids: Iterable[UUID]) -> None:
        """Be alone with these loops and their tasks, of which either may come first; before one is alone with patients."""
        await self._lock(loop_ids)

    async def _lock(self, ids: Iterable[UUID]) -> None:
        await LOCK.take(self._tx, ids)

    async def keep_facilities(self, told: Sequence[Facility]) -> None:
        await self._tx.run_many(KEEP_FACILITY, told)

    async def keep_owners(self, told: Sequence[Owner]) -> None:
        await self._tx.run_many(KEEP_OWNER, told)

    async def keep_feeds(self, told: Sequence[KnownFeed]) -> None:
        await self._tx.run_many(KEEP_FEED, told)

    async def keep_loops(self, told: Sequence[Loop]) -> None:
        await self._tx.run_many(KEEP_LOOP, told)

    async def keep_tasks(self, told: Sequence[Task]) -> None:
        await self._tx.run_many(KEEP_TASK, told)

    async def keep_organizations(self, told: Sequence[Organization]) -> None:
        await self._tx.run_many(KEEP_ORGANIZATION, told)

    async def seen_by(self, encounter_ids: Iterable[UUID]) -> list[Seen]:
        """What is known of these visits, whether they count or not."""
        return await self._tx.fetch(SEEN_BY, ids=sorted(set(encounter_ids)))

    async def keep_seen(self, told: Sequence[Seen]) -> None:
        await self._tx.run_many(KEEP_SEEN, told)

    async def around(self, loops: Sequence[Loop]) -> Around:
        """Where else the patients of these loops are known, and who works there and here."""
        patients = sorted({loop.patient_id for loop in loops})
        found = await self._tx.fetch(SEEN_OF, ids=patients)
        denied = await self._tx.fetch(DENIALS_OF, ids=patients)
        ids = {visit.facility_id for visit in found} | {loop.facility_id for loop in loops}
        return replace(await self.places(ids), seen=by_patient(found), denials=by_patient(denied))

    async def places(self, facility_ids: Iterable[UUID]) -> Around:
        """Who works at these facilities, and whose they are."""
        ids = sorted(set(facility_ids))
        places = await self.facilities(ids)
        whose = {each.organization_id for each in places.values() if each.organization_id}
        known = await self._tx.fetch(ORGANIZATIONS, ids=sorted(whose))
        return Around(
            facilities=places,
            organizations=frozenset(each.id for each in known),
            community=frozenset(each.id for each in known if each.is_community),
            teams=await self._tx.fetch(TEAMS_AT, ids=ids),
        )

    async def open_loops_of(self, patient_ids: Iterable[UUID]) -> list[Loop]:
        return await self._tx.fetch(OPEN_LOOPS_OF, ids=sorted(set(patient_ids)))

    async def facility(self, facility_id: UUID) -> Facility | None:
        return await self._tx.one_or_none(FACILITY, id=facility_id)

    async def facilities(self, ids: Iterable[UUID]) -> dict[UUID, Facility]:
        found = await self._tx.fetch(FACILITIES, ids=sorted(set(ids)))
        return {each.id: each for each in found}

    async def owners(self, ids: Iterable[UUID]) -> dict[UUID, Owner]:
        found = await self._tx.fetch(OWNERS, ids=sorted(set(ids)))
        return {each.id: each for each in found}

    async def is_program(self, facility_id: UUID) -> bool:
        """Whether a facility has feeds, and none but those of a program under 42 CFR Part 2."""
        return bool(await self._tx.one(IS_PROGRAM, id=facility_id))

    async def loops(self, ids: Iterable[UUID]) -> list[Loop]:
        return await self._tx.fetch(LOOPS, ids=sorted(set(ids)))

    async def loop_about(self, encounter_id: UUID) -> Loop | None:
        """The loop of a stay, of those that open plans."""
        return await self._tx.one_or_none(LOOP_ABOUT, id=encounter_id)

    async def tasks_of(self, loop_ids: Iterable[UUID]) -> list[Task]:
        return await self._tx.fetch(TASKS_OF, ids=sorted(set(loop_ids)))

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The record that each of these lives on in: itself, unless it was merged."""
        ids = sorted(set(patient_ids))
        known = {
            each.retired_id: each.survivor_id for each in await self._tx.fetch(MERGES, ids=ids)
        }
        return {each: known.get(each, each) for each in ids}

    async def merge(self, merge: Merge) -> None:
        """Remember which record lives on in which, whatever order merges come in; and move the loops and visits."""
        await self._tx.run(MERGE, merge)
        retired, survivor = merge.retired_id, merge.survivor_id
        await self._tx.run(FOLLOW_ON, retired=retired, survivor=survivor)
        await self._tx.run(MOVE_LOOPS, retired=retired, survivor=survivor)
        await self._tx.run(MOVE_SEEN, retired=retired, survivor=survivor)
