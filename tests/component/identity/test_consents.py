"""Consents through the guard: recorded, kept in every version, and what they let whom see."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1.consent_pb2 import Consent
from carehub.identity.v1.identity_events_pb2 import ConsentChanged
from google.protobuf.json_format import MessageToJson, ParseDict

from libs.chassis.wire import CallFailed
from services.identity.domain.access.terms import DataClass, Label
from tests.component.identity.recording import (
    LONG_AGO,
    Records,
    classes,
    instant,
    labels,
    purposes,
)


def refused(reason):
    return pytest.raises(CallFailed, check=lambda e: e.reason == reason)


def not_found():
    return pytest.raises(CallFailed, check=lambda e: e.code == "NOT_FOUND")


async def test_an_opt_out_stops_what_relations_share_until_it_is_withdrawn(identity):
    async with Records.kept(identity) as r:
        assert await r.there_sees_here()
        given = await r.give(r.deny())
        assert not await r.there_sees_here()
        assert await r.sees(r.there, facility_ids=frozenset({r.there})), "their own rows stay"
        assert given.state == Consent.STATE_IN_FORCE
        assert given.effect_time.ToDatetime(tzinfo=UTC) >= r.now()
        taken = await r.withdraw(given.id, etag=given.etag)
        assert taken.state == Consent.STATE_WITHDRAWN
        assert await r.there_sees_here()


async def test_a_permission_by_name_opens_what_it_names_and_ends_with_its_withdrawal(identity):
    async with Records.kept(identity) as r:
        assert not await r.partner_sees_here()
        given = await r.give(r.permit(r.partner, labels=labels("NORMAL", "HIV")))
        hiv = frozenset({Label.HIV})
        assert await r.partner_sees_here()
        assert await r.partner_sees_here(labels=hiv)
        assert not await r.partner_sees_here(labels=frozenset({Label.PART2}))
        assert not await r.partner_sees_here(data_class=DataClass.BILLING)
        assert await r.sees(r.there, facility_ids=frozenset({r.partner}))
        changed = await r.change(
            given.id, r.permit(r.partner, source_ids=[str(r.there)]), etag=given.etag
        )
        assert changed.version == 2
        assert not await r.partner_sees_here()
        assert await r.sees(r.there, facility_ids=frozenset({r.partner}))
        await r.withdraw(given.id)
        assert not await r.sees(r.there, facility_ids=frozenset({r.partner}))


async def test_a_denial_by_name_stops_a_permission_by_name_and_a_person_at_home(identity):
    async with Records.kept(identity) as r:
        await r.give(r.permit(r.partner))
        await r.give(r.deny(r.partner))
        assert not await r.partner_sees_here()
        assert await r.there_sees_here()
        nosy = await r.identity.create_staff("nosy", ("nurse", str(r.here)))
        mine = {"facility_ids": frozenset({r.here})}
        await r.give(r.deny(nosy.id))
        person = UUID(nosy.id)
        assert not await r.sees(r.here, person_id=person, **mine)
        assert await r.sees(r.here, **mine)


async def test_a_refused_team_is_not_kept_from_the_record_of_its_own_facility(identity):
    async with Records.kept(identity) as r:
        nurse = await r.identity.create_staff("nurse", ("nurse", str(r.there)))
        team = UUID((await r.identity.create_team(str(r.there), nurse)).id)
        theirs = {"facility_ids": frozenset({r.there}), "team_ids": frozenset({team})}
        assert await r.sees(r.here, **theirs)
        await r.give(r.deny(team))
        assert not await r.sees(r.here, **theirs)
        assert await r.sees(r.there, **theirs)
        assert await r.there_sees_here()


async def test_whom_the_patient_refuses_finds_nothing_and_takes_nothing_back(identity):
    async with Records.kept(identity) as r:
        member = await r.identity.create_staff("ex", ("nurse", str(r.here)), id=str(r.nurse_id))
        given = await r.give(r.deny(member.id), r.physician)
        for refused_call in (r.get(given.id), r.withdraw(given.id), r.give(r.permit(r.partner))):
            with not_found():
                await refused_call
        assert list((await r.list()).consents) == []
        assert await r.network.visible(r.nurse, r.patient) == []
        assert await r.network.visible(r.physician, r.patient) == [r.patient]
        assert (await r.get(given.id, r.physician)).id == given.id


async def test_time_alone_begins_and_ends_a_consent(identity):
    async with Records.kept(identity) as r:
        begins, ends = r.now(days=1), r.now(days=3)
        consent = r.permit(r.partner, start_time=instant(begins), end_time=instant(ends))
        given = await r.give(consent)
        assert given.state == Consent.STATE_PENDING
        assert not await r.partner_sees_here()
        r.identity.hub.clock.set(begins + timedelta(hours=1))
        await r.identity.hub.until(r.partner_sees_here, what="the consent has begun")
        assert not await r.partner_sees_here(at=ends)
        r.identity.hub.clock.set(ends)
        assert (await r.get(given.id)).state == Consent.STATE_EXPIRED

        async def gone():
            return not any(grant.consent_id for grant in (await r.access()).grants)

        await r.identity.hub.until(gone, what="the consent has ended")


async def test_a_spoken_consent_releases_no_part_2_records(identity):
    async with Records.kept(identity) as r:
        spoken = {"labels": labels("NORMAL", "PART2"), "form": Consent.FORM_VERBAL}
        with refused("CONSENT_NEEDS_SIGNATURE"):
            await r.give(r.permit(r.partner, **spoken))
        await r.give(r.permit(r.partner, form=Consent.FORM_VERBAL))
        assert await r.partner_sees_here()
        part2 = {"labels": frozenset({Label.PART2})}
        assert not await r.partner_sees_here(**part2)
        await r.give(r.permit(r.partner, labels=labels("PART2")))
        assert await r.partner_sees_here(**part2)


async def test_every_version_is_kept_and_none_is_changed(identity):
    async with Records.kept(identity) as r:
        given = await r.give(r.permit(r.partner, evidence_note="drawer 4, witness Ngô Thị Ánh"))
        await r.change(given.id, r.permit(r.there))
        await r.withdraw(given.id)
        listed = (await r.list()).consents
        assert [(one.version, one.state) for one in listed] == [(3, Consent.STATE_WITHDRAWN)]
        every = (await r.list(show_versions=True)).consents
        assert [one.version for one in every] == [1, 2, 3]
        first = await r.get(given.id, version=1)
        assert first.recipient_ids == [str(r.partner)]
        assert first.recorder_id == str(r.nurse_id)
        assert first.evidence_note == "drawer 4, witness Ngô Thị Ánh"
        with not_found():
            await r.get(given.id, version=4)
        database = r.identity.hub.host.runtimes["identity"].database
        async with database.person(r.nurse_id, [r.here], "WRITE", 5.0) as tx:
            with pytest.raises(Exception, match="permission denied"):
                await tx._connection.execute("UPDATE consents SET labels = '{}'")


async def test_pages_show_every_consent_once(identity):
    async with Records.kept(identity) as r:
        given = {(await r.give(r.deny(r.partner))).id for _ in range(3)}
        await r.withdraw(min(given))
        for show_versions, rows in ((False, 3), (True, 4)):
            seen, token = [], ""
            while True:
                page = await r.list(page_size=1, page_token=token, show_versions=show_versions)
                seen += [(one.id, one.version) for one in page.consents]
                if not (token := page.next_page_token):
                    break
            assert len(seen) == len(set(seen)) == rows
            assert {id for id, _ in seen} == given


async def test_a_retried_request_records_once(identity):
    async with Records.kept(identity) as r:
        request_id = str(uuid4())
        first = await r.give(r.deny(r.partner), request_id=request_id)
        again = await r.give(r.deny(r.partner), request_id=request_id)
        assert first.id == again.id
        assert len((await r.list()).consents) == 1
        await r.withdraw(first.id)
        await r.withdraw(first.id)
        told = await r.identity.told(ConsentChanged)
        assert [(key, version) for key, version, _ in told] == [(first.id, 1), (first.id, 2)]


async def test_who_decided_on_an_older_version_is_told(identity):
    async with Records.kept(identity) as r:
        given = await r.give(r.permit(r.partner))
        await r.change(given.id, r.permit(r.there), etag=given.etag)
        for late in (
            r.change(given.id, r.permit(r.partner), etag=given.etag),
            r.withdraw(given.id, etag=given.etag),
        ):
            with refused("STALE_ETAG"):
                await late
        await r.withdraw(given.id)
        with refused("CONSENT_WITHDRAWN"):
            await r.change(given.id, r.permit(r.partner))


async def test_of_changes_made_at_once_one_counts_and_the_others_are_told(identity):
    async with Records.kept(identity) as r:
        given = await r.give(r.permit(r.partner))
        changes = [
            r.change(given.id, r.permit(r.partner, labels=labels(label)))
            for label in ("HIV", "STD", "SUD")
        ]
        ended = await asyncio.gather(*changes, return_exceptions=True)
        late = [one for one in ended if isinstance(one, CallFailed)]
        assert {one.code for one in late} <= {"ABORTED"}
        every = (await r.list(show_versions=True)).consents
        assert [one.version for one in every] == list(range(1, 5 - len(late)))


async def test_it_is_recorded_where_one_works_and_the_patient_is_known(identity):
    async with Records.kept(identity) as r:
        with refused("FACILITY_OUT_OF_REACH"):
            await r.give(r.deny(facility_id=str(r.there)))
        with not_found():
            await r.give(r.deny(patient_id=str(uuid4())))
        stranger = r.identity.token("nurse", r.partner)
        with not_found():
            await r.give(r.deny(facility_id=str(r.partner)), stranger)
        scheduler = r.identity.token("scheduler", r.here)
        with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
            await r.give(r.deny(), scheduler)


async def test_what_another_facility_recorded_is_not_found_and_counts_all_the_same(identity):
    async with Records.kept(identity) as r:
        given = await r.give(r.deny())
        with not_found():
            await r.get(given.id, r.nurse_there)
        with not_found():
            await r.withdraw(given.id, r.nurse_there)
        assert list((await r.list(r.nurse_there)).consents) == []
        assert (await r.get(given.id, r.privacy)).id == given.id
        with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
            await r.withdraw(given.id, r.privacy)
        assert not await r.there_sees_here()


async def test_only_who_is_of_the_network_is_named(identity):
    async with Records.kept(identity) as r:
        nurse = await r.identity.create_staff("nurse", ("nurse", str(r.here)))
        team = await r.identity.create_team(str(r.here), nurse)
        organization = (await r.identity.create_organization()).id
        everybody = (r.partner, nurse.id, team.id, organization)
        given = await r.give(r.permit(*everybody, source_ids=[organization, str(r.here)]))
        assert set(given.recipient_ids) == set(map(str, everybody))
        with refused("RECIPIENT_UNKNOWN"):
            await r.give(r.permit(r.partner, uuid4()))
        with refused("CONSENT_SOURCE_UNKNOWN"):
            await r.give(r.permit(r.partner, source_ids=[nurse.id]))
        with refused("RECIPIENT_UNKNOWN"):
            await r.change(given.id, r.permit(uuid4()))
        # Whom nobody here knows can be forbidden, and not be permitted anything instead.
        stranger = str(uuid4())
        denied = await r.give(r.deny(stranger, r.partner))
        assert set(denied.recipient_ids) == {stranger, str(r.partner)}
        with refused("RECIPIENT_UNKNOWN"):
            await r.change(denied.id, r.permit(stranger))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"evidence_id": ""}, "CONSENT_WITHOUT_EVIDENCE"),
        ({"labels": []}, "CONSENT_NAMES_NOTHING"),
        ({"form": 0}, "VALUE_MISSING"),
        ({"decision": 9}, "VALUE_MISSING"),
        ({"labels": [99]}, "VALUE_MISSING"),
        ({"evidence_note": "x" * 201}, "EVIDENCE_NOTE_TOO_LONG"),
        ({"evidence_note": "a\x07b"}, "TEXT_NOT_PRINTABLE"),
        ({"give_time": instant(datetime(2999, 1, 1, tzinfo=UTC))}, "CONSENT_NOT_GIVEN_YET"),
        ({"end_time": instant(LONG_AGO)}, "CONSENT_NEVER_HOLDS"),
        ({"source_ids": ["here"]}, "ID_INVALID"),
    ],
)
async def test_what_could_never_be_right_is_refused(identity, fields, reason):
    async with Records.kept(identity) as r:
        with refused(reason):
            await r.give(r.permit(r.partner, **fields))


NAMES = [
    "Søren Ångström-Müller",
    "Nguyễn Thị Ánh",
    "O’Brien-d'Souza",
    "محمد علی‌زاده",
    "ශ්‍රී ජයවර්ධන",
    "王小明",
    "Ὀδυσσεύς",
    "👩‍⚕️",
]


async def test_names_from_everywhere_stay_as_they_were_written_and_out_of_events(identity):
    async with Records.kept(identity) as r:
        for name in NAMES:
            given = await r.give(r.permit(r.partner, evidence_note=name))
            assert (await r.get(given.id)).evidence_note == name
        for _, _, event in await r.identity.told(ConsentChanged):
            said = MessageToJson(event)
            assert not any(name in said for name in NAMES)
            assert set(ParseDict({}, type(event)()).DESCRIPTOR.fields_by_name) == {
                "consent_id", "version", "patient_id", "facility_id", "decision", "state",
            }  # fmt: skip


async def test_an_instant_is_the_same_in_every_time_zone(identity):
    async with Records.kept(identity) as r:
        local = (r.now(days=2)).astimezone(timezone(timedelta(hours=13, minutes=45)))
        text = local.isoformat(timespec="milliseconds")
        consent = ParseDict({"endTime": text}, r.permit(r.partner))
        given = await r.give(consent)
        assert given.end_time.ToDatetime(tzinfo=UTC) == local.replace(
            microsecond=local.microsecond // 1000 * 1000
        )
        moment = timedelta(milliseconds=1)
        assert await r.partner_sees_here(at=given.end_time.ToDatetime(tzinfo=UTC) - moment)
        assert not await r.partner_sees_here(at=given.end_time.ToDatetime(tzinfo=UTC))


async def test_a_preview_says_who_would_see_what_and_records_nothing(identity):
    async with Records.kept(identity) as r:
        told = await r.preview(
            r.permit(
                r.partner,
                labels=labels("NORMAL", "HIV"),
                data_classes=classes("VISITS"),
                purposes=purposes("TREATMENT"),
                evidence_id="",
            )
        )
        (effect,) = told.effects
        assert effect.grantee_id == str(r.partner)
        assert list(effect.reasons) == ["CONSENT"]
        (rows,) = effect.opened
        assert set(rows.source_ids) == {str(r.here), str(r.there)}
        assert list(rows.data_classes) == classes("VISITS")
        assert list(rows.labels) == labels("NORMAL", "HIV")
        assert list(rows.purposes) == purposes("TREATMENT")
        assert not effect.closed
        assert len(effect.sentences) == 1
        assert not await r.partner_sees_here()
        assert list((await r.list()).consents) == []


async def test_a_preview_of_an_opt_out_names_every_relation_that_would_lose(identity):
    async with Records.kept(identity) as r:
        told = await r.preview(r.deny())
        effects = {effect.grantee_id: effect for effect in told.effects}
        assert set(effects) == {str(r.here), str(r.there)}
        (lost,) = effects[str(r.there)].closed
        assert list(lost.source_ids) == [str(r.here)]
        assert len(lost.data_classes) == 9
        (lost,) = effects[str(r.here)].closed
        assert list(lost.data_classes) == classes("DEMOGRAPHICS")
        given = await r.give(r.deny())
        back = await r.preview(r.permit(r.partner), consent_id=given.id)
        assert {e.grantee_id for e in back.effects if e.opened} == {
            str(r.here), str(r.there), str(r.partner),
        }  # fmt: skip


async def test_a_preview_says_why_something_would_not_be_released(identity):
    async with Records.kept(identity) as r:
        mixed = r.permit(r.partner, labels=labels("NORMAL", "COUNSELING_NOTES"))
        told = await r.preview(mixed)
        assert ["consent of their own" in said for said in told.remarks] == [True]
        stranger = r.permit(r.partner, given_by_id=str(uuid4()))
        told = await r.preview(stranger)
        assert [effect.opened for effect in told.effects] == [[]]
        assert ["could not act" in said for said in told.remarks] == [True]
        with not_found():
            await r.preview(r.permit(r.partner, patient_id=str(uuid4())))
        with refused("CONSENT_NAMES_NOTHING"):
            await r.preview(r.permit(r.partner, purposes=[]))


async def test_what_is_recorded_is_never_reported_as_failed_because_it_is_not_decided_yet(identity):
    async with Records.kept(identity) as r:
        given = await r.give(r.permit(r.partner))
        assert await r.partner_sees_here()
        database = r.identity.hub.host.runtimes["identity"].database
        async with database.session() as busy:
            await busy.execute("SELECT pg_advisory_lock(hashtextextended('identity.access', 0))")
            taken = await r.withdraw(given.id)
        assert taken.state == Consent.STATE_WITHDRAWN
        assert not taken.HasField("effect_time"), "nobody knows yet from when on"

        async def gone():
            return not await r.partner_sees_here()

        await r.identity.hub.until(gone, what="the withdrawal is decided by its timer")
