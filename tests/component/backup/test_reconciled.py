"""What a restore does besides bringing rows back: access as identity decided it, and versions above what was heard."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from carehub.registry.v1 import registry_events_pb2

from libs.backup import taking
from libs.chassis.ids import new_id
from libs.conveyor.headers import EPOCH
from libs.conveyor.restores import STEP
from libs.local import verify
from libs.testing.hub import event_headers
from tests.component.backup.conftest import SERVICES

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
DENY = "INSERT INTO denials (patient_id, number, grantee_id, purposes, classes, labels, weight) VALUES ($1, 0, $2, '{TREATMENT}', '{VISITS}', '{NORMAL}', 9)"
GRANT = (
    "INSERT INTO grants (patient_id, number, grantee_id, names, purposes, classes, labels, standing, reason)"
    " VALUES ($1, 0, $2, '{}', '{TREATMENT}', '{VISITS}', '{NORMAL}', 1, 'CONSENT')"
)


@asynccontextmanager
async def maintaining(operator, service):
    connection = await asyncpg.connect(operator.servers.url(service, "maintenance"))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def empty(hub, operator):
    async with hub(*SERVICES, env=operator.env):
        pass
    return operator


async def test_a_holder_is_given_what_identity_decided_and_shows_nothing_before_identity_is_heard(
    empty,
):
    patient, withdrawn, forgotten, who, basis = (uuid4() for _ in range(5))
    async with maintaining(empty, "identity") as identity:
        await identity.execute(
            "INSERT INTO access_versions (patient_id, version) VALUES ($1, 4), ($2, 6)",
            patient,
            withdrawn,
        )
        await identity.execute(GRANT, patient, who)
        await identity.execute(DENY, withdrawn, who)
        await identity.execute("INSERT INTO ended_bases VALUES ($1, now())", basis)
        position = await identity.fetchval("SELECT max(position) FROM access_versions")
    async with maintaining(empty, "tasking") as tasking:
        # An older state, as a copy of before the withdrawal has it, and one that identity does not know.
        await tasking.execute(GRANT, withdrawn, who)
        await tasking.execute(GRANT, forgotten, who)
        await tasking.execute(
            "INSERT INTO access_versions VALUES ($1, 5), ($2, 9)", withdrawn, forgotten
        )
        await tasking.execute("DELETE FROM access_heartbeat")
        await tasking.execute("INSERT INTO access_heartbeat (beat_at) VALUES (now())")
    await empty.back_up()
    await empty.restore()
    async with maintaining(empty, "tasking") as tasking:
        granted = await tasking.fetch("SELECT patient_id FROM grants")
        denied = await tasking.fetch("SELECT patient_id FROM denials")
        versions = dict(await tasking.fetch("SELECT patient_id, version FROM access_versions"))
        ended = await tasking.fetch("SELECT basis_id FROM ended_bases")
        beat = await tasking.fetchrow("SELECT beat_at, position FROM access_heartbeat")
    assert [row["patient_id"] for row in granted] == [patient]
    assert [row["patient_id"] for row in denied] == [withdrawn]
    assert versions == {patient: 4, withdrawn: 6}
    assert [row["basis_id"] for row in ended] == [basis]
    assert tuple(beat) == (NEVER, position)


async def test_a_set_in_which_somebody_heard_ahead_says_so_and_is_lifted(empty, monkeypatch):
    monkeypatch.setattr(taking, "_ATTEMPTS", 3)
    async with maintaining(empty, "tasking") as tasking:
        await tasking.execute(
            "INSERT INTO inbox VALUES ('tasking-registry', $1, now()), ('tasking-audit-heads', $2, now())",
            new_id(),
            new_id(),
        )
    manifest = await empty.back_up()
    assert manifest.heard_ahead == 1
    done = await empty.restore()
    for service in SERVICES:
        async with maintaining(empty, service) as connection:
            row = await connection.fetchrow("SELECT epoch, lift FROM restores")
        assert tuple(row) == (done.epoch, done.epoch * STEP)


async def test_a_cut_is_taken_anew_until_it_is_clean(empty, monkeypatch):
    early = new_id()
    async with maintaining(empty, "tasking") as tasking:
        await tasking.execute("INSERT INTO inbox VALUES ('tasking-registry', $1, now())", early)
    looked = taking._heard_ahead

    async def look(connections):
        ahead = await looked(connections)
        if ahead:  # the next time its teller has told it
            async with maintaining(empty, "registry") as registry:
                await registry.execute(
                    "INSERT INTO outbox (id, subject, key, version, payload, headers, created_at)"
                    " VALUES ($1, 'carehub.registry.v1.X', 'k', 1, '', '{}', now())",
                    early,
                )
        return ahead

    monkeypatch.setattr(taking, "_heard_ahead", look)
    manifest = await asyncio.wait_for(empty.back_up(), 30)
    assert manifest.heard_ahead == 0
    assert manifest.services["registry"].tables["outbox"].rows == 1


async def test_a_cut_ledger_that_no_restore_vouches_for_is_still_found(empty):
    """A row in `restores` alone excuses nothing: it has to be signed with the key of heads."""
    await empty.back_up()
    await empty.restore()
    lines = []
    assert await verify.run(SERVICES, SERVICES, empty.env, lines.append) == verify.WHOLE
    assert any("the ledger was cut at place" in line for line in lines)
    for service in SERVICES:
        async with maintaining(empty, service) as connection:
            await connection.execute("UPDATE restores SET sequence = sequence + 1")
    lines.clear()
    await verify.run(SERVICES, SERVICES, empty.env, lines.append)
    assert not any("the ledger was cut at place" in line for line in lines)


async def test_what_was_told_in_an_earlier_epoch_is_passed_over(hub, empty):
    await empty.back_up()
    done = await empty.restore()
    async with hub(*SERVICES, env=empty.env, goes_on=True) as running:
        forgotten, present = uuid4(), uuid4()
        for patient, epoch in ((forgotten, done.epoch - 1), (present, done.epoch)):
            event = registry_events_pb2.PatientChanged(version=1)
            event.patient.id = str(patient)
            event.patient.names.add(family="Ejemplo", given=["Marisol"])
            event.patient.facility_ids.append(str(uuid4()))
            headers = event_headers(uuid4(), patient, 1, None) | {EPOCH: str(epoch)}
            subject = event.DESCRIPTOR.full_name
            await running._nats.jetstream().publish(
                subject, event.SerializeToString(), headers=headers, stream="registry"
            )

        async def heard():
            async with running.system("tasking") as tx:
                return await tx._connection.fetch("SELECT id FROM patients")

        assert [row["id"] for row in await running.until(heard)] == [present]
