"""What is written while two records become one."""

import asyncio
from contextvars import copy_context
from uuid import uuid4

from services.referrals.store import NeighborStore


async def test_what_is_drafted_while_a_merge_comes_in_between_is_the_survivors(referrals):
    async with referrals() as r:
        survivor, outside = uuid4(), copy_context()
        async with r.hub.system("referrals") as tx:
            neighbors = NeighborStore(tx)
            await neighbors.alone_with([r.patient])
            drafting = asyncio.create_task(r.draft(), context=outside)
            await r.until_waited_for(tx)
            await neighbors.merge(r.patient, survivor, 1)
        assert (await drafting).patient_id == str(survivor)
