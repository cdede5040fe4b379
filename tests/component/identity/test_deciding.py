"""What was recorded is decided, whatever else is decided meanwhile and whoever dies."""

from uuid import UUID

import pytest

from services.identity.deciding import decide_anew, decide_soon
from services.identity.store.consent import ConsentStore
from services.identity.store.schema import hold_access
from tests.component.identity.recording import Records, instant


@pytest.mark.parametrize("lasts", [None, 7], ids=["for ever", "a week"])
async def test_a_withdrawal_is_decided_though_who_recorded_it_died_while_others_decided(
    identity, lasts
):
    """The decision has read the facts before, and commits after: what it says of the next turn is not of the withdrawal."""
    async with Records.kept(identity) as r:
        ends = {"end_time": instant(r.now(days=lasts))} if lasts else {}
        given = await r.give(r.permit(r.partner, **ends))
        await r.identity.hub.until(r.is_decided, what="the decision about the permission")
        async with r.identity.hub.system("identity") as deciding:
            await hold_access(deciding)
            await decide_anew(deciding, [r.patient])
            async with r.identity.hub.system("identity") as recording:
                store = ConsentStore(recording)
                before = await store.get(UUID(given.id))
                await store.add(before.taken_back(at=recording.at, by=r.nurse_id))
                await decide_soon(recording, r.patient)
            assert await r.partner_sees_here()

        async def closed():
            return not await r.partner_sees_here()

        await r.identity.hub.until(closed, what="the decision about the withdrawal")
