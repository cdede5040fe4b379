"""A referral from the draft to its end, what is refused, and what everybody else is told of it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc
from carehub.registry.v1 import registry_events_pb2

from libs.chassis.wire import CallFailed
from tests.component.referrals.conftest import Consent, State, at

Answer = rpc.RecordAnswerRequest


async def refused(coroutine, code, reason):
    with pytest.raises(CallFailed) as error:
        await coroutine
    assert (error.value.code, error.value.reason) == (code, reason), str(error.value)


async def say(r, referral, answer, reason="", token=None, headers=None):
    request = Answer(referral_id=referral.id, answer=answer, reason=reason)
    return await r.call("RecordAnswer", request, token, headers)


async def test_a_ride_is_asked_for_accepted_and_done(referrals):
    async with referrals() as r:
        draft = await r.draft()
        assert (draft.state, draft.service_name) == (State.STATE_DRAFT, "Ridge Drivers")
        assert not draft.HasField("consent")
        sent = await r.send(draft)
        assert sent.state == State.STATE_REQUESTED
        # The service promised to answer in four hours.
        assert sent.answer_due_time.ToSeconds() - sent.send_time.ToSeconds() == 4 * 3600
        assert sent.consent.recorder_id == str(r.person)
        accepted = await say(r, sent, Answer.ANSWER_YES)
        assert accepted.state == State.STATE_ACCEPTED
        assert (await say(r, sent, Answer.ANSWER_YES)).etag == accepted.etag
        done = await say(r, sent, Answer.ANSWER_DONE)
        assert (done.state, done.outcome) == (State.STATE_COMPLETED, "resolved")
        told = await r.told()
        assert [e.version for e in told] == [1, 2, 3, 4, 5]
        assert [e.referral.state for e in told] == [1, 2, 3, 5, 6]
        for event in told:
            assert not event.referral.HasField("details")
            assert b"Marisol" not in event.SerializeToString()
            assert b"Nurse" not in event.SerializeToString()


async def test_nothing_is_sent_without_a_consent_that_is_one_and_names_the_partner(referrals):
    async with referrals() as r:
        draft = await r.draft()
        for consent, code, reason in (
            ({"witness": ""}, "INVALID_ARGUMENT", "CONSENT_WITNESS"),
            ({"form": Consent.FORM_PAPER}, "INVALID_ARGUMENT", "CONSENT_SIGNATURE"),
            ({"form": 0}, "INVALID_ARGUMENT", "WORD_MISSING"),
            ({"service_ids": []}, "INVALID_ARGUMENT", "CONSENT_SERVICES"),
            ({"service_ids": [r.service(2)]}, "FAILED_PRECONDITION", "CONSENT_FOR_OTHERS"),
        ):
            await refused(r.send(draft, **consent), code, reason)
        assert (await r.get(draft)).state == State.STATE_DRAFT
        with pytest.raises(Exception, match="violates check constraint"):
            await r.rows(
                "UPDATE referrals SET state = 'REQUESTED', answer_due_at = now(), sent_at = now()"
            )
        assert await r.rows("SELECT * FROM letters") == []


async def test_what_the_patient_forbids_is_not_sent_and_what_is_sent_is_accounted_for(referrals):
    async with referrals() as r:
        sent = await r.sent()
        async with r.hub.system("identity") as tx:
            (kept,) = await tx._connection.fetch("SELECT * FROM disclosures")
        assert (kept["patient_id"], str(kept["recipient_id"])) == (r.patient, sent.service_id)
        assert set(kept["classes"]) == {"DEMOGRAPHICS", "REFERRALS"}
        stranger = await r.draft(patient_id=str(uuid4()))
        await refused(r.send(stranger), "FAILED_PRECONDITION", "NOT_RELEASED")
        assert (await r.get(stranger)).state == State.STATE_DRAFT
        # A word of mouth releases nothing of a Part 2 program.
        secret = await r.draft(labels=[access_pb2.LABEL_PART2])
        await refused(r.send(secret), "FAILED_PRECONDITION", "NOT_RELEASED")
        paper = await r.send(secret, form=Consent.FORM_PAPER, evidence_id=str(uuid4()))
        assert paper.state == State.STATE_REQUESTED


async def test_a_referral_that_is_sent_again_with_its_key_gives_the_first_answer(referrals):
    """Also both at once: one of them waits for the other, or finds that it was done."""
    async with referrals() as r:
        draft = await r.draft()
        once = {"idempotency-key": "lost"}
        sent, other = await asyncio.gather(r.send(draft, headers=once), r.send(draft, headers=once))
        assert sent.state == State.STATE_REQUESTED
        assert sent == other == await r.send(draft, headers=once)
        assert len(await r.rows("SELECT * FROM letters")) == 1
        assert [e.referral.state for e in await r.told()] == [1, 2]
        ledger = "SELECT reason FROM audit WHERE method LIKE '%SendReferral' ORDER BY reason"
        assert [row["reason"] for row in await r.rows(ledger)] == ["", "REPLAYED", "REPLAYED"]
        await refused(r.send(draft), "FAILED_PRECONDITION", "REFERRAL_STATE")
        changed = r.send(draft, headers=once, witness="Somebody else")
        await refused(changed, "FAILED_PRECONDITION", "IDEMPOTENCY_KEY_REUSED")


async def test_what_was_refused_is_tried_anew_with_its_key(referrals):
    async with referrals() as r:
        draft, once = await r.draft(), {"idempotency-key": "away"}
        async with r.identity_away():
            await refused(r.send(draft, headers=once), "UNAVAILABLE", "DISCLOSURE_UNCHECKED")
        assert (await r.send(draft, headers=once)).state == State.STATE_REQUESTED


async def test_what_the_patient_forbids_meanwhile_ends_it_when_yes_comes_by_telephone(referrals):
    async with referrals() as r:
        sent, once = await r.sent_to_member(), {"idempotency-key": "yes"}
        await r.forbid(sent)
        after = await say(r, sent, Answer.ANSWER_YES, headers=once)
        assert (after.state, after.state_reason) == (State.STATE_CANCELLED, "NOT_RELEASED")
        assert await say(r, sent, Answer.ANSWER_YES, headers=once) == after
        await refused(say(r, sent, Answer.ANSWER_YES), "FAILED_PRECONDITION", "REFERRAL_STATE")


@pytest.mark.parametrize("whom", ["the service", "its organization"])
async def test_a_partner_whom_nobody_but_the_directory_knows_can_be_forbidden(referrals, whom):
    """Not sent; said yes by telephone, or tapped: it ends; and nobody asks them next."""
    async with referrals() as r:
        sent, promised = await r.sent(), await r.sent()
        await say(r, promised, Answer.ANSWER_YES)
        token = await r.link(promised)
        assert (await r.as_partner("OpenRequest", token=token)).first_name == "Marisol"
        organization_id = str(UUID(int=0xA001))
        forbidden = r.service(1) if whom == "the service" else organization_id
        await r.forbid(recipient_id=forbidden)
        with pytest.raises(CallFailed, match="LINK_NOT_FOUND"):
            await r.as_partner("OpenRequest", token=token)
        assert (await r.get(promised)).state_reason == "NOT_RELEASED"
        assert (await say(r, sent, Answer.ANSWER_YES)).state_reason == "NOT_RELEASED"
        await refused(r.send(await r.draft()), "FAILED_PRECONDITION", "NOT_RELEASED")


async def test_whom_the_patient_forbids_is_not_asked_next(referrals):
    async with referrals() as r:
        some = [await r.sent(1, 1, 2, auto_next=True) for _ in range(3)]
        ask = [rpc.AskNextRequest(referral_id=each.id) for each in some]
        assert (await r.call("AskNext", ask[0])).service_id == r.service(2)
        await r.forbid(recipient_id=r.service(2))
        await r.until("SELECT count(*) FROM denials", 1)
        await refused(r.call("AskNext", ask[1]), "FAILED_PRECONDITION", "NO_NEXT")
        await say(r, some[1], Answer.ANSWER_NO)
        r.hub.clock.move(timedelta(hours=4, seconds=1))
        await r.until("SELECT count(*) FROM referrals WHERE state_reason = 'NO_ANSWER'", 1)
        assert await r.rows("SELECT 1 FROM referrals WHERE follows_id = ANY ($1)", [UUID(each.id) for each in some[1:]]) == []  # fmt: skip
        # What is forbidden another patient is nothing to this one.
        other = uuid4()
        await r.known(other)
        for_other = await r.sent(1, 1, 2, patient_id=str(other))
        next_one = await r.call("AskNext", rpc.AskNextRequest(referral_id=for_other.id))
        assert next_one.service_id == r.service(2)


async def test_while_identity_does_not_answer_no_yes_is_noted_and_no_is(referrals):
    async with referrals() as r:
        sent = await r.sent()
        async with r.identity_away():
            yes = say(r, sent, Answer.ANSWER_YES)
            await refused(yes, "UNAVAILABLE", "DISCLOSURE_UNCHECKED")
            no = await say(r, sent, Answer.ANSWER_NO)
        assert no.state == State.STATE_REJECTED


async def test_edges_that_there_are_not_are_refused_and_reasons_are_needed(referrals):
    async with referrals() as r:
        draft = await r.draft()
        await refused(say(r, draft, Answer.ANSWER_YES), "FAILED_PRECONDITION", "REFERRAL_STATE")
        await refused(say(r, draft, Answer.ANSWER_DONE), "FAILED_PRECONDITION", "REFERRAL_STATE")
        cancel = rpc.CancelReferralRequest(referral_id=draft.id)
        await refused(
            r.call("CancelReferral", cancel), "INVALID_ARGUMENT", "REFERRAL_REASON_UNKNOWN"
        )
        cancel.reason = "CLIENT_DECLINED"
        taken_back = await r.call("CancelReferral", cancel)
        assert (taken_back.state, taken_back.outcome) == (
            State.STATE_CANCELLED,
            "client_declined",
        )
        await refused(r.send(draft), "FAILED_PRECONDITION", "REFERRAL_STATE")
        await refused(r.call("CancelReferral", cancel), "FAILED_PRECONDITION", "REFERRAL_STATE")
        link = rpc.CreatePartnerLinkRequest(referral_id=draft.id)
        await refused(r.call("CreatePartnerLink", link), "FAILED_PRECONDITION", "NOTHING_TO_ANSWER")
        with pytest.raises(Exception, match="does not go from"):
            await r.rows(
                "UPDATE referrals SET state = 'ACCEPTED', consent = '{}', sent_at = now(), ended_at = NULL"
            )


async def test_no_answer_fails_it_and_the_next_whom_the_patient_named_is_asked(referrals):
    async with referrals() as r:
        sent = await r.sent(1, 1, 2, auto_next=True)
        r.hub.clock.move(timedelta(hours=4, seconds=1))
        asked = (
            "SELECT count(*) FROM referrals WHERE state = 'REQUESTED' AND follows_id IS NOT NULL"
        )
        await r.until(asked, 1)
        first = await r.get(sent)
        assert (first.state, first.state_reason) == (State.STATE_FAILED, "NO_ANSWER")
        second, before = await r.listed()
        assert before.id == first.id
        assert (second.follows_id, second.service_id) == (first.id, r.service(2))
        assert second.details == first.details
        states = [e.referral.state_reason for e in await r.told() if e.referral.id == first.id]
        assert states[-1] == "NO_ANSWER"
        # Nobody who was named is left: it ends there.
        await say(r, second, Answer.ANSWER_NO, "TOO_FAR")
        assert len(await r.listed()) == 2
        # Whom the patient did not name is asked by nobody but a person.
        alone = await r.sent(1, 1, auto_next=True)
        await say(r, alone, Answer.ANSWER_NO)
        assert len(await r.listed()) == 3


async def test_after_a_ride_has_begun_nobody_is_asked_for_it(referrals):
    async with referrals() as r:
        soon = r.details("2026-09-08", 10)  # at half past ten; it is nine
        sent = await r.sent(1, 1, 2, auto_next=True, details=soon)
        draft = await r.draft(1, details=soon)
        assert "halfway" in sent.answer_due_explanation
        # Nothing ran for two hours: the answer is missed after the ride has begun.
        r.hub.clock.set(at("2026-09-08 11:00"))
        await r.until("SELECT count(*) FROM referrals WHERE state = 'FAILED'", 1)
        assert len(await r.listed()) == 2
        ask = rpc.AskNextRequest(referral_id=sent.id)
        await refused(r.call("AskNext", ask), "FAILED_PRECONDITION", "NEEDED_BEFORE_NOW")
        await refused(r.send(draft), "FAILED_PRECONDITION", "NEEDED_BEFORE_NOW")
        assert len(await r.disclosures()) == 1


async def test_what_waits_to_be_sent_until_it_has_begun_is_not_sent(referrals):
    async with referrals() as r:
        soon = r.details("2026-09-08", 10)
        sent = await r.sent(1, 1, 2, auto_next=True, details=soon)
        async with r.identity_away():
            await say(r, sent, Answer.ANSWER_NO)
            await r.until("SELECT count(*) FROM referrals WHERE queued_at IS NOT NULL", 1)
            r.hub.clock.set(at("2026-09-08 11:00"))
        await r.until("SELECT count(*) FROM referrals WHERE state_reason = 'TOO_LATE'", 1)


async def test_the_next_one_is_asked_now_once_and_not_if_nobody_fits(referrals):
    async with referrals() as r:
        sent = await r.sent(1, 1)
        ask = rpc.AskNextRequest(referral_id=sent.id)
        following = await r.call("AskNext", ask)
        # The patient did not agree to that one: it waits for the consent.
        assert (following.service_id, following.state) == (r.service(2), State.STATE_DRAFT)
        assert not following.is_queued
        assert (await r.get(sent)).state_reason == "ASKED_NEXT"
        assert (await r.call("AskNext", ask)).id == following.id
        nobody = rpc.AskNextRequest(referral_id=following.id)
        await refused(r.call("AskNext", nobody), "FAILED_PRECONDITION", "NO_NEXT")
        again = await r.sent(1, 1)
        await say(r, again, Answer.ANSWER_YES)
        promised = rpc.AskNextRequest(referral_id=again.id)
        await refused(r.call("AskNext", promised), "FAILED_PRECONDITION", "REFERRAL_PROMISED")


async def test_no_driver_is_promised_twice_whoever_asks_at_once(referrals):
    async with referrals() as r:
        some = [await r.sent(1) for _ in range(4)]
        later = await r.sent(1, details=r.details(hour=12))
        answers = await asyncio.gather(
            *(say(r, one, Answer.ANSWER_YES) for one in (*some, later)), return_exceptions=True
        )
        refusals = [each.reason for each in answers if isinstance(each, CallFailed)]
        assert refusals == ["NO_DRIVER_FREE"] * 2
        accepted = await r.rows("SELECT seat FROM referrals WHERE state = 'ACCEPTED'")
        assert sorted(row["seat"] for row in accepted) == [0, 0, 1]
        with pytest.raises(Exception, match="no_driver_twice"):
            await r.rows("UPDATE referrals SET seat = 0 WHERE seat = 1")
        with pytest.raises(Exception, match="foreign key"):
            await r.rows("UPDATE referrals SET seat = 7 WHERE seat = 1")
        # Who is taken back frees the driver.
        taken = next(each for each in answers if not isinstance(each, CallFailed))
        cancel = rpc.CancelReferralRequest(referral_id=taken.id, reason="NOT_NEEDED")
        await r.call("CancelReferral", cancel)
        left = [o for o, a in zip(some, answers, strict=False) if isinstance(a, CallFailed)]
        assert (await say(r, left[0], Answer.ANSWER_YES)).state == State.STATE_ACCEPTED


async def test_strangers_find_nothing_and_a_grant_shows_but_does_not_let_change(referrals):
    async with referrals() as r:
        sent, clinic = await r.sent(), uuid4()
        stranger = r.token(uuid4(), clinic)
        get = rpc.GetReferralRequest(referral_id=sent.id)
        await refused(r.call("GetReferral", get, stranger), "NOT_FOUND", "REFERRAL_NOT_FOUND")
        assert await r.listed(stranger) == []
        elsewhere = r.draft(token=stranger)
        await refused(elsewhere, "NOT_FOUND", "REFERRING_FACILITY_NOT_FOUND")
        await r.let_see(clinic)
        assert (await r.call("GetReferral", get, stranger)).id == sent.id
        cancel = rpc.CancelReferralRequest(referral_id=sent.id, reason="OTHER")
        await refused(
            r.call("CancelReferral", cancel, stranger), "PERMISSION_DENIED", "REFERRAL_OF_OTHERS"
        )


async def test_referrals_follow_a_merge_in_any_order(referrals):
    async with referrals() as r:
        draft, middle, last = await r.draft(), uuid4(), uuid4()

        async def merged(survivor, retired, version):
            event = registry_events_pb2.PatientsMerged(
                survivor_id=str(survivor), retired_id=str(retired), version=version
            )
            await r.hub.publish(event, key=retired, version=version)

        await merged(last, middle, 1)
        await r.until("SELECT count(*) FROM merges", 1)
        await merged(middle, r.patient, 2)
        await r.until("SELECT count(*) FROM merges", 2)
        moved = await r.get(draft)
        assert moved.patient_id == str(last)
        assert (await r.told())[-1].referral.patient_id == str(last)
        # Who was not told yet refers the old record: it is the same patient.
        assert (await r.draft()).patient_id == str(last)
        assert len(await r.listed()) == 2


async def test_bad_requests_say_what_is_wrong(referrals):
    async with referrals() as r:
        for coroutine, code, reason in (
            (r.draft(need="hunger"), "INVALID_ARGUMENT", "NEED_UNKNOWN"),
            (r.draft(need="food-insecurity"), "INVALID_ARGUMENT", "SERVICE_DOES_NOT_HELP"),
            (r.draft(service_id=str(uuid4())), "NOT_FOUND", "SERVICE_NOT_FOUND"),
            (r.draft(patient_id="x"), "INVALID_ARGUMENT", "ID_INVALID"),
            (r.draft(details=r.details(first_name="Marisol Ejemplo Two")), "INVALID_ARGUMENT", "FIRST_NAME_ONLY"),
            (r.draft(details=r.details(telephone="none")), "INVALID_ARGUMENT", "TELEPHONE_UNREADABLE"),
            (r.draft(details=r.details(address="x" * 201)), "INVALID_ARGUMENT", "LINE_TOO_LONG"),
            (r.draft(details=r.details(end_time=None)), "INVALID_ARGUMENT", "TIME_UNCLEAR"),
        ):  # fmt: skip
            await refused(coroutine, code, reason)
        reader = r.token(uuid4(), permissions=["referrals.read"])
        await refused(r.draft(token=reader), "PERMISSION_DENIED", "PERMISSION_MISSING")
        draft = await r.draft()
        stale = rpc.CancelReferralRequest(referral_id=draft.id, etag='"9"', reason="OTHER")
        await refused(r.call("CancelReferral", stale), "ABORTED", "STALE_ETAG")


async def test_lists_are_by_patient_by_state_and_by_page(referrals):
    async with referrals() as r:
        drafts = [await r.draft() for _ in range(3)]
        await r.send(drafts[0])
        assert [each.id for each in await r.listed(state=State.STATE_REQUESTED)] == [drafts[0].id]
        whole = await r.call("ListReferrals", rpc.ListReferralsRequest())
        assert {each.id for each in whole.referrals} == {each.id for each in drafts}
        request, seen = rpc.ListReferralsRequest(page_size=2), []
        for _ in range(2):
            page = await r.call("ListReferrals", request)
            seen += [each.id for each in page.referrals]
            request.page_token = page.next_page_token
        assert request.page_token == ""
        assert sorted(seen) == sorted(each.id for each in drafts)


async def test_a_routine_request_waits_one_business_day_and_leaves_time_to_ask_another(referrals):
    async with referrals() as r:
        r.hub.clock.set(at("2026-09-04 17:40"))  # the Friday before Labor Day
        await r.directory({
            "id": str(uuid4()), "name": "Pantry", "description": "Food.",
            "services": [{
                "id": r.service(9), "name": "Groceries", "description": "", "status": "active",
                "attributes": [{"id": str(uuid4()), "taxonomy_term": {
                    "id": str(uuid4()), "code": "food-pantry", "name": "x", "description": "x"}}],
            }],
        })  # fmt: skip
        groceries = await r.sent(
            9, need="food-insecurity", details=r.details(start_time=None, end_time=None)
        )
        waits = groceries.answer_due_time.ToSeconds() - groceries.send_time.ToSeconds()
        assert waits == (at("2026-09-08 17:40") - at("2026-09-04 17:40")).total_seconds()
        assert "Labor Day" in groceries.answer_due_explanation
        ride = await r.sent(1, details=r.details("2026-09-04", 18))
        halfway = at("2026-09-04 18:05").timestamp()
        assert halfway <= ride.answer_due_time.ToSeconds() < halfway + 60
