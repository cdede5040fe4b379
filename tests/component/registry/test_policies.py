"""What the database itself refuses, whatever the code above it says."""

from uuid import UUID

import asyncpg
import pytest
from carehub.interop.v1.interop_events_pb2 import FeedChanged
from carehub.registry.v1 import patient_pb2

from libs.chassis.door import NOBODY_ELSE, begin
from libs.chassis.wire import CallFailed
from services.registry.domain.search import tag_of
from tests.component.registry.conftest import ELSEWHERE, HARBOR, MERCY, identifier, person


async def as_people(feed, statement, *facilities):
    """What a statement gives to somebody of these facilities, straight from the database."""
    connection = await asyncpg.connect(feed.hub.servers.url("registry", ""))
    try:
        await connection.execute(
            begin(None, facilities, NOBODY_ELSE, 5.0) if facilities else "BEGIN"
        )
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "name", ["patients", "encounters", "links", "descriptions", "patient_search"]
)
async def test_rows_are_shown_where_the_patient_is_known_and_nowhere_else(feed, name):
    await feed.visit("A01", 0, person(identifier("1")))
    rows = f"SELECT count(*) > 0 FROM {name}"
    assert await as_people(feed, rows, MERCY) == [(True,)]
    assert await as_people(feed, rows, ELSEWHERE, HARBOR) == [(False,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_people(feed, rows)


async def of_program(feed, trigger, hours, who, facility, **said):
    source = feed.source(trigger, hours, facility)
    source.provenance.is_part2_program = True
    return await feed.visit(trigger, hours, who, source=source, **said)


@pytest.mark.parametrize("name", ["patients", "program_patients", "encounters", "links"])
async def test_what_a_program_told_is_shown_to_the_program_alone(feed, name):
    await of_program(feed, "A01", 0, person(identifier("1", "HARBOR")), HARBOR)
    rows = f"SELECT count(*) > 0 FROM {name}"
    assert await as_people(feed, rows, HARBOR) == [(True,)]
    assert await as_people(feed, rows, MERCY, ELSEWHERE) == [(False,)]


async def test_a_shared_record_has_nothing_of_what_a_program_told(feed):
    shared = identifier("219-09-1234", "USSSA", "SS")
    await of_program(feed, "A01", 0, person(identifier("7", "HARBOR"), shared), HARBOR)
    await feed.visit("A01", 1, person(identifier("1"), shared), visit_number="V2")
    [(count, facts, places)] = await as_people(
        feed, "SELECT count(*) OVER (), facts::text, facility_ids FROM patients", MERCY
    )
    assert (count, places) == (1, [MERCY])
    assert "HARBOR" not in facts
    assert await as_people(feed, "SELECT facility_id FROM program_patients", MERCY) == []
    assert await as_people(feed, "SELECT facility_id FROM program_patients", HARBOR) == [(HARBOR,)]
    search = "SELECT * FROM search_patients($q$'{}i:7'$q$, 10)"
    assert await as_people(feed, search.format(tag_of(MERCY)), MERCY) == []
    assert len(await as_people(feed, search.format(tag_of(HARBOR)), HARBOR)) == 1


async def test_nobody_learns_by_typing_it_that_a_number_is_one_of_a_program(feed):
    shared = identifier("219-09-1234", "USSSA", "SS")
    await of_program(feed, "A01", 0, person(identifier("7", "HARBOR"), shared), HARBOR)
    await feed.visit("A01", 1, person(identifier("1"), shared), visit_number="V2")
    mine, theirs = (
        patient_pb2.Patient(
            facility_id=str(MERCY),
            names=[patient_pb2.PersonName(family="Ibarra", given=["Luz"])],
            identifiers=[patient_pb2.Identifier(assigner=assigner, value=value, type="MR")],
        )
        for assigner, value in (("MERCY", "1"), ("HARBOR", "7"))
    )
    with pytest.raises(CallFailed) as failed:
        await feed.call("CreatePatient", patient=mine)
    assert failed.value.reason == "DUPLICATE_IDENTIFIER"
    assert (await feed.call("CreatePatient", patient=theirs)).id


async def test_records_that_are_joined_keep_what_programs_told_and_are_found_once(feed):
    await of_program(feed, "A01", 0, person(identifier("7", "HARBOR"), telecoms=[]), HARBOR)
    await of_program(
        feed, "A01", 1, person(identifier("8", "HARBOR"), telecoms=[]), HARBOR, visit_number="V2"
    )
    token = feed.token(HARBOR)
    assert len((await feed.search("Okafor", token)).patients) == 2
    both = person(identifier("7", "HARBOR"), identifier("8", "HARBOR"), telecoms=[])
    await of_program(feed, "A08", 2, both, HARBOR)
    [one] = (await feed.search("Okafor", token)).patients
    assert {i.value for i in one.identifiers} == {"7", "8"}
    assert list(one.facility_ids) == [str(HARBOR)]
    assert (await feed.search("Okafor", feed.token(MERCY))).patients == []


async def test_what_people_type_in_at_a_program_is_the_programs_alone_from_the_first(feed):
    def told(key, place, version, *, is_program):
        event = FeedChanged(version=version)
        event.feed.id, event.feed.facility_id = str(UUID(int=key)), str(place)
        event.feed.provenance.is_part2_program = is_program
        return feed.hub.publish(event, key=event.feed.id, version=version)

    await told(1, HARBOR, 1, is_program=False)
    await told(1, HARBOR, 2, is_program=True)
    await told(2, MERCY, 1, is_program=True)
    await told(3, MERCY, 1, is_program=False)  # a hospital with a program of its own is no program

    async def known():
        async with feed.hub.system("registry") as tx:
            rows = await tx._connection.fetch("SELECT version FROM feeds ORDER BY id")
        return [row["version"] for row in rows] == [2, 1, 1]

    await feed.hub.until(known, what="the feeds")
    for place, places in ((HARBOR, []), (MERCY, [MERCY]), (ELSEWHERE, [ELSEWHERE])):
        patient = patient_pb2.Patient(
            facility_id=str(place),
            names=[patient_pb2.PersonName(family="Ibarra", given=["Luz"])],
        )
        made = await feed.call("CreatePatient", feed.token(place), patient=patient)
        assert list(made.facility_ids) == [str(place)]
        query = f"SELECT facility_ids FROM patients WHERE id = '{made.id}'"
        assert await as_people(feed, query, place) == [(places,)]


@pytest.mark.parametrize("name", ["visit_messages", "reports", "joins"])
async def test_what_is_the_systems_alone_is_shown_to_nobody(feed, name):
    await feed.visit("A01", 0, person(identifier("1")))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_people(feed, f"SELECT * FROM {name}", MERCY)


async def test_nobody_moves_a_record_to_where_they_do_not_work(feed):
    await feed.visit("A01", 0, person(identifier("1")))
    change = "UPDATE patients SET facility_ids = ARRAY['{}'::uuid] RETURNING id"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_people(feed, change.format(ELSEWHERE), MERCY)
    assert await as_people(feed, change.format(ELSEWHERE), ELSEWHERE) == []


async def test_what_the_search_function_finds_is_looked_at_again(feed):
    await feed.visit("A01", 0, person(identifier("1")))
    search = "SELECT p.id FROM search_patients($q$'{}n:OKAFOR'$q$, 10) s JOIN patients p ON p.id = s.patient_id"
    assert len(await as_people(feed, search.format(tag_of(MERCY)), MERCY)) == 1
    assert await as_people(feed, search.format(tag_of(MERCY)), HARBOR) == []
    assert await as_people(feed, search.format(tag_of(HARBOR)), MERCY) == []
