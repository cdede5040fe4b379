"""Medicines compared anew because the patient left later, and what is written while a merge comes in between."""

import asyncio
from contextvars import copy_context
from datetime import timedelta
from uuid import uuid4

import pytest
from carehub.careplans.v1 import careplans_events_pb2

from services.careplans.domain.neighbor import Merge
from services.careplans.store import NeighborStore
from tests.component.careplans.conftest import BEFORE, NOW
from tests.component.careplans.test_reconciliations import (
    CONTINUE,
    HOME,
    HOSPITAL,
    STOP,
    Rec,
    refused,
)

WAITING = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_signed_before_the_patient_left_it_is_opened_anew_and_the_signature_kept(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        at = {"reconciliation_id": found.id}
        for line in found.lines:
            await c.decide(found, line, STOP)
        signed = await c.call("SignReconciliation", **at)
        again = {"encounter_id": str(encounter)}
        await c.visit(encounter, 1, left=NOW - timedelta(hours=1))
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE left_at IS NOT NULL", 1)
        assert await c.call("OpenReconciliation", **again) == signed, "signed after the discharge"
        await c.visit(encounter, 2, left=NOW + timedelta(days=2))
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE encounter_version = 2", 1)
        failed = await refused("RECONCILIATION_SIGNED", c.enter(encounter, HOME, HOSPITAL))
        assert "open it anew" in failed.message
        c.hub.clock.set(NOW + timedelta(days=3))
        opened = await c.call("OpenReconciliation", **again)
        assert (opened.state, opened.undecided_count) == (Rec.STATE_OPEN, 0)
        assert not opened.HasField("sign_time")
        (kept,) = opened.earlier_signatures
        assert (kept.signed_by_id, kept.sign_time) == (signed.signed_by_id, signed.sign_time)
        await c.enter(encounter, HOME, f"{HOSPITAL}Spironolactone 25 mg daily")
        now = await c.call("GetReconciliation", **at)
        (new,) = [each for each in now.lines if not each.decision]
        await c.decide(now, new, CONTINUE)
        last = await c.call("SignReconciliation", **at)
        assert last.sign_time.seconds > kept.sign_time.seconds
        assert list(last.earlier_signatures) == [kept]
        assert await c.call("OpenReconciliation", **again) == last
        told = await c.told(careplans_events_pb2.ReconciliationChanged)
        assert [event.reconciliation.state for event in told].count(Rec.STATE_SIGNED) == 2


@pytest.mark.parametrize("what", ["EnterMedicines", "OpenCarePlan"])
async def test_what_is_written_while_a_merge_comes_in_between_is_the_survivors(careplans, what):
    async with careplans() as c:
        survivor, here, patient = uuid4(), str(c.here), str(c.patient)
        fields = {"encounter_id": str(uuid4()), "side": BEFORE, "text": HOME}
        if what == "OpenCarePlan":
            fields = {"template": "heart-failure"}
        outside = copy_context()
        async with c.hub.system("careplans") as tx:
            store = NeighborStore(tx)
            await store.alone_with([c.patient])
            call = c.call(what, patient_id=patient, facility_id=here, **fields)
            writing = asyncio.create_task(call, context=outside)
            await c.until_rows(WAITING, 1)
            await store.merge(Merge(retired_id=c.patient, survivor_id=survivor))
        assert (await writing).patient_id == str(survivor)
