"""Organizations, facilities, staff and teams over real PostgreSQL, through the guard."""

import asyncio
from uuid import uuid4

import pytest
from carehub.identity.v1 import identity_events_pb2 as events
from carehub.identity.v1 import identity_service_pb2 as rpc
from carehub.identity.v1.staff_pb2 import StaffMember

from libs.chassis.wire import CallFailed
from services.identity.app import bootstrap


def refused(code, reason):
    return pytest.raises(CallFailed, check=lambda e: (e.code, e.reason) == (code, reason))


class TestFacilities:
    async def test_a_facility_is_created_once_read_and_changed(self, identity):
        async with identity() as i:
            organization = await i.create_organization()
            made = await i.create_facility(
                id=str(uuid4()), organization_id=organization.id, holiday_calendar="us-federal"
            )
            assert made.etag == '"1"'
            same = {f.name: v for f, v in made.ListFields() if f.name != "etag"}
            assert await i.create_facility(**same) == made
            with refused("FAILED_PRECONDITION", "ALREADY_EXISTS"):
                await i.create_facility(**same | {"name": "Grace"})
            nurse = i.token("nurse", made.id)
            request = rpc.GetFacilityRequest(facility_id=made.id)
            assert await i.call("GetFacility", request, nurse) == made

            changed = await i.update_facility(id=made.id, etag=made.etag, phone="+13125550100")
            assert (changed.phone, changed.name, changed.etag) == ("+13125550100", "Mercy", '"2"')
            with refused("ABORTED", "STALE_ETAG"):
                await i.update_facility(id=made.id, etag=made.etag, name="Grace")
            unchanged = await i.update_facility(id=made.id, name="Mercy")
            assert unchanged == changed
            cleared = await i.update_facility(id=made.id, mask=["phone"])
            assert (cleared.phone, cleared.etag) == ("", '"3"')
            told = await i.told(events.FacilityChanged)
            assert [(key, version) for key, version, _ in told] == [(made.id, n) for n in (1, 2, 3)]
            assert [event.facility.etag for _, _, event in told] == ['"1"', '"2"', '"3"']
            assert len(await i.told(events.OrganizationChanged)) == 1

    async def test_what_cannot_be_is_refused(self, identity):
        async with identity() as i:
            for field, reason in [
                ({"time_zone": "Mars/Olympus"}, "TIME_ZONE_UNKNOWN"),
                ({"holiday_calendar": "mars"}, "HOLIDAY_CALENDAR_UNKNOWN"),
                ({"organization_id": str(uuid4())}, "ORGANIZATION_UNKNOWN"),
                ({"organization_id": "7"}, "ID_INVALID"),
                ({"duty_team_id": str(uuid4())}, "DUTY_TEAM_UNKNOWN"),
            ]:
                with refused("INVALID_ARGUMENT", reason):
                    await i.create_facility(**field)
            with refused("INVALID_ARGUMENT", "KIND_MISSING"):
                await i.create_organization(kind=0)
            made = await i.create_facility()
            with refused("INVALID_ARGUMENT", "MASK_PATH_UNKNOWN"):
                await i.update_facility(id=made.id, mask=["color"])
            with refused("NOT_FOUND", "FACILITY_NOT_FOUND"):
                await i.update_facility(id=str(uuid4()), name="x")

    async def test_a_facility_admin_changes_their_own_and_adds_none(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id, name="Grace")
            boss = i.token("facility_admin", here.id)
            assert (await i.update_facility(boss, id=here.id, name="Mercy West")).etag == '"2"'
            with refused("NOT_FOUND", "FACILITY_NOT_FOUND"):
                await i.update_facility(boss, id=there.id, name="Mine")
            with refused("PERMISSION_DENIED", "NETWORK_ADMIN_NEEDED"):
                await i.create_facility(boss, organization_id=here.organization_id)
            with refused("PERMISSION_DENIED", "NETWORK_ADMIN_NEEDED"):
                other = await i.create_organization()
                await i.update_facility(boss, id=here.id, organization_id=other.id)

    async def test_pages_show_each_once_by_name(self, identity):
        async with identity() as i:
            organization = await i.create_organization()
            names = ["b", "a", "c", "a", "a"]
            for name in names:
                await i.create_facility(organization_id=organization.id, name=name)
            seen, token, pages = [], "", 0
            while token or not pages:
                request = rpc.ListFacilitiesRequest(page_size=2, page_token=token)
                page = await i.call("ListFacilities", request)
                seen += [(one.name, one.id) for one in page.facilities]
                token, pages = page.next_page_token, pages + 1
            assert pages == 3
            assert len(set(seen)) == 5
            assert [name for name, _ in seen] == sorted(names)
            exact = await i.call("ListFacilities", rpc.ListFacilitiesRequest(page_size=5))
            assert exact.next_page_token == ""
            for token in ("x", "!!!", "WyJhIl0"):
                with refused("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"):
                    await i.call("ListFacilities", rpc.ListFacilitiesRequest(page_token=token))
            with refused("INVALID_ARGUMENT", "PAGE_SIZE_NEGATIVE"):
                await i.call("ListOrganizations", rpc.ListOrganizationsRequest(page_size=-1))


class TestStaff:
    async def test_an_account_is_taken_once(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            id = str(uuid4())
            ann = await i.create_staff("ann", ("nurse", here.id), id=id, email="ann@m.example")
            assert (ann.id, ann.state, ann.etag) == (id, StaffMember.STATE_ACTIVE, '"1"')
            again = await i.create_staff("ann", ("nurse", here.id), id=id, email="ann@m.example")
            assert again == ann
            with refused("FAILED_PRECONDITION", "ACCOUNT_TAKEN"):
                await i.create_staff("ann", ("nurse", here.id))
            with refused("FAILED_PRECONDITION", "ALREADY_EXISTS"):
                await i.create_staff("anna", ("nurse", here.id), id=id)
            with refused("INVALID_ARGUMENT", "ROLE_UNKNOWN"):
                await i.create_staff("ben", ("wizard", here.id))
            with refused("INVALID_ARGUMENT", "FACILITY_UNKNOWN"):
                await i.create_staff("ben", ("nurse", str(uuid4())))
            with refused("INVALID_ARGUMENT", "ACCOUNT_FIXED"):
                await i.update_staff(id=id, account="anna")

    async def test_roles_change_with_a_mask_and_may_become_none(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            ann = await i.create_staff("ann", ("nurse", here.id))
            more = [("nurse", here.id), ("physician", "")]
            both = await i.update_staff(id=ann.id, roles=more)
            assert [(held.role, held.facility_id) for held in both.roles] == more
            none = await i.update_staff(id=ann.id, mask=["roles", "state"])
            assert (len(none.roles), none.state) == (0, StaffMember.STATE_ACTIVE)
            told = await i.told(events.StaffChanged)
            assert [version for _, version, _ in told] == [1, 2, 3]
            assert [len(event.staff_member.roles) for _, _, event in told] == [1, 2, 0]

    async def test_lists_are_by_account_and_say_who_works_where(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id)
            await i.create_staff("cat", ("nurse", here.id))
            await i.create_staff("ann", ("nurse", there.id))
            await i.create_staff("ben", ("privacy_officer", ""))
            await i.create_staff("dan")
            gone = await i.create_staff("eve", ("nurse", here.id))
            await i.deactivate(gone.id)

            async def listed(**fields):
                page = await i.call("ListStaff", rpc.ListStaffRequest(**fields))
                return [one.account for one in page.staff], page.next_page_token

            assert (await listed())[0] == ["ann", "ben", "cat", "dan"]
            assert (await listed(show_deactivated=True))[0][-1] == "eve"
            assert (await listed(facility_id=here.id))[0] == ["ben", "cat"]
            first, token = await listed(page_size=3)
            second, end = await listed(page_size=3, page_token=token)
            assert (first + second, end) == (["ann", "ben", "cat", "dan"], "")
            with refused("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"):
                await listed(page_token=token, facility_id=here.id)

    async def test_a_facility_admin_reaches_their_own_people(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id)
            me = uuid4()
            boss = i.token("facility_admin", here.id, subject=me)
            await i.create_staff("boss", ("facility_admin", here.id), id=str(me))
            ann = await i.create_staff("ann", ("nurse", here.id), token=boss)
            for place in (there.id, ""):
                with refused("PERMISSION_DENIED", "ROLE_OUT_OF_REACH"):
                    await i.create_staff("ben", ("nurse", place), token=boss)
                with refused("PERMISSION_DENIED", "ROLE_OUT_OF_REACH"):
                    roles = [("nurse", here.id), ("nurse", place)]
                    await i.update_staff(boss, id=ann.id, roles=roles)
            with refused("PERMISSION_DENIED", "OWN_ROLES"):
                roles = [("facility_admin", here.id), ("nurse", here.id)]
                await i.update_staff(boss, id=str(me), roles=roles)
            cat = await i.create_staff("cat", ("nurse", there.id))
            with refused("NOT_FOUND", "STAFF_NOT_FOUND"):
                await i.update_staff(boss, id=cat.id, display_name="Kitty")
            with refused("NOT_FOUND", "STAFF_NOT_FOUND"):
                await i.deactivate(cat.id, boss)
            assert (await i.deactivate(ann.id, boss)).state == StaffMember.STATE_DEACTIVATED
            with refused("PERMISSION_DENIED", "PERMISSION_MISSING"):
                await i.create_staff("dan", ("nurse", here.id), token=i.token("nurse", here.id))

    async def test_the_first_admin_comes_by_bootstrap_and_the_last_one_stays(self, identity):
        async with identity() as i:
            someone = {"account": "admin", "name": "Ada", "email": "ada@net.example"}
            for _ in range(2):
                async with i.hub.system("identity") as tx:
                    await bootstrap(tx, id=i.admin_id, **someone)
            assert len(await i.told(events.StaffChanged)) == 1
            with refused("FAILED_PRECONDITION", "LAST_NETWORK_ADMIN"):
                await i.deactivate(str(i.admin_id))
            await i.create_staff("second", ("network_admin", ""))
            await i.deactivate(str(i.admin_id))

    async def test_me(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            ann = await i.create_staff("ann", ("pharmacist", here.id))
            token = i.token("pharmacist", here.id, subject=ann.id)
            me = await i.call("GetMe", rpc.GetMeRequest(), token)
            assert (me.staff_member, list(me.facility_ids)) == (ann, [here.id])
            assert "patients.read" in me.permissions
            assert list(me.permissions) == sorted(me.permissions)
            with refused("NOT_FOUND", "STAFF_NOT_FOUND"):
                await i.call("GetMe", rpc.GetMeRequest(), i.token("nurse", here.id))


class TestTeams:
    async def test_a_duty_team_is_never_left_alone(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id)
            ann, ben = [await i.create_staff(a, ("nurse", here.id)) for a in ("ann", "ben")]
            team = await i.create_team(here.id, ann, ben, role="nurse")
            with refused("INVALID_ARGUMENT", "DUTY_TEAM_UNKNOWN"):
                await i.update_facility(id=there.id, duty_team_id=team.id)
            await i.update_facility(id=here.id, duty_team_id=team.id)
            with refused("INVALID_ARGUMENT", "DUTY_TEAM_MISSING"):
                await i.update_facility(id=here.id, mask=["duty_team_id"])
            with refused("FAILED_PRECONDITION", "DUTY_TEAM_EMPTY"):
                await i.update_team(id=team.id, mask=["member_ids"])

            with refused("FAILED_PRECONDITION", "LEADS_TEAM"):
                await i.deactivate(ann.id)
            cat = await i.create_staff("cat", ("nurse", here.id))
            with refused("FAILED_PRECONDITION", "SUCCESSOR_NOT_MEMBER"):
                await i.deactivate(ann.id, successor_id=cat.id)
            gone = await i.deactivate(ann.id, successor_id=ben.id, reason="moved")
            assert gone.state == StaffMember.STATE_DEACTIVATED
            assert await i.deactivate(ann.id) == gone
            now = await i.call("GetTeam", rpc.GetTeamRequest(team_id=team.id))
            assert (now.lead_id, now.etag) == (ben.id, '"2"')
            with refused("FAILED_PRECONDITION", "LAST_OF_DUTY_TEAM"):
                await i.deactivate(ben.id, successor_id=cat.id)

            await i.update_team(id=team.id, member_ids=[ben.id, cat.id], lead_id=cat.id)
            await i.deactivate(ben.id)
            told = await i.told(events.TeamChanged)
            assert [(v, event.team.lead_id) for _, v, event in told] == [
                (1, ann.id),
                (2, ben.id),
                (3, cat.id),
            ]

    async def test_who_leads_and_who_joins(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            ann, ben = [await i.create_staff(a, ("nurse", here.id)) for a in ("ann", "ben")]
            with refused("INVALID_ARGUMENT", "LEAD_NOT_ACTIVE_MEMBER"):
                await i.create_team(here.id, ann, lead_id=ben.id)
            await i.deactivate(ben.id)
            with refused("INVALID_ARGUMENT", "MEMBER_NOT_ACTIVE"):
                await i.create_team(here.id, ann, ben)
            with refused("NOT_FOUND", "FACILITY_NOT_FOUND"):
                await i.create_team(str(uuid4()), ann)
            with refused("INVALID_ARGUMENT", "ROLE_UNKNOWN"):
                await i.create_team(here.id, ann, role="wizard")
            team = await i.create_team(here.id, ann, id=str(uuid4()))
            assert await i.create_team(here.id, ann, id=team.id) == team
            with refused("INVALID_ARGUMENT", "MEMBER_NOT_ACTIVE"):
                await i.update_team(id=team.id, member_ids=[ann.id, ben.id])
            with refused("ABORTED", "STALE_ETAG"):
                await i.update_team(id=team.id, etag='"9"', name="Night")

    async def test_a_facility_admin_has_teams_at_home(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            there = await i.create_facility(organization_id=here.organization_id)
            ann = await i.create_staff("ann", ("nurse", here.id))
            boss = i.token("facility_admin", here.id)
            home = await i.create_team(here.id, ann, token=boss)
            away = await i.create_team(there.id, ann, name="Away")
            with refused("NOT_FOUND", "FACILITY_NOT_FOUND"):
                await i.create_team(there.id, ann, token=boss)
            with refused("NOT_FOUND", "TEAM_NOT_FOUND"):
                await i.update_team(boss, id=away.id, name="Mine")
            teams = await i.call("ListTeams", rpc.ListTeamsRequest(facility_id=here.id), boss)
            assert [team.id for team in teams.teams] == [home.id]
            assert len((await i.call("ListTeams", rpc.ListTeamsRequest())).teams) == 2

    async def test_two_who_leave_at_once_do_not_empty_a_duty_team(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            ann, ben = [await i.create_staff(a, ("nurse", here.id)) for a in ("ann", "ben")]
            team = await i.create_team(here.id, ann, ben)
            await i.update_facility(id=here.id, duty_team_id=team.id)
            results = await asyncio.gather(
                i.deactivate(ann.id, successor_id=ben.id),
                i.deactivate(ben.id, successor_id=ann.id),
                return_exceptions=True,
            )
            failed = [result for result in results if isinstance(result, CallFailed)]
            assert [error.reason for error in failed] == ["LAST_OF_DUTY_TEAM"]

    async def test_a_repeated_request_is_answered_once(self, identity):
        async with identity() as i:
            here = await i.create_facility()
            key = {"idempotency-key": "again"}
            request = rpc.UpdateFacilityRequest()
            request.facility.CopyFrom(here)
            request.facility.name = "Grace"
            first = await i.call("UpdateFacility", request, **key)
            assert await i.call("UpdateFacility", request, **key) == first
            assert len(await i.told(events.FacilityChanged)) == 2
