"""What a program under 42 CFR Part 2 asks for is a record of that program, from the first and from before."""

import asyncio
from uuid import UUID, uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.wire import CallFailed
from services.referrals.store import NeighborStore
from tests.component.referrals.conftest import Consent, State


async def refused(coroutine, reason):
    with pytest.raises(CallFailed) as error:
        await coroutine
    assert error.value.reason == reason


def names(referral):
    return [access_pb2.Label.Name(each).removeprefix("LABEL_") for each in referral.labels]


async def test_what_a_program_asks_for_is_shown_to_the_program_alone(referrals):
    async with referrals() as r:
        clinic = uuid4()
        stranger = r.token(uuid4(), clinic)
        await r.let_see(clinic)
        before = await r.draft()
        assert names(before) == ["NORMAL"]
        assert (await r.get(before, stranger)).id == before.id
        await r.call("CancelReferral", rpc.CancelReferralRequest(referral_id=before.id, reason="OTHER"))  # fmt: skip
        await r.feed(r.here)
        draft = await r.draft()
        assert names(draft) == ["PART2"]
        assert names((await r.told())[-1].referral) == ["PART2"]
        await refused(r.get(draft, stranger), "REFERRAL_NOT_FOUND")
        assert draft.id not in {each.id for each in await r.listed(stranger)}
        assert (await r.get(draft)).id == draft.id
        assert draft.id in {each.id for each in await r.listed()}
        assert names(await r.draft(labels=[access_pb2.LABEL_NORMAL])) == ["PART2"]
        assert names(await r.draft(labels=[access_pb2.LABEL_HIV])) == ["HIV", "PART2"]
        assert names(await r.draft(labels=[access_pb2.LABEL_WITHHELD])) == ["WITHHELD"]


async def test_what_a_program_asks_for_goes_out_with_a_signature_and_so_does_what_follows(
    referrals,
):
    async with referrals() as r:
        await r.feed(r.here)
        draft = await r.draft()
        await refused(r.send(draft), "NOT_RELEASED")
        signed = {"form": Consent.FORM_PAPER, "evidence_id": str(uuid4())}
        sent = await r.send(draft, 1, 2, **signed)
        assert sent.state == State.STATE_REQUESTED
        assert [each["is_part2"] for each in await r.disclosures()] == [True]
        following = await r.call("AskNext", rpc.AskNextRequest(referral_id=sent.id))
        assert (following.service_id, names(following)) == (r.service(2), ["PART2"])


async def test_a_hospital_with_a_program_of_its_own_is_no_program(referrals):
    async with referrals() as r:
        elsewhere = uuid4()
        await r.feed(elsewhere)
        await r.feed(r.here, is_program=False)
        await r.feed(r.here, elsewhere)
        sent = await r.sent()
        assert (names(sent), sent.state) == (["NORMAL"], State.STATE_REQUESTED)


async def labeled(r, facility):
    """Once everything there is a program's; how many referrals that is."""
    other = "SELECT count(*) FROM referrals WHERE facility_id = $1 AND NOT labels && '{PART2,WITHHELD}'"  # fmt: skip
    await r.until(other, 0, facility)
    await r.until("SELECT count(*) FROM timers WHERE kind = 'program'", 0)
    found = await r.rows("SELECT count(*) FROM referrals WHERE facility_id = $1", facility)
    return found[0][0]


async def test_what_was_asked_for_before_is_labeled_when_a_program_is_told_of(referrals):
    async with referrals() as r:
        there = uuid4()
        at_both = r.token(r.person, r.here, there)
        draft, spoken = await r.draft(labels=[access_pb2.LABEL_HIV]), await r.sent()
        ended = await r.draft()
        cancel = rpc.CancelReferralRequest(referral_id=ended.id, reason="OTHER")
        await r.call("CancelReferral", cancel)
        withheld = await r.draft(labels=[access_pb2.LABEL_WITHHELD])
        theirs = await r.draft(token=at_both, facility_id=str(there))
        before = len(await r.told())
        feed = await r.feed(r.here, is_program=False)
        await r.feed(r.here, id=feed, version=2)
        assert await labeled(r, r.here) == 4
        for one, expected in (
            (draft, ["HIV", "PART2"]), (spoken, ["PART2"]), (ended, ["PART2"]), (withheld, ["WITHHELD"]), (theirs, ["NORMAL"]),
        ):  # fmt: skip
            assert names(await r.get(one, at_both)) == expected
        told = {e.referral.id: e for e in (await r.told())[before:]}
        assert told.keys() == {draft.id, spoken.id, ended.id}
        assert all("PART2" in names(event.referral) for event in told.values())
        now = await r.get(spoken)
        assert (now.state, now.answer_due_time) == (spoken.state, spoken.answer_due_time)
        # Told again, nothing is another one.
        await r.feed(r.here, id=feed, version=3)
        assert await labeled(r, r.here) == 4
        assert (await r.get(draft)).etag != draft.etag
        assert len(await r.told()) == before + 3
        # A word of mouth releases nothing of a program, whenever it is known to be one.
        yes = rpc.RecordAnswerRequest(referral_id=spoken.id, answer=rpc.RecordAnswerRequest.ANSWER_YES)  # fmt: skip
        assert (await r.call("RecordAnswer", yes)).state_reason == "NOT_RELEASED"


async def test_however_much_was_asked_for_all_of_it_is_labeled(referrals):
    async with referrals() as r:
        draft = await r.draft()
        await r.rows(
            """INSERT INTO referrals SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*
            FROM referrals t, generate_series(1, 250) WHERE t.id = $1""",
            UUID(draft.id),
        )
        feed = await r.feed(r.here)
        assert await labeled(r, r.here) == 251
        # Told again, it looks again: a process of the version before may have written meanwhile.
        await r.rows("UPDATE referrals SET labels = '{NORMAL}' WHERE id = $1", UUID(draft.id))
        await r.feed(r.here, id=feed, version=2)
        assert await labeled(r, r.here) == 251


async def test_what_is_drafted_while_a_program_is_told_of_is_the_programs(referrals):
    async with referrals() as r:
        is_held, is_drafting = asyncio.Event(), asyncio.Event()

        async def after(event, work, *which):
            await event.wait()
            return await work(*which)

        # Begun outside of the transaction, in which nobody may call.
        drafted = asyncio.create_task(after(is_held, r.draft))
        told = asyncio.create_task(after(is_drafting, r.feed, r.here))
        async with r.hub.system("referrals") as tx:
            await NeighborStore(tx).alone_with([r.patient])
            is_held.set()
            await r.until("SELECT count(*) FROM pg_locks WHERE NOT granted", 1)
            is_drafting.set()
            await r.until("SELECT count(*) FROM pg_locks WHERE NOT granted", 2)
        assert names(await drafted) == ["NORMAL"]
        await told
        assert await labeled(r, r.here) == 1
