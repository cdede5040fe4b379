"""The directory: taken over, given back, searched; and what services say of their capacity."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.referrals.v1 import directory_pb2, referrals_events_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from libs.local.environment import DIRECTORY
from services.referrals.domain.directory import CapacityStatus, Organization
from services.referrals.events import save_services
from services.referrals.service.directory import MOST_MATCHES
from services.referrals.store import DirectoryStore
from tests.component.referrals.conftest import RIDE, at, organization, ride_service

Capacity = directory_pb2.Capacity


async def exported(r):
    answer = await r.call("ExportDirectory", rpc.ExportDirectoryRequest())
    return json.loads(answer.json)


async def found(r, **fields):
    told = {"need": RIDE, "facility_id": str(r.here), "postal_code": "62701", "language": "es"}
    answer = await r.call("SearchServices", rpc.SearchServicesRequest(**(told | fields)))
    return {match.service.name: match for match in answer.matches}


def reasons(match):
    return {each.code: each.text for each in match.reasons}


async def test_what_is_taken_over_is_given_back_and_taking_it_again_changes_nothing(referrals):
    async with referrals() as r:
        given = await exported(r)
        assert [o["name"] for o in given] == ["Ridge Neighbors 1"]
        again = await r.directory(*given)
        assert (again.created, again.changed, again.unchanged, again.refused) == (0, 0, 4, 0)
        assert await exported(r) == given
        told = len(await r.told(referrals_events_pb2.CapacityChanged))
        changed = json.loads(json.dumps(given))
        changed[0]["services"][0]["name"] = "Renamed"
        dry = await r.directory(*changed, is_dry_run=True)
        assert (dry.changed, dry.unchanged) == (1, 3)
        assert await exported(r) == given
        assert (await r.directory(*changed)).changed == 1
        assert len(await r.told(referrals_events_pb2.CapacityChanged)) == told + 1


async def test_what_a_service_says_while_a_directory_is_taken_over_is_not_lost(referrals):
    async with referrals() as r:
        given = await exported(r)
        (one,) = (each for each in given[0]["services"] if each["id"] == r.service(1))
        one["name"] = "Renamed"
        said_at = asyncio.Event()

        async def say():
            async with r.hub.system("referrals") as tx:
                service = await DirectoryStore(tx).take(UUID(r.service(1)))
                await save_services(tx, service.say_capacity(CapacityStatus.YES, at=tx.at))
                said_at.set()
                await r.until_waited_for(tx)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(say())
            await said_at.wait()
            taken = tasks.create_task(r.directory(*given))
        assert taken.result().changed == 1
        service = await r.call("GetService", rpc.GetServiceRequest(service_id=r.service(1)))
        assert (service.name, service.capacity.status) == ("Renamed", Capacity.STATUS_YES)
        told = await r.told(referrals_events_pb2.CapacityChanged)
        versions = [each.version for each in told if each.service_id == service.id]
        assert versions == [1, 2, 3]


async def test_two_who_take_the_same_directory_over_at_once_do_not_both_say_so(referrals):
    async with referrals() as r:
        new = organization(ride_service(7, "New"), number=2)
        added = asyncio.Event()

        async def add():
            async with r.hub.system("referrals") as tx:
                one = Organization(id=UUID(new["id"]), name="Other", description="", body={})
                await DirectoryStore(tx).save_organizations([one])
                added.set()
                await r.until_waited_for(tx)

        async def take_over():
            with pytest.raises(CallFailed) as error:
                await r.directory(new)
            assert (error.value.code, error.value.reason) == ("ABORTED", "DIRECTORY_CHANGED")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(add())
            await added.wait()
            tasks.create_task(take_over())
        assert (await r.directory(new)).created == 1


async def test_the_demo_directory_is_whole_and_finds_rides(referrals):
    async with referrals() as r:
        request = rpc.ImportDirectoryRequest(json=DIRECTORY.read_text())
        taken = await r.call("ImportDirectory", request)
        assert (taken.created, taken.refused, list(taken.remarks)) == (13, 0, [])
        when = at("2026-11-27 08:30")
        matches = await found(
            r, postal_code="62558", county="Sangamon County",
            start_time=to_timestamp(when), end_time=to_timestamp(when + timedelta(hours=2)),
        )  # fmt: skip
        names = [name for name, match in matches.items() if match.fits]
        assert "Ridge Volunteer Drivers" in names[:2]
        assert "Prairie Wheels Vans" in names
        assert "not there Friday" in reasons(matches["Good Road Cars"])["HOURS"]


async def test_what_is_refused_is_said_and_the_rest_is_kept(referrals):
    async with referrals() as r:
        good = ride_service(7, "Good")
        bad = ride_service(8, "Bad", status="perhaps")
        good["contacts"] = [{"id": str(uuid4()), "name": "Ann Persona"}]
        good["phones"].append({"id": str(uuid4())})
        orphan = {**ride_service(6, "Orphan"), "organization_id": str(uuid4())}
        answer = await r.directory(organization(good, bad, number=2), orphan)
        assert (answer.created, answer.refused) == (2, 2)
        said = {(each.entity, each.field, each.reason) for each in answer.remarks}
        assert ("service", "status", "VALUE_INVALID") in said
        assert ("service", "organization", "ORGANIZATION_UNKNOWN") in said
        assert ("service", "contacts", "NOT_KEPT") in said
        assert ("phone", "number", "REQUIRED_FIELD_MISSING") in said
        assert "Ann Persona" not in json.dumps(await exported(r))
        for text in ("{", "3", "[]"):
            with pytest.raises(CallFailed) as error:
                await r.call("ImportDirectory", rpc.ImportDirectoryRequest(json=text))
            assert error.value.reason == "DIRECTORY_UNREADABLE"


async def test_matches_are_ranked_with_reasons_and_say_why_others_do_not_fit(referrals):
    async with referrals() as r:
        when = at("2026-09-11 08:30")
        span = {
            "start_time": to_timestamp(when),
            "end_time": to_timestamp(when + timedelta(hours=2)),
        }
        matches = await found(r, **span)
        assert list(matches) == ["Ridge Drivers", "Good Road Cars", "Far Wheels"]
        assert [m.fits for m in matches.values()] == [True, True, False]
        assert reasons(matches["Ridge Drivers"])["DRIVERS"] == "2 of 2 drivers free then."
        assert "speaks Spanish" in reasons(matches["Ridge Drivers"])["LANGUAGE"]
        assert reasons(matches["Far Wheels"])["AREA"] == "It does not serve 62701."
        none = await found(r, needs_wheelchair=True, **span)
        assert not any(m.fits for m in none.values())
        # A driver whom another facility took is not there for us.
        sent = await r.sent(2)
        yes = rpc.RecordAnswerRequest(
            referral_id=sent.id, answer=rpc.RecordAnswerRequest.ANSWER_YES
        )
        await r.call("RecordAnswer", yes)
        other = r.token(uuid4(), uuid4())
        request = rpc.SearchServicesRequest(need=RIDE, **span)
        answer = await r.call("SearchServices", request, other)
        taken = next(m for m in answer.matches if m.service.name == "Good Road Cars")
        assert not taken.fits
        assert reasons(taken)["DRIVERS"] == "Its driver is taken then."


async def test_a_capacity_is_believed_for_the_services_own_hours(referrals):
    async with referrals() as r:
        said = rpc.SetCapacityRequest(service_id=r.service(1), status=Capacity.STATUS_NO)
        service = await r.call("SetCapacity", said)
        assert service.capacity.status == Capacity.STATUS_NO
        age = service.capacity.expire_time.ToSeconds() - service.capacity.update_time.ToSeconds()
        assert age == 24 * 3600
        match = (await found(r))["Ridge Drivers"]
        assert not match.fits
        assert "it said so within the hour" in reasons(match)["CAPACITY"]
        r.hub.clock.move(timedelta(hours=24, seconds=1))
        await r.until("SELECT capacity FROM services WHERE name = 'Ridge Drivers'", "UNVERIFIED")
        told = (await r.told(referrals_events_pb2.CapacityChanged))[-1]
        assert told.capacity.status == Capacity.STATUS_UNSPECIFIED
        assert told.capacity.update_time == service.capacity.update_time
        assert (await found(r))["Ridge Drivers"].fits


async def test_organizations_are_listed_by_page(referrals):
    async with referrals() as r:
        await r.directory(organization(number=2), organization(number=3))
        request, seen = rpc.ListOrganizationsRequest(page_size=2), []
        for _ in range(2):
            page = await r.call("ListOrganizations", request)
            seen += [each.name for each in page.organizations]
            request.page_token = page.next_page_token
        assert seen == [f"Ridge Neighbors {n}" for n in (1, 2, 3)]
        assert request.page_token == ""


async def test_a_search_that_finds_more_than_it_answers_says_so(referrals):
    async with referrals() as r:
        request = rpc.SearchServicesRequest(need=RIDE, facility_id=str(r.here))
        many = [ride_service(n, f"Ride {n}") for n in range(10, 10 + MOST_MATCHES - 3)]
        await r.directory(organization(*many, number=2))
        answer = await r.call("SearchServices", request)
        assert (len(answer.matches), answer.has_more) == (MOST_MATCHES, False)
        await r.directory(organization(ride_service(9, "One more"), number=3))
        answer = await r.call("SearchServices", request)
        assert (len(answer.matches), answer.has_more) == (MOST_MATCHES, True)
