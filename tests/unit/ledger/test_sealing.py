"""The form in which rows are sealed: it must never change, for what was sealed stays sealed."""

import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from asyncpg.pgproto import pgproto

from libs.ledger.sealing import Row, beginning, chain

ROW = Row(
    id=UUID("0190a5a0-0000-7000-8000-000000000001"),
    at=datetime(2026, 11, 22, 8, 30, 0, 120, tzinfo=UTC),
    subject=UUID(int=1),
    method="/carehub.tasking.v1.TaskingService/GetTask",
    resource="Ünïcode",
    patients=[UUID(int=2), UUID(int=3)],
    outcome="OK",
    reason="",
    purpose="TREATMENT",
    facilities=[UUID(int=4)],
    request_id="r-1",
    roles=["nurse"],
    address="192.0.2.7",
)
CANONICAL = (
    '["0190a5a0-0000-7000-8000-000000000001","2026-11-22T08:30:00.000120+00:00",'
    '"00000000-0000-0000-0000-000000000001","/carehub.tasking.v1.TaskingService/GetTask","Ünïcode",'
    '["00000000-0000-0000-0000-000000000002","00000000-0000-0000-0000-000000000003"],"OK","","TREATMENT",'
    '["00000000-0000-0000-0000-000000000004"],"r-1",["nurse"],"192.0.2.7"]'
)


def test_form_1_is_this():
    assert ROW.canonical() == CANONICAL.encode()
    assert ROW.digest() == hashlib.sha256(CANONICAL.encode()).digest()


def test_what_the_driver_gives_has_the_same_form():
    driven = replace(
        ROW,
        id=pgproto.UUID(ROW.id.bytes),
        patients=[pgproto.UUID(one.bytes) for one in ROW.patients],
    )
    assert driven.canonical() == ROW.canonical()
    assert replace(ROW, at=ROW.at.replace(microsecond=0)).canonical() != ROW.canonical()


@pytest.mark.parametrize("name", [field.name for field in fields(Row)])
def test_every_column_counts(name):
    others = {
        "id": UUID(int=9), "at": datetime(2026, 11, 22, 8, 30, 0, 121, tzinfo=UTC), "subject": None,
        "patients": ROW.patients[::-1], "facilities": [], "roles": [],
    }  # fmt: skip
    other = replace(ROW, **{name: others.get(name, "another")})
    assert other.digest() != ROW.digest()


def test_nothing_moves_unseen_from_one_column_into_the_next():
    assert replace(ROW, outcome="", reason="OK").digest() != ROW.digest()
    assert replace(ROW, roles=["a", "b"]).digest() != replace(ROW, roles=["a,b"]).digest()
    assert replace(ROW, subject=None).digest() != replace(ROW, subject=UUID(int=0)).digest()


def test_a_link_holds_on_to_the_one_before_its_place_its_row_and_its_service():
    start = beginning("tasking")
    link = chain(start, 1, ROW.id, ROW.digest())
    assert (
        link.hex()
        == hashlib.sha256(start + (1).to_bytes(8, "big") + ROW.id.bytes + ROW.digest()).hexdigest()
    )
    others = {
        chain(beginning("registry"), 1, ROW.id, ROW.digest()),
        chain(start, 2, ROW.id, ROW.digest()),
        chain(start, 1, UUID(int=9), ROW.digest()),
        chain(start, 1, ROW.id, ROW.digest()[::-1]),
        link,
    }
    assert len(others) == 5
