"""Visits that older value sets labeled are labeled anew, and told of."""

import asyncio
from uuid import UUID

from carehub.access.v1.access_pb2 import LABEL_HIV, LABEL_NORMAL
from carehub.interop.v1 import report_pb2
from carehub.registry.v1 import registry_events_pb2

from services.registry.consumers import RELABELED_AT_ONCE, look_for_outdated, relabel_some
from services.registry.domain.labels import VERSION
from services.registry.domain.relabeling import SETTLES_AFTER
from services.registry.store.labels import LabelStore, _end
from services.registry.store.schema import encounters
from tests.component.registry.conftest import identifier, person

HIV = report_pb2.ReportedDiagnosis(code="B20", system="ICD10CM")


async def relabel(feed):
    async with feed.hub.system("registry") as tx:
        return await relabel_some(tx, UUID(int=0))


async def test_what_an_older_version_labeled_is_labeled_anew_once(feed):
    who = person(identifier("1"))
    await feed.visit("A01", 0, who, diagnoses=[HIV])
    await feed.visit("A03", 5, who)
    await feed.visit("A01", 8, who, visit_number="V2")
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute("UPDATE encounters SET labels = '{NORMAL}', label_version = 0")
    told = len(await feed.published(registry_events_pb2.EncounterChanged))

    assert await relabel(feed) is None
    news = (await feed.published(registry_events_pb2.EncounterChanged))[told:]
    assert {(e.encounter.visit_number, *e.encounter.labels) for e in news} == {
        ("V1", LABEL_HIV),
        ("V2", LABEL_NORMAL),
    }
    assert {e.encounter.label_version for e in news} == {VERSION}
    assert {e.encounter.visit_number: e.version for e in news} == {"V1": 3, "V2": 2}

    await relabel(feed)
    assert len(await feed.published(registry_events_pb2.EncounterChanged)) == told + 2
    assert RELABELED_AT_ONCE > 1


async def look(feed):
    database = feed.hub.host.runtimes["registry"].database
    await look_for_outdated(database, asyncio.Event())


async def write_as(feed, version):
    """As a process does that has other value sets."""
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute("UPDATE encounters SET label_version = $1", version)


async def noted_by(feed, version):
    """What another version says when it looks."""
    async with feed.hub.system("registry") as tx:
        return await LabelStore(tx).labeling(version)


async def versions(feed):
    async with feed.hub.system("registry") as tx:
        found = await tx._connection.fetch("SELECT label_version FROM encounters")
        return {row["label_version"] for row in found}


async def test_once_all_is_labeled_nobody_looks_through_the_rows(feed):
    """A row that has an older version nevertheless shows that nobody looked."""
    await feed.visit("A01", 0, person(identifier("1")))
    await look(feed)
    await write_as(feed, VERSION - 1)  # who is of the version before may still be there, unheard
    await look(feed)
    assert await versions(feed) == {VERSION}

    feed.hub.clock.move(SETTLES_AFTER)
    await write_as(feed, VERSION - 1)
    await look(feed)
    assert await versions(feed) == {VERSION}
    await write_as(feed, VERSION - 1)
    await look(feed)
    assert await versions(feed) == {VERSION - 1}


async def test_who_went_back_to_a_version_and_forth_looks_again(feed):
    await feed.visit("A01", 0, person(identifier("1")))
    await look(feed)
    feed.hub.clock.move(SETTLES_AFTER)
    await look(feed)
    assert (await noted_by(feed, VERSION)).is_settled

    assert not (await noted_by(feed, VERSION - 1)).is_settled
    await write_as(feed, VERSION - 1)
    await look(feed)
    assert await versions(feed) == {VERSION}
    assert not (await noted_by(feed, VERSION)).is_settled


async def test_nothing_is_settled_that_another_version_has_spoken_into(feed):
    before = await noted_by(feed, VERSION)
    await noted_by(feed, VERSION - 1)
    async with feed.hub.system("registry") as tx:
        await LabelStore(tx).settle(before)
    assert not (await noted_by(feed, VERSION - 1)).is_settled
    feed.hub.clock.move(SETTLES_AFTER)
    await noted_by(feed, VERSION)
    async with feed.hub.system("registry") as tx:
        await LabelStore(tx).settle(before)
    assert not (await noted_by(feed, VERSION)).is_settled


async def test_a_large_table_is_looked_through_in_parts(feed, monkeypatch):
    """Of a part that has nothing to be labeled the end is known all the same."""
    for n in range(5):
        await feed.visit("A01", n, person(identifier(str(n))), visit_number=f"V{n}")
    monkeypatch.setattr("services.registry.store.labels.END", _end(encounters, 2))
    async with feed.hub.system("registry") as tx:
        await tx._connection.execute(
            "UPDATE encounters SET label_version = 0 WHERE id = (SELECT max(id::text)::uuid FROM encounters)"
        )
    after, parts = UUID(int=0), 0
    while after:
        async with feed.hub.system("registry") as tx:
            after = await relabel_some(tx, after)
        parts += 1
    assert parts == 3
    assert await versions(feed) == {VERSION}
