"""Several processes hear things at the same time: whatever order they end in, the plans are those of what was told."""

import asyncio
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID, uuid4

import pytest
from carehub.registry.v1 import registry_events_pb2

from libs.conveyor.inbox import Delivery
from services.careplans.consumers.record import follow_record
from services.careplans.consumers.work import follow_work
from services.careplans.domain.following import follow
from services.careplans.domain.template import template
from services.careplans.store import NeighborStore, PlanStore
from tests.component.careplans.conftest import KEY_DATES, NORMAL
from tests.component.careplans.test_anew import WAITING
from tests.component.careplans.test_around import Encounter, Neighborhood, places

SEEDS = range(12)


class Process:
    """One process of several: what it is told, it works off in a transaction of its own."""

    def __init__(self, c):
        self.c = c

    @asynccontextmanager
    async def working(self, handle, *events):
        """The events, worked off and not yet committed."""
        async with self.c.hub.system("careplans") as tx:
            await handle(tx, [delivery(each) for each in events])
            yield tx

    async def work(self, handle, *events):
        """Until it is done: whoever was slower in a ring of locks, or lost a race, is told again."""
        for _ in range(20):
            try:
                async with self.working(handle, *events):
                    pass
            except Exception as error:
                if type(error).__name__ != "DeadlockDetectedError":
                    raise
            else:
                return
        raise AssertionError("it is never done")


def delivery(event):
    return Delivery(id=uuid4(), event=event, key="", version=event.version, facility_id=None)


def merged(retired, survivor):
    return registry_events_pb2.PatientsMerged(
        retired_id=str(retired), survivor_id=str(survivor), version=1
    )


def seen(c, around, patient):
    event = registry_events_pb2.EncounterChanged(version=1)
    told = event.encounter
    told.id, told.patient_id, told.facility_id = str(uuid4()), str(patient), str(around.clinic)
    told.state = Encounter.STATE_FINISHED
    setattr(told, "class", Encounter.CLASS_OUTPATIENT)
    told.labels.append(NORMAL)
    told.admit_time.seconds = int(c.hub.clock().timestamp()) - 10 * 86400
    return event


def went_home(c, patient):
    id = uuid4()
    return c.loop(id=id, encounter=uuid4(), patient_id=str(patient))


def contact(c, loop):
    return c.task(loop=loop.loop.id, step="contact", role="nurse", due=KEY_DATES["contact_due"])


async def waits(c):
    """Somebody waits for another's lock."""

    async def waiting():
        return (await c.rows(WAITING))[0][0]

    await c.hub.until(waiting, what="one waits for the other")


async def stands(c, loop):
    [plan] = [each for each in await plans(c) if each.loop_id == UUID(loop.loop.id)]
    return plan


async def plans(c):
    async with c.hub.system("careplans") as tx:
        ids = [row["loop_id"] for row in await c.rows("SELECT loop_id FROM care_plans")]
        return list((await PlanStore(tx).of_loops(ids)).values())


async def after_each_other(c, first, second):
    """The second begins before the first is committed, and has to wait for it."""
    process, other = Process(c), Process(c)
    async with process.working(*first):
        late = asyncio.create_task(other.work(*second))
        await waits(c)
    await late


@pytest.fixture
async def here(careplans):
    async with careplans() as c:
        around = Neighborhood(c)
        await around.told()
        yield c, around


@pytest.mark.parametrize("is_visit_first", [True, False])
async def test_a_visit_and_a_loop_that_are_told_at_once_know_of_each_other(here, is_visit_first):
    c, around = here
    loop = went_home(c, c.patient)
    both = [(follow_record, seen(c, around, c.patient)), (follow_work, loop)]
    await after_each_other(c, *(both if is_visit_first else both[::-1]))
    assert around.clinic in places(await stands(c, loop))


@pytest.mark.parametrize("is_task_first", [True, False])
async def test_a_task_and_its_loop_that_are_told_at_once_know_of_each_other(here, is_task_first):
    c, _ = here
    loop = went_home(c, c.patient)
    both = [(follow_work, contact(c, loop)), (follow_work, loop)]
    await after_each_other(c, *(both if is_task_first else both[::-1]))
    assert any(each.task_id for each in (await stands(c, loop)).activities)


@pytest.mark.parametrize("is_merge_first", [True, False])
@pytest.mark.parametrize("what", ["loop", "visit"])
async def test_what_is_told_of_a_record_while_it_retires_is_its_survivors(
    here, is_merge_first, what
):
    c, around = here
    retired, loop = uuid4(), went_home(c, c.patient)
    if what == "visit":
        await Process(c).work(follow_work, loop)
        told = (follow_record, seen(c, around, retired))
    else:
        await Process(c).work(follow_record, seen(c, around, c.patient))
        loop = went_home(c, retired)
        told = (follow_work, loop)
    both = [(follow_record, merged(retired, c.patient)), told]
    await after_each_other(c, *(both if is_merge_first else both[::-1]))
    plan = await stands(c, loop)
    assert plan.patient_id == c.patient
    assert around.clinic in places(plan), "made anew of what is known of the survivor"


@pytest.mark.parametrize("is_last_first", [True, False])
async def test_a_record_that_retires_into_one_that_retires_is_moved_to_the_last(
    here, is_last_first
):
    c, _ = here
    first, second, last = uuid4(), uuid4(), c.patient
    loop = went_home(c, first)
    await Process(c).work(follow_work, loop)
    both = [(follow_record, merged(second, last)), (follow_record, merged(first, second))]
    await after_each_other(c, *(both if is_last_first else both[::-1]))
    assert (await stands(c, loop)).patient_id == last


async def test_whatever_comes_at_once_the_plans_are_those_of_what_was_told(here):
    c, around = here
    for seed in SEEDS:
        await everything_at_once(c, around, Random(seed))


async def everything_at_once(c, around, random):
    """Four records of one person, told of by three processes in batches, in any order."""
    people = [uuid4() for _ in range(4)]
    into = [random.choice(people[n + 1 :]) for n in range(3)]
    merges = [merged(p, s) for p, s in zip(people, into, strict=False)]
    loops = [went_home(c, random.choice(people)) for _ in range(3)]
    work = [*loops, *(contact(c, each) for each in loops)]
    record = [*merges, seen(c, around, random.choice(people))]
    batches = [(follow_work, each) for each in split(work, random)]
    batches += [(follow_record, each) for each in split(record, random)]
    random.shuffle(batches)

    async def process(n):
        for handle, events in batches[n::3]:
            await Process(c).work(handle, *events)

    await asyncio.gather(*(process(n) for n in range(3)))
    ids = [UUID(each.loop.id) for each in loops]
    async with c.hub.system("careplans") as tx:
        store, kept = NeighborStore(tx), await PlanStore(tx).of_loops(ids)
        found = await store.loops(ids)
        assert {each.patient_id for each in (*found, *kept.values())} == {people[-1]}
        near, tasks = await store.around(found), await store.tasks_of(ids)
        for loop in found:
            theirs = [each for each in tasks if each.loop_id == loop.id]
            plan = kept[loop.id]
            made_from = template(plan.template, plan.template_version)
            assert follow(plan, loop, theirs, made_from, near) == plan
            assert around.clinic in places(plan)
            assert any(each.task_id for each in plan.activities)


def split(events, random):
    """In batches, in any order."""
    random.shuffle(events)
    middle = random.randrange(1, len(events))
    return [events[:middle], events[middle:]]
