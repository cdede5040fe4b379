"""The rules of organizations, facilities, staff, teams and reach."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.identity.domain.creation import already_created
from services.identity.domain.facility import Facility
from services.identity.domain.organization import Organization, OrganizationKind
from services.identity.domain.reach import Reach
from services.identity.domain.role import Role
from services.identity.domain.staff import (
    RoleAssignment,
    StaffMember,
    StaffState,
    check_network_keeps_admin,
)
from services.identity.domain.team import Team

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE, THERE = UUID(int=1), UUID(int=2)
ANN, BEN, CAT = UUID(int=11), UUID(int=12), UUID(int=13)


def a_facility(**fields):
    values = {
        "id": HERE,
        "organization_id": uuid4(),
        "name": "Mercy",
        "time_zone": "America/Chicago",
    }
    return Facility(**values | fields)


def a_nurse(facility_id=HERE, **fields):
    roles = (RoleAssignment(role=Role.NURSE, facility_id=facility_id),)
    return StaffMember(
        **{"id": ANN, "account": "ann", "display_name": "Ann", "roles": roles} | fields
    )


def a_team(**fields):
    values = {"id": UUID(int=21), "facility_id": HERE, "name": "Duty", "lead_id": ANN}
    return Team(**values | {"member_ids": (ANN, BEN)} | fields)


def an_admin(*facilities, subject=CAT):
    return Reach.of(subject, {"facility_admin"}, frozenset(facilities))


THE_NETWORK = Reach.of(CAT, {"network_admin"}, frozenset())


def refuses(kind, reason):
    return pytest.raises(kind, check=lambda error: error.reason == reason)


class TestFacility:
    @pytest.mark.parametrize(
        "zone", ["", "Chicago", "EST5", "../etc/passwd", "localtime", "america/chicago", "Factory"]
    )
    def test_an_unknown_time_zone_is_refused(self, zone):
        with refuses(InvalidArgument, "TIME_ZONE_UNKNOWN"):
            a_facility(time_zone=zone).check()

    @pytest.mark.parametrize(
        "zone", ["America/Chicago", "Pacific/Honolulu", "UTC", "Asia/Kathmandu"]
    )
    def test_an_iana_time_zone_is_taken(self, zone):
        a_facility(time_zone=zone).check()

    def test_an_unknown_holiday_calendar_is_refused(self):
        with refuses(InvalidArgument, "HOLIDAY_CALENDAR_UNKNOWN"):
            a_facility(holiday_calendar="fr").check()

    @pytest.mark.parametrize(
        "phone", ["3125550100", "+0123", "+1 312 555", "+1" + "2" * 15, "+1312x"]
    )
    def test_a_number_that_is_not_e164_is_refused(self, phone):
        with refuses(InvalidArgument, "PHONE_INVALID"):
            a_facility(phone=phone).check()

    @pytest.mark.parametrize(
        ("name", "reason"),
        [(" ", "NAME_MISSING"), ("x" * 201, "NAME_TOO_LONG"), ("a\x00b", "TEXT_NOT_PRINTABLE")],
    )
    def test_a_name_is_one(self, name, reason):
        with refuses(InvalidArgument, reason):
            a_facility(name=name).check()

    def test_a_duty_team_is_replaced_and_never_taken_away(self):
        facility = a_facility(duty_team_id=uuid4())
        with refuses(InvalidArgument, "DUTY_TEAM_MISSING"):
            facility.changed_to(replace(facility, duty_team_id=None))
        other = uuid4()
        assert facility.changed_to(replace(facility, duty_team_id=other)).duty_team_id == other

    def test_nothing_new_is_no_new_version(self):
        facility = a_facility(version=7)
        assert facility.changed_to(replace(facility, version=1)) is facility
        assert facility.changed_to(replace(facility, name="Grace", version=1)).version == 8


class TestStaff:
    @pytest.mark.parametrize("account", ["", "Ann", "a b", "-a", "a" * 101, "ann\n", "é"])
    def test_an_account_is_lower_case_without_blanks(self, account):
        with refuses(InvalidArgument, "ACCOUNT_INVALID"):
            a_nurse(account=account).check()

    @pytest.mark.parametrize("email", ["ann", "@", "a@b c", "a@b@c", "x" * 250 + "@b.org"])
    def test_an_address_is_one_or_empty(self, email):
        with refuses(InvalidArgument, "EMAIL_INVALID"):
            a_nurse(email=email).check()
        a_nurse(email="").check()
        a_nurse(email="ann@mercy.example").check()

    def test_a_network_admin_is_one_everywhere(self):
        roles = (RoleAssignment(role=Role.NETWORK_ADMIN, facility_id=HERE),)
        with refuses(InvalidArgument, "ROLE_IS_NETWORK_WIDE"):
            a_nurse(roles=roles).check()

    def test_no_role_is_held_twice(self):
        nurse = a_nurse()
        with refuses(InvalidArgument, "ROLES_INVALID"):
            replace(nurse, roles=nurse.roles * 2).check()

    def test_a_role_at_an_unknown_facility_is_refused(self):
        with refuses(InvalidArgument, "FACILITY_UNKNOWN"):
            a_nurse(THERE).check_facilities([HERE])
        a_nurse(THERE).check_facilities([HERE, THERE])
        a_nurse(None).check_facilities([])

    def test_an_account_is_never_renamed(self):
        with refuses(InvalidArgument, "ACCOUNT_FIXED"):
            a_nurse().changed_to(a_nurse(account="anna"))

    def test_who_has_left_is_not_changed_any_more(self):
        gone = a_nurse().deactivate(because="moved", at=NOW)
        with refuses(FailedPrecondition, "STAFF_DEACTIVATED"):
            gone.changed_to(a_nurse(display_name="Anna"))

    def test_a_change_never_touches_the_state(self):
        nurse = a_nurse(version=3)
        wanted = a_nurse(display_name="Anna", state=StaffState.DEACTIVATED)
        changed = nurse.changed_to(wanted)
        assert (changed.state, changed.version) == (StaffState.ACTIVE, 4)

    def test_leaving_twice_is_leaving_once(self):
        gone = a_nurse().deactivate(because="moved", at=NOW)
        assert (gone.state, gone.left_at, gone.version) == (StaffState.DEACTIVATED, NOW, 2)
        assert gone.deactivate(because="again", at=NOW) is gone

    def test_the_last_network_admin_stays_one(self):
        admin = a_nurse(roles=(RoleAssignment(role=Role.NETWORK_ADMIN),))
        gone = admin.deactivate(because="", at=NOW)
        nurse = replace(admin, roles=())
        for after in (gone, nurse):
            with refuses(FailedPrecondition, "LAST_NETWORK_ADMIN"):
                check_network_keeps_admin(admin, after, network_admins=1)
            check_network_keeps_admin(admin, after, network_admins=2)
        check_network_keeps_admin(nurse, nurse, network_admins=0)


class TestTeam:
    def test_a_lead_is_an_active_member(self):
        a_team().check(active={ANN, BEN})
        for team in (a_team(lead_id=CAT), a_team(member_ids=())):
            with refuses(InvalidArgument, "LEAD_NOT_ACTIVE_MEMBER"):
                team.check(active={ANN, BEN, CAT})
        with refuses(InvalidArgument, "LEAD_NOT_ACTIVE_MEMBER"):
            a_team().check(active={BEN})

    def test_nobody_is_a_member_twice(self):
        with refuses(InvalidArgument, "MEMBERS_INVALID"):
            a_team(member_ids=(ANN, ANN)).check(active={ANN})

    def test_who_has_left_may_stay_listed_and_does_not_join(self):
        team = a_team()
        renamed = team.changed_to(replace(team, name="Day"), active={ANN}, is_on_duty=True)
        assert (renamed.name, renamed.version) == ("Day", 2)
        with refuses(InvalidArgument, "MEMBER_NOT_ACTIVE"):
            joined = replace(team, member_ids=(ANN, BEN, CAT))
            team.changed_to(joined, active={ANN, BEN}, is_on_duty=False)

    def test_a_duty_team_is_never_emptied(self):
        team = a_team()
        left = replace(team, member_ids=(BEN,), lead_id=BEN)
        with refuses(FailedPrecondition, "DUTY_TEAM_EMPTY"):
            team.changed_to(left, active={ANN}, is_on_duty=True)
        with refuses(FailedPrecondition, "DUTY_TEAM_EMPTY"):
            team.changed_to(replace(team, member_ids=()), active=set(), is_on_duty=True)
        with refuses(InvalidArgument, "LEAD_NOT_ACTIVE_MEMBER"):
            team.changed_to(replace(team, member_ids=()), active=set(), is_on_duty=False)

    def test_a_team_stays_at_its_facility(self):
        team = a_team()
        with refuses(InvalidArgument, "TEAM_FACILITY_FIXED"):
            team.changed_to(replace(team, facility_id=THERE), active={ANN}, is_on_duty=False)

    def test_a_duty_team_is_of_its_facility_and_somebody_is_there(self):
        a_team().check_duty(HERE, active={ANN})
        with refuses(InvalidArgument, "DUTY_TEAM_UNKNOWN"):
            a_team().check_duty(THERE, active={ANN})
        with refuses(FailedPrecondition, "DUTY_TEAM_EMPTY"):
            a_team().check_duty(HERE, active=set())

    def test_a_lead_who_leaves_names_a_successor(self):
        team = a_team()
        leave = {"active": {ANN, BEN}, "is_on_duty": False}
        with refuses(FailedPrecondition, "LEADS_TEAM"):
            team.without(ANN, successor=None, **leave)
        for stranger in (CAT, ANN):
            with refuses(FailedPrecondition, "SUCCESSOR_NOT_MEMBER"):
                team.without(ANN, successor=stranger, **leave)
        handed_over = team.without(ANN, successor=BEN, **leave)
        assert (handed_over.lead_id, handed_over.version) == (BEN, 2)

    def test_a_successor_who_has_left_is_none(self):
        with refuses(FailedPrecondition, "SUCCESSOR_NOT_MEMBER"):
            a_team().without(ANN, successor=BEN, active={ANN}, is_on_duty=False)

    def test_the_last_on_duty_does_not_leave(self):
        with refuses(FailedPrecondition, "LAST_OF_DUTY_TEAM"):
            a_team().without(ANN, successor=BEN, active={ANN}, is_on_duty=True)

    def test_a_member_who_does_not_lead_just_leaves(self):
        team = a_team()
        assert team.without(BEN, successor=None, active={ANN, BEN}, is_on_duty=True) is team


class TestReach:
    def test_a_network_admin_reaches_what_was_added_a_moment_ago(self):
        assert THE_NETWORK.covers(uuid4())
        assert THE_NETWORK.knows(a_nurse(uuid4()))

    def test_all_facilities_of_today_are_not_the_network(self):
        reach = an_admin(HERE, THERE)
        assert reach.covers(HERE)
        assert not reach.covers(None)
        with refuses(PermissionDenied, "NETWORK_ADMIN_NEEDED"):
            reach.check_network()

    def test_somebody_of_elsewhere_is_unknown(self):
        assert an_admin(HERE).knows(a_nurse(HERE))
        assert not an_admin(HERE).knows(a_nurse(THERE))
        assert not an_admin(HERE).knows(a_nurse(None))

    @pytest.mark.parametrize("facility_id", [THERE, None])
    def test_a_facility_admin_gives_roles_at_home_only(self, facility_id):
        an_admin(HERE).check_hiring(a_nurse(HERE))
        with refuses(PermissionDenied, "ROLE_OUT_OF_REACH"):
            an_admin(HERE).check_hiring(a_nurse(facility_id))
        with refuses(PermissionDenied, "ROLE_OUT_OF_REACH"):
            before = a_nurse(HERE)
            after = replace(before, roles=before.roles + a_nurse(facility_id).roles)
            an_admin(HERE).check_change(before, after)

    def test_a_facility_admin_takes_no_role_of_elsewhere(self):
        before = replace(a_nurse(HERE), roles=a_nurse(HERE).roles + a_nurse(THERE).roles)
        an_admin(HERE).check_change(before, replace(before, roles=a_nurse(THERE).roles))
        with refuses(PermissionDenied, "ROLE_OUT_OF_REACH"):
            an_admin(HERE).check_change(before, replace(before, roles=a_nurse(HERE).roles))

    def test_who_works_elsewhere_too_is_not_renamed_or_dismissed_from_here(self):
        before = replace(a_nurse(HERE), roles=a_nurse(HERE).roles + a_nurse(THERE).roles)
        gone = before.deactivate(because="", at=NOW)
        for after in (replace(before, email="x@y"), gone):
            with refuses(PermissionDenied, "ROLE_OUT_OF_REACH"):
                an_admin(HERE).check_change(before, after)
            THE_NETWORK.check_change(before, after)

    def test_nobody_is_hired_without_a_role_by_a_facility_admin(self):
        with refuses(PermissionDenied, "ROLE_OUT_OF_REACH"):
            an_admin(HERE).check_hiring(a_nurse(roles=()))
        THE_NETWORK.check_hiring(a_nurse(roles=()))

    def test_nobody_changes_their_own_roles(self):
        before = a_nurse(HERE, id=CAT)
        more = (*before.roles, RoleAssignment(role=Role.PHYSICIAN, facility_id=HERE))
        for reach in (an_admin(HERE), THE_NETWORK):
            with refuses(PermissionDenied, "OWN_ROLES"):
                reach.check_change(before, replace(before, roles=more))
            reach.check_change(before, replace(before, email="cat@mercy.example"))


class TestCreation:
    ONE = Organization(id=HERE, name="Mercy", kind=OrganizationKind.PROVIDER, is_covered=True)

    def test_the_same_again_is_the_same(self):
        kept = replace(self.ONE, version=4)
        assert already_created(kept, self.ONE) is kept
        assert already_created(None, self.ONE) is None

    def test_another_content_is_refused(self):
        with refuses(FailedPrecondition, "ALREADY_EXISTS"):
            already_created(self.ONE, replace(self.ONE, name="Grace"))
