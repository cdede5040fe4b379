"""Two processes that work off reports of the same people at the same time."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from carehub.interop.v1 import interop_events_pb2, report_pb2
from sqlalchemy import select

from libs.chassis import ids
from libs.chassis.database import sql
from libs.conveyor.inbox import Delivery
from services.registry.consumers import consumers
from services.registry.convert import to_report
from services.registry.domain.encounter import Encounter
from services.registry.domain.known import Known
from services.registry.domain.matching import ExactMatcher
from services.registry.domain.patient import Patient
from services.registry.domain.record import Record
from services.registry.store.schema import encounters, patients
from tests.component.registry.conftest import identifier, person

STATES = sql(select(patients.c.state))
ALL_PATIENTS = sql(select(patients), row=Patient)
ALL_ENCOUNTERS = sql(select(encounters), row=Encounter)
OWNERS = sql(select(encounters.c.patient_id))
VISITS = sql(select(encounters.c.state))


def delivery(event):
    return Delivery(
        id=uuid4(), event=event, key=event.source.message_id, version=1, facility_id=None
    )


async def work_off(feed, *batches):
    """Each batch in a transaction of its own, all at once, again where one fails as the inbox would."""
    consumer, *_ = consumers(ExactMatcher(), ids.new_id)

    async def one(batch):
        for _ in range(20):
            try:
                async with feed.hub.system("registry") as tx:
                    await consumer.handle(tx, batch)
                    return
            except (
                asyncpg.UniqueViolationError,
                asyncpg.DeadlockDetectedError,
                asyncpg.LockNotAvailableError,
            ):
                await asyncio.sleep(0.01)
        raise AssertionError("it never succeeded")

    await asyncio.gather(*map(one, batches))


def visit(feed, trigger, hours, who, number="V1"):
    return delivery(
        interop_events_pb2.VisitReported(
            source=feed.source(trigger, hours),
            person=who,
            visit=report_pb2.ReportedVisit(visit_number=number, patient_class="I"),
        )
    )


async def test_the_same_new_person_in_many_batches_is_one_patient(feed):
    batches = [
        [visit(feed, "A01", hour, person(identifier(str(n))), f"V{n}") for n in range(1, 6)]
        for hour in range(6)
    ]
    await work_off(feed, *batches)
    async with feed.hub.system("registry") as tx:
        assert len(await tx.fetch(STATES)) == 5


async def test_people_who_share_only_a_second_number_are_one_patient(feed):
    shared = identifier("219-09-1234", "USSSA", "SS")
    await work_off(
        feed,
        *([visit(feed, "A01", n, person(identifier(str(n), f"F{n}"), shared), f"V{n}")] for n in range(1, 7)),
    )  # fmt: skip
    async with feed.hub.system("registry") as tx:
        states = Counter(await tx.fetch(STATES))
    assert states["ACTIVE"] == 1


async def test_one_visits_messages_in_many_batches_are_all_folded(feed):
    who = person(identifier("1"))
    stay = (("A01", 0), ("A02", 1), ("A03", 9), ("A13", 10), ("A03", 20))
    await work_off(feed, *([visit(feed, trigger, hours, who)] for trigger, hours in stay))
    async with feed.hub.system("registry") as tx:
        assert await tx.fetch(VISITS) == ["FINISHED"]


async def test_merges_and_messages_at_once_leave_one_patient(feed):
    people = {n: person(identifier(str(n)), given=f"Jane{n}", telecoms=[]) for n in range(1, 5)}
    await work_off(feed, [visit(feed, "A01", n, who, f"V{n}") for n, who in people.items()])

    def merge(survivor, retired, hours):
        merges = [
            interop_events_pb2.ReportedMerge(
                survivor=people[survivor], retired=[identifier(str(retired))]
            )
        ]
        return delivery(
            interop_events_pb2.MergeReported(source=feed.source("A40", hours), merges=merges)
        )

    await work_off(
        feed,
        [merge(1, 2, 10)],
        [visit(feed, "A03", 11, people[2], "V2")],
        [merge(3, 4, 12), visit(feed, "A08", 13, people[1], "V1")],
        [merge(1, 3, 14)],
        [visit(feed, "A03", 15, people[4], "V4")],
    )
    async with feed.hub.system("registry") as tx:
        assert Counter(await tx.fetch(STATES)) == {"ACTIVE": 1, "MERGED": 3}
        owners = await tx.fetch(OWNERS)
    assert len(owners) == 4
    assert len(set(owners)) == 1


def feed_of_a_region(feed, dice, size):
    """Messages about people who share numbers, are merged and come without visit numbers, some of them twice."""
    out = []
    for _ in range(size):
        who = person(
            *(identifier(str(n)) for n in dice.sample(range(1, 40), dice.choice((1, 1, 1, 2)))),
            given=f"Jane{dice.random()}",
            telecoms=[],
        )
        hours = dice.randrange(200)
        if dice.random() < 0.1:
            merge = interop_events_pb2.ReportedMerge(
                survivor=who, retired=[identifier(str(dice.randrange(1, 40)))]
            )
            source = feed.source("A40", hours)
            out.append(interop_events_pb2.MergeReported(source=source, merges=[merge]))
        else:
            trigger = dice.choice(("A01", "A02", "A03", "A04", "A05", "A08", "A11", "A12", "A13"))
            number = dice.choice(("", *(f"V{n}" for n in range(30))))
            said = report_pb2.ReportedVisit(visit_number=number, location=dice.choice("ABC"))
            source = feed.source(trigger, hours)
            event = interop_events_pb2.VisitReported(source=source, person=who, visit=said)
            out.append(event)
    return out + dice.sample(out, size // 3)


def essence(records, visits):
    """Records and visits without ids and versions."""
    active = {r.id: (r.person, r.facility_ids) for r in records if r.merged_into_id is None}
    nobody = UUID(int=0)
    shown = [
        (replace(v, patient_id=nobody, version=1), active[v.patient_id])
        for v in visits
        if not v.is_void
    ]
    return sorted(map(repr, active.values())), sorted(map(repr, shown))


async def test_many_workers_leave_what_one_would_have_left(feed):
    dice = random.Random(20261121)
    events = feed_of_a_region(feed, dice, 300)
    alone = Record(Known(), ExactMatcher(), uuid4, datetime(2026, 11, 1, tzinfo=UTC))
    for report in sorted(map(to_report, events), key=lambda report: report.source.stamp):
        alone.apply(report)

    dice.shuffle(events)
    batches = [[delivery(e) for e in events[i : i + 20]] for i in range(0, len(events), 20)]
    for i in range(0, len(batches), 4):
        await work_off(feed, *batches[i : i + 4])

    async with feed.hub.system("registry") as tx:
        records, visits = await tx.fetch(ALL_PATIENTS), await tx.fetch(ALL_ENCOUNTERS)
    left = essence(alone.patients.values(), alone.encounters.values())
    assert essence(records, visits) == left
