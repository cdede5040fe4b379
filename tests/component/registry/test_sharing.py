"""Creates of one caller that arrive together share a transaction; nobody can tell from the answers."""

import asyncio
from uuid import uuid4

from carehub.registry.v1 import patient_pb2, registry_events_pb2
from sqlalchemy import column, select, table, text

from libs.chassis.database import sql
from libs.chassis.wire import CallFailed
from tests.component.registry.conftest import HARBOR, MERCY
from tests.component.registry.test_patients import typed

AUDITED = sql(
    select(column("patients"), column("request_id"))
    .select_from(table("audit"))
    .where(text("method LIKE '%CreatePatient' AND outcome = 'OK'"))
)
TRANSACTIONS = sql(select(text("count(DISTINCT xmin::text)")).select_from(table("patients")))


def numbered(value, facility=MERCY):
    return typed(
        facility_id=str(facility),
        identifiers=[patient_pb2.Identifier(assigner="MERCY", value=value, type="MR")],
    )


async def create_all(feed, token, patients):
    calls = (feed.call("CreatePatient", token, patient=patient) for patient in patients)
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_they_share_transactions_and_each_has_its_audit_row_and_its_event(feed):
    token = feed.token(MERCY, subject=uuid4())
    created = await create_all(feed, token, [numbered(f"N-{n}") for n in range(24)])
    ids = [patient.id for patient in created]
    assert len(set(ids)) == 24
    assert [patient.identifiers[0].value for patient in created] == [f"N-{n}" for n in range(24)]
    async with feed.hub.system("registry") as tx:
        assert await tx.one(TRANSACTIONS) < 12
        audited = await tx.fetch(AUDITED)
    assert sorted(str(one) for patients in audited for one in patients) == sorted(ids)
    told = await feed.published(registry_events_pb2.PatientChanged)
    assert sorted(event.patient.id for event in told) == sorted(ids)
    again = await feed.call("GetPatient", token, patient_id=ids[5])
    assert again == created[5]


async def test_one_that_is_refused_takes_nobody_with_it(feed):
    token = feed.token(MERCY, subject=uuid4())
    await feed.call("CreatePatient", token, patient=numbered("TAKEN"))
    asked = [numbered(f"N-{n}") for n in range(12)]
    asked[4], asked[9] = numbered("TAKEN"), numbered("N-1", HARBOR)
    answers = await create_all(feed, token, asked)
    refused = {n: a.reason for n, a in enumerate(answers) if isinstance(a, CallFailed)}
    assert refused == {4: "DUPLICATE_IDENTIFIER", 9: "FACILITY_NOT_YOURS"}
    async with feed.hub.system("registry") as tx:
        audited = await tx.fetch(AUDITED)
    assert [len(patients) for patients in audited] == [1] * 11, "what was undone was not shown"


async def test_of_two_with_one_number_that_arrive_together_one_is_made(feed):
    token = feed.token(MERCY, subject=uuid4())
    answers = await create_all(feed, token, [numbered("SAME") for _ in range(6)])
    made = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(made) == 1
    assert {a.reason for a in answers if a not in made} == {"DUPLICATE_IDENTIFIER"}


async def test_a_request_that_is_sent_twice_at_once_makes_one_patient(feed):
    token, request_id = feed.token(MERCY, subject=uuid4()), str(uuid4())

    async def create():
        return await feed.call(
            "CreatePatient", token, patient=numbered("TWICE"), request_id=request_id
        )

    answers = await asyncio.gather(create(), create(), return_exceptions=True)
    made = {a.id for a in answers if not isinstance(a, Exception)}
    assert len(made) == 1
    assert (await create()).id in made


async def test_callers_never_share(feed):
    tokens = [feed.token(MERCY, subject=uuid4()) for _ in range(8)]
    calls = (
        feed.call("CreatePatient", token, patient=numbered(f"C-{n}"))
        for n, token in enumerate(tokens)
    )
    await asyncio.gather(*calls)
    async with feed.hub.system("registry") as tx:
        assert await tx.one(TRANSACTIONS) == 8
