"""What the database itself refuses, whatever the code above it says."""

import asyncpg
import pytest

from libs.chassis.door import NOBODY_ELSE, begin
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
