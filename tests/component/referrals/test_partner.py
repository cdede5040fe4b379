"""A partner without an account: what a link opens, for how long, what it shows, and who finds it in the ledger."""

import asyncio
from datetime import timedelta
from email import message_from_bytes
from uuid import UUID

import pytest
from carehub.referrals.v1 import directory_pb2, partner_service_pb2, referrals_events_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.wire import CallFailed
from libs.local.mail import start_mail_sink
from services.referrals.consumers.jobs import mail_due
from services.referrals.events import save_referral
from services.referrals.store import ReferralStore
from tests.component.referrals.conftest import Consent, State

Step = partner_service_pb2.PartnerRequest
PERSONAL = ("Marisol", "0199", "12 Sample", "Rural Clinic")


async def refused(coroutine, reason):
    with pytest.raises(CallFailed) as error:
        await coroutine
    assert error.value.reason == reason, str(error.value)


async def test_a_partner_sees_who_it_is_after_yes_and_only_what_the_patient_agreed_to(referrals):
    async with referrals() as r:
        draft = await r.draft()
        items = [Consent.ITEM_FIRST_NAME, Consent.ITEM_ADDRESS]
        sent = await r.send(draft, items=items)
        token = await r.link(sent)
        asked = await r.as_partner("OpenRequest", token=token)
        assert (asked.step, asked.area, asked.language) == (
            Step.STEP_ANSWER,
            "Sample Road area",
            "es",
        )
        assert not any(word in str(asked) for word in PERSONAL)
        assert asked.facility_phone == "(555) 010-0107"
        accepted = await r.as_partner("AnswerRequest", token=token, is_yes=True)
        assert (accepted.step, accepted.first_name, accepted.address) == (
            Step.STEP_DO,
            "Marisol",
            "12 Sample Road",
        )
        assert accepted.telephone == accepted.destination == ""
        assert (await r.as_partner("AnswerRequest", token=token, is_yes=True)) == accepted
        done = await r.as_partner("FinishRequest", token=token, is_done=True)
        assert done.step == Step.STEP_DONE
        assert not any(word in str(done) for word in PERSONAL)
        assert (await r.get(sent)).state == State.STATE_COMPLETED
        # It has ended: the link is no longer any good.
        await refused(r.as_partner("OpenRequest", token=token), "LINK_NOT_FOUND")


async def test_no_closes_it_and_says_whether_there_is_capacity(referrals):
    async with referrals() as r:
        sent = await r.sent()
        token = await r.link(sent)
        said = {"reason": "NO_CAPACITY", "capacity": directory_pb2.Capacity.STATUS_WAITLIST}
        closed = await r.as_partner("AnswerRequest", token=token, **said)
        assert closed.step == Step.STEP_CLOSED
        after = await r.get(sent)
        assert (after.state, after.state_reason, after.outcome) == (
            State.STATE_REJECTED,
            "NO_CAPACITY",
            "no_capacity",
        )
        service = await r.call("GetService", rpc.GetServiceRequest(service_id=r.service(1)))
        assert service.capacity.status == directory_pb2.Capacity.STATUS_WAITLIST
        told = await r.told(referrals_events_pb2.CapacityChanged)
        assert told[-1].capacity.status == directory_pb2.Capacity.STATUS_WAITLIST


async def test_after_no_the_link_is_good_for_the_capacity_only_and_for_half_an_hour(referrals):
    async with referrals() as r:
        sent, other = await r.sent(), await r.sent()
        token, cancelled = await r.link(sent), await r.link(other)
        cancel = rpc.CancelReferralRequest(referral_id=other.id, reason="OTHER")
        await r.call("CancelReferral", cancel)
        no = await r.as_partner("AnswerRequest", token=token, reason="TOO_FAR")
        assert no.asks_capacity
        more = {"capacity": directory_pb2.Capacity.STATUS_NO}
        for said in ({"is_yes": True}, {"is_yes": True, **more}, {}):
            await refused(r.as_partner("AnswerRequest", token=token, **said), "LINK_NOT_FOUND")
        await refused(r.as_partner("AnswerRequest", token=cancelled, **more), "LINK_NOT_FOUND")
        told = await r.as_partner("AnswerRequest", token=token, **more)
        assert (told.step, told.asks_capacity) == (Step.STEP_CLOSED, False)
        assert not any(word in str(told) for word in PERSONAL)
        assert (await r.get(sent)).state_reason == "TOO_FAR"
        r.hub.clock.move(timedelta(minutes=31))
        await refused(r.as_partner("AnswerRequest", token=token, **more), "LINK_NOT_FOUND")


async def test_a_wrong_an_old_and_an_ended_link_are_one_answer(referrals):
    async with referrals() as r:
        sent, other = await r.sent(), await r.sent()
        token, ended = await r.link(sent), await r.link(other)
        cancel = rpc.CancelReferralRequest(referral_id=other.id, reason="OTHER")
        await r.call("CancelReferral", cancel)
        wrong = f"{'A' * 42}x"
        answers = []
        for each in ("", "x", "x" * 5000, wrong, ended):
            with pytest.raises(CallFailed) as error:
                await r.as_partner("OpenRequest", token=each)
            answers.append((error.value.code, error.value.reason))
        assert (await r.as_partner("OpenRequest", token=token)).step == Step.STEP_ANSWER
        r.hub.clock.move(timedelta(days=20))
        with pytest.raises(CallFailed) as error:
            await r.as_partner("OpenRequest", token=token)
        answers.append((error.value.code, error.value.reason))
        assert set(answers) == {("NOT_FOUND", "LINK_NOT_FOUND")}


async def test_only_the_hash_of_a_link_is_kept_and_what_was_seen_is_in_the_ledger(referrals):
    async with referrals() as r:
        sent = await r.sent()
        token = await r.link(sent)
        (kept,) = await r.rows("SELECT * FROM links")
        assert token.encode() not in kept["token_hash"]
        assert len(kept["token_hash"]) == 32
        await r.as_partner("OpenRequest", token=token)
        rows = await r.rows("SELECT * FROM audit WHERE method LIKE '%OpenRequest'")
        (row,) = rows
        assert str(row["subject"]) == r.service(1)
        assert (row["resource"], list(row["patients"])) == (sent.id, [r.patient])
        assert (list(row["roles"]), list(row["facilities"])) == (["partner"], [r.here])
        everything = await r.rows("SELECT audit::text FROM audit")
        assert not any(token in line["audit"] for line in everything)


async def test_what_the_patient_forbids_after_it_was_sent_is_told_to_nobody_who_says_yes(referrals):
    async with referrals() as r:
        sent = await r.sent_to_member()
        token = await r.link(sent)
        await r.forbid(sent)
        assert (await r.as_partner("OpenRequest", token=token)).step == Step.STEP_ANSWER
        await refused(r.as_partner("AnswerRequest", token=token, is_yes=True), "LINK_NOT_FOUND")
        after = await r.get(sent)
        assert (after.state, after.state_reason) == (State.STATE_CANCELLED, "NOT_RELEASED")
        await refused(r.as_partner("OpenRequest", token=token), "LINK_NOT_FOUND")
        # Nobody was shown it: the ledger has the one look at the question only.
        (looks,) = await r.rows("SELECT count(*) FROM audit WHERE method LIKE '%PartnerService%'")
        assert looks["count"] == 1


async def test_what_the_patient_forbids_after_yes_is_not_shown_again(referrals):
    async with referrals() as r:
        sent = await r.sent_to_member()
        token = await r.link(sent)
        await r.as_partner("AnswerRequest", token=token, is_yes=True)
        assert (await r.as_partner("OpenRequest", token=token)).first_name == "Marisol"
        assert len(await r.disclosures()) == 1
        await r.forbid(sent)
        again = {"is_yes": True, "capacity": directory_pb2.Capacity.STATUS_YES}
        opened = r.as_partner("OpenRequest", token=token)
        repeated = r.as_partner("AnswerRequest", token=token, **again)
        for each in (opened, repeated):
            await refused(each, "LINK_NOT_FOUND")
        assert (await r.get(sent)).state_reason == "NOT_RELEASED"
        assert len(await r.disclosures()) == 1


async def test_while_identity_does_not_answer_nothing_is_told_and_nothing_ends(referrals):
    async with referrals() as r:
        sent, other = await r.sent(), await r.sent()
        token, open_token = await r.link(sent), await r.link(other)
        await r.as_partner("AnswerRequest", token=token, is_yes=True)
        async with r.identity_away():
            asked = (
                r.as_partner("OpenRequest", token=token),
                r.as_partner("AnswerRequest", token=token, is_yes=True),
                r.as_partner("AnswerRequest", token=open_token, is_yes=True),
            )
            await asyncio.gather(*(refused(each, "DISCLOSURE_UNCHECKED") for each in asked))
            assert (await r.as_partner("OpenRequest", token=open_token)).step == Step.STEP_ANSWER
        assert (await r.get(other)).state == State.STATE_REQUESTED
        assert (await r.as_partner("OpenRequest", token=token)).first_name == "Marisol"


async def test_what_was_not_asked_about_is_not_told_if_somebody_says_yes_meanwhile(referrals):
    async with referrals() as r:
        sent = await r.sent()
        token = await r.link(sent)
        held = asyncio.Event()

        async def accept():
            async with r.hub.system("referrals") as tx:
                referral = await ReferralStore(tx).take(UUID(sent.id))
                held.set()
                await r.until_waited_for(tx)
                await save_referral(tx, referral.accept(seat=0))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(accept())
            await held.wait()
            opened = r.as_partner("OpenRequest", token=token)
            tasks.create_task(refused(opened, "REQUEST_CHANGED"))
        assert (await r.as_partner("OpenRequest", token=token)).first_name == "Marisol"


async def test_a_merged_record_is_asked_about_anew_and_counted_once(referrals):
    async with referrals() as r:
        sent = await r.sent()
        token = await r.link(sent)
        await r.as_partner("AnswerRequest", token=token, is_yes=True)
        survivor = await r.merged()
        for _ in range(2):
            assert (await r.as_partner("OpenRequest", token=token)).first_name == "Marisol"
        patients = [each["patient_id"] for each in await r.disclosures()]
        assert patients == [r.patient, survivor]


async def test_two_tapped_yes_at_once_for_the_last_driver_and_one_has_it(referrals):
    async with referrals() as r:
        tokens = [await r.link(await r.sent(2)) for _ in range(3)]
        answers = await asyncio.gather(
            *(r.as_partner("AnswerRequest", token=token, is_yes=True) for token in tokens),
            return_exceptions=True,
        )
        refusals = [each.reason for each in answers if isinstance(each, CallFailed)]
        assert refusals == ["NO_DRIVER_FREE"] * 2


class SlowPost:
    """A mail server that takes its time: what happens meanwhile is said at the beginning."""

    def __init__(self, meanwhile):
        self.meanwhile, self.taken = meanwhile, []

    async def send(self, letter):
        self.taken.append(letter.number)
        await self.meanwhile()


async def test_a_letter_is_taken_and_looked_at_when_its_turn_comes(referrals):
    async with referrals() as r:
        sent = [await r.sent(), await r.sent(2)]
        waiting = "SELECT count(*) AS n FROM letters WHERE sent_at IS NULL AND next_try_at <= $1"
        free = []

        async def meanwhile():
            (row,) = await r.rows(waiting, r.hub.clock())
            free.append(row["n"])
            for each in sent:
                cancel = rpc.CancelReferralRequest(referral_id=each.id, reason="OTHER")
                await r.call("CancelReferral", cancel)

        post = SlowPost(meanwhile)
        await mail_due(r.hub.host.runtimes["referrals"], post, "http://127.0.0.1/p/")
        assert len(post.taken) == 1
        # While the first was under way another process could have taken the second.
        assert free == [1]
        assert await r.rows("SELECT 1 FROM letters WHERE next_try_at IS NOT NULL") == []


async def test_a_letter_brings_a_link_and_nothing_of_the_patient(referrals, tmp_path):
    sink = await start_mail_sink(tmp_path)
    env = {"REFERRALS_SMTP_HOST": sink.host, "REFERRALS_SMTP_PORT": str(sink.port)}
    try:
        async with referrals(**env) as r:
            sent = await r.sent()

            async def arrived():
                return sink.messages()

            (path,) = await r.hub.until(arrived, what="the letter")
            letter = message_from_bytes(path.read_bytes())
            text = letter.get_payload(decode=True).decode()
            assert letter["To"] == "1@rides.example"
            assert not any(word in text + str(letter["Subject"]) for word in PERSONAL)
            token = text.partition("/p/")[2].split()[0]
            assert (await r.as_partner("OpenRequest", token=token)).step == Step.STEP_ANSWER
            await r.until("SELECT count(*) FROM letters WHERE sent_at IS NOT NULL", 1)
            assert (await r.get(sent)).state == State.STATE_REQUESTED
    finally:
        await sink.stop()
