"""What was recorded about a record that was merged into another one, or about that one: it holds for both."""

import json
from uuid import uuid4

import asyncpg
import pytest
from carehub.registry.v1.patient_pb2 import Patient

from services.identity.domain.access.terms import Purpose
from services.identity.domain.fact import NETWORK_AGREEMENT_ID
from tests.component.identity.recording import Records
from tests.component.identity.test_agreements import Agreements
from tests.component.identity.test_consents import not_found

FAMILY = {"purpose": Purpose.FAMILY_REQUEST}
THEIRS = {"purpose": Purpose.PATIENT_REQUEST}


async def _merged(r, into, version=2):
    """The record of the patient is merged into that of a twin, who is known at the same places."""
    merged = {"state": Patient.STATE_MERGED, "into": into, "version": version}
    await r.network.registered(r.patient, r.here, r.there, **merged)


async def test_what_was_recorded_follows_the_patient_into_the_record_that_survives(identity):
    async with Records.kept(identity) as r:
        twin, last, child = uuid4(), uuid4(), uuid4()
        for record in (twin, last):
            await r.known(record)
        given = await r.give(r.deny())
        await r.add_proxy(child)
        await r.link(child)
        assert await r.there_sees_here(patient=last)
        await _merged(r, twin)
        merged = {"state": Patient.STATE_MERGED, "into": last, "version": 2}
        await r.network.registered(twin, r.here, r.there, **merged)

        async def followed():
            return not await r.there_sees_here(patient=last)

        await r.identity.hub.until(followed, what="the opt-out of the merged record")
        assert await r.sees(r.here, patient=last, person_id=child, **FAMILY)
        assert await r.sees(r.here, patient=last, person_id=child, **THEIRS)
        assert [one.id for one in (await r.list(patient_id=str(last))).consents] == [given.id]
        assert len((await r.list_proxies(patient_id=str(last))).proxies) == 1
        await r.withdraw(given.id)
        assert await r.there_sees_here(patient=last)
        given = await r.give(r.deny(patient_id=str(last)))
        assert not await r.there_sees_here(patient=last)


async def test_a_merge_that_is_taken_back_leaves_to_each_what_was_recorded_about_them(identity):
    async with Records.kept(identity) as r:
        twin = uuid4()
        await r.known(twin)
        await r.give(r.deny())
        await _merged(r, twin)

        async def followed():
            return not await r.there_sees_here(patient=twin)

        await r.identity.hub.until(followed, what="the opt-out of the merged record")
        await r.network.registered(r.patient, r.here, r.there, version=3)

        async def parted():
            return await r.there_sees_here(patient=twin)

        await r.identity.hub.until(parted, what="the twin's own access")
        assert not await r.there_sees_here()


async def test_whom_a_merged_record_refuses_does_not_find_it_out_afterwards(identity):
    async with Records.kept(identity) as r:
        twin = uuid4()
        await r.known(twin)
        member = await r.identity.create_staff("ex", ("nurse", str(r.here)), id=str(r.nurse_id))
        given = await r.give(r.deny(member.id), r.physician)
        await _merged(r, twin)

        async def followed():
            mine = {"person_id": r.nurse_id, "facility_ids": frozenset({r.here})}
            return not await r.sees(r.here, patient=twin, **mine)

        await r.identity.hub.until(followed, what="the refusal of the merged record")
        with not_found():
            await r.withdraw(given.id, r.nurse)
        assert (await r.withdraw(given.id, r.physician)).id == given.id


async def test_whom_the_survivor_refuses_is_refused_what_still_bears_the_id_of_a_merged_record(
    identity,
):
    """Also by a chain of merges, by what is said later, and until it is taken back."""
    async with Records.kept(identity) as r:
        twin, last = uuid4(), uuid4()
        for record in (twin, last):
            await r.known(record)
        await r.identity.create_staff("ex", ("nurse", str(r.here)), id=str(r.nurse_id))
        mine = {"person_id": r.nurse_id, "facility_ids": frozenset({r.here})}
        given = await r.give(r.deny(r.nurse_id, patient_id=str(last)), r.physician)
        merged = {"state": Patient.STATE_MERGED, "version": 2}
        await r.network.registered(r.patient, r.here, r.there, into=twin, **merged)
        await r.network.registered(twin, r.here, r.there, into=last, **merged)

        async def refused():
            return not await r.sees(r.here, patient=r.patient, **mine)

        await r.identity.hub.until(refused, what="the refusal of who survives")
        assert not (await r.access(r.patient)).grants
        await r.withdraw(given.id, r.physician)
        for record in (r.patient, twin, last):
            assert await r.sees(r.here, patient=record, **mine), "as soon as it is answered"
        await r.give(r.deny(r.nurse_id, patient_id=str(last)), r.physician)
        for record in (r.patient, twin, last):
            assert not await r.sees(r.here, patient=record, **mine)


@pytest.mark.parametrize("is_listed_first", [True, False])
async def test_who_was_on_the_list_of_an_agreement_stays_on_it_as_who_survives(
    identity, is_listed_first
):
    async with Records.kept(identity) as r:
        a, twin = Agreements(r), uuid4()
        await r.known(twin)
        await a.end(NETWORK_AGREEMENT_ID)
        await a.until(False, what="nothing is shared")
        here, there, _ = await a.parties()
        listed = a.said(here, there, is_for_listed_patients=True, patient_ids=[str(r.patient)])
        if is_listed_first:
            await a.create(listed)
            await a.until(True, what="the patient on the list")
        await _merged(r, twin)

        async def retired():
            return not (await r.access()).grants

        await r.identity.hub.until(retired, what="the merge")
        if not is_listed_first:
            assert not await r.there_sees_here(patient=twin)
            await a.create(listed)

        async def followed():
            return await r.there_sees_here(patient=twin)

        await r.identity.hub.until(followed, what="the place on the list")
        previewed = await r.preview(r.deny(patient_id=str(twin)))
        assert previewed.effects, "as a preview is told, too"


async def test_who_was_merged_is_found_without_reading_the_facts_of_all_patients(identity, servers):
    """Before anything is known of the tables' size, too: each change to a patient asks it."""
    async with Records.kept(identity) as r:
        survivor, merged = uuid4(), uuid4()
        admin = await asyncpg.connect(servers.admin_url("identity"))
        try:
            await admin.execute(
                "INSERT INTO access_facts (kind, id, version, patient_id, facility_ids, is_holding) SELECT 'PATIENT', "
                "id, 1, id, '{}', true FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 20000)) many"
            )
            await r.known(survivor)
            await r.network.registered(merged, r.here, state=Patient.STATE_MERGED, into=survivor)

            async def found():
                return await admin.fetch("SELECT * FROM merged_into($1)", [survivor])

            assert await r.identity.hub.until(found, what="the merge") == [(merged, survivor)]
            circle = "UPDATE access_facts SET merged_into = $1 WHERE kind = 'PATIENT' AND id = $2"
            await admin.execute(circle, merged, survivor)  # as long as a newer word is on its way
            assert await found() == [(merged, survivor)]
            plan = await admin.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM merged_into('{{{survivor}}}')"
            )
        finally:
            await admin.close()
    assert json.loads(plan)[0]["Plan"]["Shared Hit Blocks"] < 100
