"""Every RPC about a patient answers every cell of the matrix as the reference decider does, and the ledger knows of each answer.

`make test` goes through the subset in which every three values meet; `make test-matrix` (CAREHUB_MATRIX=all) through all.
"""

import os

import pytest

from tests.component.spine.calling import gateway
from tests.component.spine.cloned_matrix import asking, clones
from tests.component.spine.test_labels import region
from tests.reference.asked import everything, fitting, subset

__all__ = ["region"]
SUBSET, OVER_REST, FULL = 11_361, 3_137, 238_560
SHOWN_AT_MOST = 20


async def is_right(region, cells):
    await region.stay("HOSPITAL", 8, 6)
    await has_a_plan(region.hub)
    async with clones(region) as here:
        await here.fill(cells)
        wrong = await here.asked_by_rpc(cells)
        print(
            f"{len(cells):,} cells about patients over RPC: {dict(here.answered)}, {len(wrong)} wrong"
        )
        assert wrong[:SHOWN_AT_MOST] == []
        await is_audited(here)
        async with gateway(region.hub.channels) as client:
            fit = set(fitting())
            wrong = await here.asked_by_rest(client, [one for one in cells if one.cell in fit])
        print(f"{here.over_rest:,} of them over REST, {len(wrong)} wrong")
        assert wrong[:SHOWN_AT_MOST] == []
        return here.over_rest


async def has_a_plan(hub):
    async def followed():
        async with hub.system("careplans") as tx:
            return await tx._connection.fetchval("SELECT count(*) FROM care_plans")

    await hub.until(followed, what="the care plan")


async def is_audited(here):
    """Audit rows : answers with patient data."""
    ledger = await here.audited()
    found = sum(patient in ledger.get(request, ()) for request, patient in here.told.items())
    print(
        f"audit rows : answers with patient data = {found} : {len(here.told)} = {found / len(here.told):.4f}"
    )
    assert found == len(here.told) > 0


@pytest.mark.timeout(900)
async def test_every_cell_of_the_subset_is_right_about_patients(region):
    cells = asking(subset())
    assert len(cells) == SUBSET
    assert await is_right(region, cells) == OVER_REST


@pytest.mark.skipif(
    os.environ.get("CAREHUB_MATRIX") != "all",
    reason="minutes of work: make test-matrix (CAREHUB_MATRIX=all)",
)
@pytest.mark.timeout(3600)
async def test_every_cell_is_right_about_patients(region):
    cells = asking(everything())
    assert len(cells) == FULL
    await is_right(region, cells)
