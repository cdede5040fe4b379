"""Proxies, accounts, care teams, referrals and holds through the guard, and what they let whom see."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1.care_team_pb2 import CareTeamMember
from carehub.identity.v1.hold_pb2 import Hold
from carehub.identity.v1.proxy_pb2 import Proxy

from libs.chassis.wire import CallFailed
from services.identity.domain.access.terms import DataClass, Label, Purpose
from tests.component.identity.recording import LONG_AGO, Records, classes, instant, labels
from tests.component.identity.test_consents import not_found, refused

FAMILY = {"purpose": Purpose.FAMILY_REQUEST}
THEIRS = {"purpose": Purpose.PATIENT_REQUEST}


async def test_a_proxy_sees_what_they_act_for_until_it_is_revoked(identity):
    async with Records.kept(identity) as r:
        child = uuid4()
        added = await r.add_proxy(child)
        asked = {"person_id": child} | FAMILY
        assert await r.sees(r.here, **asked)
        assert await r.sees(r.there, **asked)
        assert not await r.sees(r.here, **asked, data_class=DataClass.BILLING)
        assert not await r.sees(r.here, **asked, labels=frozenset({Label.PART2}))
        revoked = await r.revoke(added.id, etag=added.etag)
        assert revoked.state == Proxy.STATE_ENDED
        assert not await r.sees(r.here, **asked)
        assert (await r.revoke(added.id)).etag == revoked.etag


async def test_a_barred_proxy_sees_nothing_wherever_they_work(identity):
    async with Records.kept(identity) as r:
        added = await r.add_proxy(r.nurse_id, r.physician)
        mine = {"person_id": r.nurse_id, "facility_ids": frozenset({r.here})}
        assert await r.sees(r.here, **mine)
        barred = await r.bar(added.id, r.physician)
        assert barred.state == Proxy.STATE_BARRED
        assert not await r.sees(r.here, person_id=r.nurse_id, **FAMILY)
        assert not await r.sees(r.here, **mine), "not even at their own facility"
        with not_found():
            await r.revoke(added.id, r.nurse)
        assert not (await r.list_proxies(r.nurse)).proxies
        assert [p.state for p in (await r.list_proxies(r.privacy)).proxies] == [barred.state]


async def test_somebody_who_acts_for_the_patient_can_be_refused_by_a_consent(identity):
    async with Records.kept(identity) as r:
        brother = uuid4()
        with refused("RECIPIENT_UNKNOWN"):
            await r.give(r.permit(brother))
        await r.add_proxy(brother)
        await r.give(r.deny(brother, labels=labels("HIV")))
        asked = {"person_id": brother} | FAMILY
        assert await r.sees(r.here, **asked)
        assert not await r.sees(r.here, **asked, labels=frozenset({Label.HIV}))


async def test_a_proxy_gives_away_no_more_than_they_act_for_and_a_barred_one_nothing(identity):
    async with Records.kept(identity) as r:
        attorney = uuid4()
        mine = {"start_time": instant(r.now(days=-1)), "data_classes": classes("VISITS")}
        added = await r.add_proxy(attorney, **mine)
        await r.give(r.permit(r.partner, given_by_id=str(attorney)))
        assert await r.partner_sees_here()
        assert not await r.partner_sees_here(data_class=DataClass.CLINICAL)
        await r.bar(added.id)
        assert not await r.partner_sees_here()


async def test_a_consent_of_an_attorney_counts_only_while_they_are_one(identity):
    async with Records.kept(identity) as r:
        attorney = uuid4()
        await r.give(r.permit(r.partner, given_by_id=str(attorney)))
        assert not await r.partner_sees_here()
        await r.add_proxy(attorney, start_time=instant(r.now(days=-1)))
        assert await r.partner_sees_here()


async def test_who_was_an_attorney_narrows_what_they_have_given_and_does_not_widen_it(identity):
    async with Records.kept(identity) as r:
        attorney, hiv = uuid4(), {"labels": frozenset({Label.HIV})}
        added = await r.add_proxy(attorney, start_time=instant(r.now(days=-1)))
        said = {"given_by_id": str(attorney)}
        given = await r.give(r.permit(r.partner, labels=labels("NORMAL", "GENETIC"), **said))
        await r.revoke(added.id)
        assert await r.partner_sees_here(), "what was given stays given"
        said |= {"give_time": given.give_time, "start_time": given.start_time}
        narrowed = await r.change(given.id, r.permit(r.partner, **said))
        assert narrowed.give_time == given.give_time
        assert await r.partner_sees_here()
        wider = r.permit(r.partner, labels=labels("NORMAL", "HIV"), **said)
        previewed = await r.preview(wider, consent_id=given.id)
        assert not any(effect.opened for effect in previewed.effects)
        widened = await r.change(given.id, wider)
        assert widened.give_time == widened.record_time
        assert not await r.partner_sees_here(**hiv)
        assert not await r.partner_sees_here(), "it is another one now, of who may not give it"
        assert (await r.change(given.id, wider)).version == widened.version


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"evidence_id": ""}, "PROXY_NEEDS_EVIDENCE"),
        ({"data_classes": []}, "PROXY_CLASSES"),
        ({"kind": 0}, "VALUE_MISSING"),
        ({"person_id": "nobody"}, "ID_INVALID"),
        ({"end_time": instant(LONG_AGO)}, "NEVER_HOLDS"),
        ({"evidence_note": "x" * 201}, "PROXY_NOTE_TOO_LONG"),
    ],
)
async def test_a_proxy_who_could_never_act_is_refused(identity, fields, reason):
    async with Records.kept(identity) as r:
        with refused(reason):
            await r.add_proxy(uuid4(), **fields)


async def test_a_linked_account_shows_the_patient_everything_but_what_is_kept_apart(identity):
    async with Records.kept(identity) as r:
        person = uuid4()
        asked = {"person_id": person} | THEIRS
        await r.link(person)
        assert await r.sees(r.here, **asked, labels=frozenset({Label.PART2, Label.HIV}))
        assert not await r.sees(r.here, **asked, labels=frozenset({Label.COUNSELING_NOTES}))
        await r.link(person)
        with refused("ACCOUNT_LINKED"):
            await r.link(uuid4())
        with refused("ACCOUNT_LINKED_ELSEWHERE"):
            await r.link(person, r.nurse_there, facility_id=str(r.there))
        with refused("ACCOUNT_NOT_LINKED"):
            await r.unlink(r.nurse_there)
        assert (await r.unlink()).person_id == str(person)
        assert not await r.sees(r.here, **asked)
        await r.link(uuid4())


async def test_the_care_team_sees_as_who_treats_until_they_leave(identity):
    async with Records.kept(identity) as r:
        social = await r.identity.create_staff("social", ("social_worker", str(r.partner)))
        mine = r.identity.token("nurse", r.here, r.partner)
        person = UUID(social.id)
        assert not await r.sees(r.here, person_id=person)
        await r.give(r.permit(r.partner, data_classes=classes("DEMOGRAPHICS")))
        joined = await r.join(social.id, mine, facility_id=str(r.partner))
        assert joined.state == CareTeamMember.STATE_ACTIVE
        assert await r.sees(r.here, person_id=person)
        again = await r.join(social.id, mine, facility_id=str(r.partner))
        assert again.id == joined.id
        left = await r.leave(joined.id, mine, etag=joined.etag)
        assert left.state == CareTeamMember.STATE_ENDED
        assert not await r.sees(r.here, person_id=person)
        states = [one.state for one in (await r.list_care_team(mine)).members]
        assert states == [CareTeamMember.STATE_ENDED]


@pytest.mark.parametrize("is_network_wide", [False, True])
async def test_who_works_at_the_facility_no_longer_is_on_no_care_team_for_it(
    identity, is_network_wide
):
    """Also where they go on elsewhere; and they are on it again if they come back."""
    async with Records.kept(identity) as r:
        there, partner = ("nurse", str(r.there)), ("social_worker", str(r.partner))
        held = ("nurse", "") if is_network_wide else there
        nurse = await r.identity.create_staff("nurse", held, partner)
        await r.join(nurse.id, r.nurse_there, facility_id=str(r.there))
        person = UUID(nurse.id)
        assert await r.sees(r.here, person_id=person)

        async def sees():
            return await r.sees(r.here, person_id=person)

        async def sees_nothing():
            return not await sees()

        until = r.identity.hub.until
        await r.identity.update_staff(id=nurse.id, mask=["roles"], roles=[partner])
        await until(sees_nothing, what="the role taken away")
        await r.identity.update_staff(id=nurse.id, mask=["roles"], roles=[partner, there])
        await until(sees, what="the role given back")


async def test_an_opt_out_stops_the_care_team_of_elsewhere(identity):
    async with Records.kept(identity) as r:
        nurse = await r.identity.create_staff("nurse", ("nurse", str(r.there)))
        await r.join(nurse.id, r.nurse_there, facility_id=str(r.there))
        person = UUID(nurse.id)
        assert await r.sees(r.here, person_id=person)
        await r.give(r.deny())
        assert not await r.sees(r.here, person_id=person)


async def test_a_team_is_on_the_care_team_of_its_own_facility_only(identity):
    async with Records.kept(identity) as r:
        nurse = await r.identity.create_staff("nurse", ("nurse", str(r.there)))
        team = await r.identity.create_team(str(r.there), nurse)
        for stranger in (team.id, nurse.id, str(uuid4())):
            with refused("MEMBER_NOT_THERE"):
                await r.join(stranger)
        joined = await r.join(team.id, r.nurse_there, facility_id=str(r.there))
        assert joined.member_id == team.id
        assert await r.sees(r.here, person_id=uuid4(), team_ids=frozenset({UUID(team.id)}))
        gone = await r.identity.create_staff("gone", ("nurse", str(r.there)))
        await r.identity.deactivate(gone.id)
        with refused("MEMBER_NOT_THERE"):
            await r.join(gone.id, r.nurse_there, facility_id=str(r.there))


async def test_a_referral_shows_the_partner_the_minimum_until_it_is_answered(identity):
    async with Records.kept(identity) as r:
        sent = await r.refer(r.partner)
        assert await r.partner_sees_here(data_class=DataClass.REFERRALS)
        assert await r.partner_sees_here(data_class=DataClass.DEMOGRAPHICS)
        assert not await r.partner_sees_here()
        assert not await r.sees(
            r.there, facility_ids=frozenset({r.partner}), data_class=DataClass.DEMOGRAPHICS
        )
        ended = await r.end_referral(sent.id, etag=sent.etag)
        assert not await r.partner_sees_here(data_class=DataClass.REFERRALS)
        assert (await r.end_referral(sent.id)).etag == ended.etag
        for nowhere in (uuid4(), r.here):
            with refused("REFERRED_NOWHERE"):
                await r.refer(nowhere)
        with refused("REFERRAL_NOT_SENT"):
            await r.refer(r.partner, send_time=instant(r.now(days=1)))


async def test_a_hold_keeps_results_from_the_patient_and_their_proxies_alone(identity):
    async with Records.kept(identity) as r:
        person, child = uuid4(), uuid4()
        await r.link(person)
        await r.add_proxy(child, data_classes=classes("RESULTS"))
        results = {"data_class": DataClass.RESULTS}
        patient, proxy = {"person_id": person} | THEIRS, {"person_id": child} | FAMILY
        held = await r.hold()
        assert held.state == Hold.STATE_ACTIVE
        assert not await r.sees(r.here, **patient, **results)
        assert not await r.sees(r.here, **proxy, **results)
        assert await r.sees(r.here, **patient)
        assert await r.there_sees_here(**results)
        assert [one.id for one in (await r.list_holds(r.privacy)).holds] == [held.id]
        ended = await r.end_hold(held.id, etag=held.etag)
        assert ended.state == Hold.STATE_ENDED
        assert await r.sees(r.here, **patient, **results)
        assert await r.sees(r.here, **proxy, **results)


async def test_a_hold_ends_by_itself(identity):
    async with Records.kept(identity) as r:
        person = uuid4()
        await r.link(person)
        await r.hold(end_time=instant(r.now(days=30)))
        asked = {"person_id": person, "data_class": DataClass.RESULTS} | THEIRS
        assert not await r.sees(r.here, **asked)
        assert await r.sees(r.here, **asked, at=r.now(days=30))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"exception": 0}, "VALUE_MISSING"),
        ({"data_classes": []}, "HOLD_CLASSES"),
        ({"end_time": None}, "HOLD_TOO_LONG"),
        ({"end_time": instant(LONG_AGO)}, "NEVER_HOLDS"),
    ],
)
async def test_a_hold_needs_an_exception_and_an_end(identity, fields, reason):
    async with Records.kept(identity) as r:
        with refused(reason):
            await r.hold(**fields)


async def test_a_hold_of_more_than_thirty_days_or_by_a_nurse_is_refused(identity):
    async with Records.kept(identity) as r:
        with refused("HOLD_TOO_LONG"):
            await r.hold(end_time=instant(r.now(days=30, hours=1)))
        with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
            await r.hold(r.nurse)


RECORDINGS = {
    "proxy": lambda r, **more: r.add_proxy(uuid4(), **more),
    "hold": lambda r, **more: r.hold(**more),
    "referral": lambda r, **more: r.refer(r.partner, **more),
}


@pytest.mark.parametrize("sort", RECORDINGS)
async def test_each_is_recorded_once_where_one_works_about_whom_one_knows(identity, sort):
    async with Records.kept(identity) as r:
        record, request_id = RECORDINGS[sort], str(uuid4())
        first = await record(r, request_id=request_id)
        r.identity.hub.clock.move(timedelta(seconds=3))
        assert (await record(r, request_id=request_id)).id == first.id
        place = "from_facility_id" if sort == "referral" else "facility_id"
        with refused("FACILITY_OUT_OF_REACH"):
            await record(r, **{place: str(r.there)})
        with not_found():
            await record(r, patient_id=str(uuid4()))


async def test_what_was_ended_meanwhile_is_not_ended_by_who_did_not_know(identity):
    async with Records.kept(identity) as r:
        proxy, held = await r.add_proxy(uuid4()), await r.hold()
        sent = await r.refer(r.partner)
        await r.bar(proxy.id)
        await r.end_hold(held.id)
        await r.end_referral(sent.id)
        for late in (
            r.revoke(proxy.id, etag=proxy.etag),
            r.end_hold(held.id, etag=held.etag),
            r.end_referral(sent.id, etag=sent.etag),
        ):
            with refused("STALE_ETAG"):
                await late


async def test_other_facilities_find_none_of_it(identity):
    async with Records.kept(identity) as r:
        proxy, held, sent = await r.add_proxy(uuid4()), await r.hold(), await r.refer(r.partner)
        elsewhere = r.identity.token("physician", r.there)
        for call in (
            r.revoke(proxy.id, elsewhere),
            r.bar(proxy.id, elsewhere),
            r.end_hold(held.id, elsewhere),
            r.end_referral(sent.id, elsewhere),
        ):
            with not_found():
                await call
        assert not (await r.list_proxies(elsewhere)).proxies
        assert not (await r.list_holds(elsewhere)).holds


async def test_pages_show_each_once(identity):
    async with Records.kept(identity) as r:
        added = {(await r.add_proxy(uuid4())).id for _ in range(3)}
        seen, token = [], ""
        while True:
            page = await r.list_proxies(page_size=2, page_token=token)
            seen += [one.id for one in page.proxies]
            if not (token := page.next_page_token):
                break
        assert sorted(seen) == sorted(added)
        with refused("PAGE_TOKEN_INVALID"):
            await r.list_proxies(page_token="WzFd")


async def test_nothing_is_granted_to_whoever_has_left(identity):
    async with Records.kept(identity) as r:
        ann = await r.identity.create_staff("ann", ("nurse", str(r.here)))
        await r.join(ann.id)

        async def granted():
            return any(str(grant.grantee_id) == ann.id for grant in (await r.access()).grants)

        assert await granted()
        await r.identity.deactivate(ann.id, reason="moved away")

        async def gone():
            return not await granted()

        await r.identity.hub.until(gone, what="the grants to who left")
        await r.give(r.permit(ann.id))
        assert await gone()
