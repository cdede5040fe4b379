"""Statements are compiled at import, and what cannot be carried is refused there."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid4

import pytest
from sqlalchemy import ARRAY, Column, Integer, MetaData, Table, Text, Uuid, any_, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from libs.chassis.database import StatementError, every_field, param, sql

things = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("state", Text),
    Column("parts", JSONB),
    Column("tags", ARRAY(Text)),
)


class State(StrEnum):
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    owner_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    id: UUID
    state: State
    parts: tuple[Part, ...]
    tags: frozenset[str]


def test_parameters_are_numbered_by_name_and_constants_stay():
    statement = sql(select(things.c.id).where(things.c.id == param("id"), things.c.state == "OPEN"))
    assert "$1::UUID" in statement.text
    assert statement.arguments(None, {"id": 7}) == [7, "OPEN"]


def test_arguments_come_from_the_object_where_no_value_is_given():
    statement = sql(insert(things).values(every_field(things)))
    part = Part(name="a", owner_id=uuid4())
    thing = Thing(id=uuid4(), state=State.OPEN, parts=(part,), tags=frozenset({"x"}))
    assert statement.arguments(thing, {}) == [thing.id, "OPEN", (part,), frozenset({"x"})]


def test_a_row_becomes_the_dataclass_with_its_nested_values():
    owner, id = uuid4(), uuid4()
    statement = sql(select(things), row=Thing)
    record = {
        "id": id,
        "state": "OPEN",
        "parts": f'[{{"name": "a", "owner_id": "{owner}"}}]',
        "tags": ["x"],
    }
    assert statement.decode(record) == Thing(
        id=id, state=State.OPEN, parts=(Part(name="a", owner_id=owner),), tags=frozenset({"x"})
    )


def test_an_expanding_in_is_refused():
    with pytest.raises(StatementError, match="expanding"):
        sql(select(things).where(things.c.state.in_(["A", "B"])))


def test_any_over_an_array_is_carried():
    statement = sql(select(things.c.id).where(things.c.id == any_(param("ids", type_=ARRAY(Uuid)))))
    assert "ANY ($1::UUID[])" in statement.text


def test_a_python_default_is_refused():
    table = Table("t", MetaData(), Column("a", Integer), Column("b", Integer, default=lambda: 1))
    with pytest.raises(StatementError, match="default"):
        sql(insert(table).values(a=param("a")))


def test_duplicate_labels_are_refused():
    with pytest.raises(StatementError, match="duplicate"):
        sql(select(things.c.id, things.c.state.label("id")), row=Thing)


def test_a_column_that_the_dataclass_does_not_know_is_refused():
    with pytest.raises(StatementError, match="no field"):
        sql(select(things.c.id, things.c.state.label("condition")), row=Thing)
