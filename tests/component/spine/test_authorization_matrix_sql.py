"""The policies of the databases answer every cell of the matrix as the reference decider does, asked as the people's role.

`make test` goes through the subset in which every three values meet; `make test-matrix` (CAREHUB_MATRIX=all) through
every cell.
"""

import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import pytest

from tests.component.spine.stored_matrix import all_of, answers, databases, stored
from tests.reference.stored import STORED, full_size, subset

SUBSET, FULL = 96_965, 139_898_880


@pytest.mark.timeout(600)
async def test_every_cell_of_the_subset_is_right_in_the_databases(servers):
    cells = stored(subset())
    print(
        f"{len(cells):,} cells at the databases, of which {sum(one.shown for one in cells):,} are shown"
    )
    assert len(cells) == SUBSET
    async with databases(servers) as here:
        await here.fill(cells)
        assert await here.rounds(cells) == []


@pytest.mark.skipif(
    os.environ.get("CAREHUB_MATRIX") != "all",
    reason="hours, some minutes each: make test-matrix (CAREHUB_MATRIX=all)",
)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("relationship", STORED["relationship"])
async def test_every_cell_is_right_in_the_databases(servers, relationship):
    """A patient for every row of every scene at every time."""
    told = list(product([relationship], STORED["consent"], STORED["patient"]))
    cells = defaultdict(list)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for scene, answered in zip(told, pool.map(answers, told), strict=True):
            for asked, some in all_of(scene, answered).items():
                cells[asked] += some
    found = []
    async with databases(servers) as here:
        await here.fill(next(iter(cells.values())))
        for some in cells.values():
            await here.beat()
            found += await here.wrong(some)
    counted = sum(map(len, cells.values()))
    print(f"{counted:,} cells at the databases, {len(found)} wrong: {relationship}", flush=True)
    assert counted * len(STORED["relationship"]) == full_size() == FULL
    assert found == []
