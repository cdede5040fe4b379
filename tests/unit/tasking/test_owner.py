"""Who answers for what, and that it is never nobody."""

from dataclasses import replace
from uuid import UUID

from services.tasking.domain.owner import Directory, Owner
from tests.unit.tasking.hospital import (
    ADMIN,
    DUTY,
    DUTY_TEAM,
    EVERYBODY,
    LEAD,
    MERCY,
    NETWORK,
    NURSE,
    NURSE_TEAM,
    NURSES,
    ON_DUTY,
    OTHER,
    PEOPLE,
    directory,
)
from tests.unit.tasking.record import FACILITY

STRANGER = UUID(int=999)


def test_a_task_goes_to_the_team_of_its_role_with_its_lead_accountable():
    owner = EVERYBODY.owner_for(FACILITY, "nurse")
    assert owner == Owner(team_id=NURSES, accountable_id=LEAD)
    assert EVERYBODY.display_name(owner) == "Transition nurses · lead D. Reyes"


def test_a_role_without_a_team_goes_to_the_duty_team():
    assert EVERYBODY.owner_for(FACILITY, "pharmacist").team_id == DUTY_TEAM


def test_while_the_lead_is_away_a_member_answers():
    assert directory(without=[LEAD]).owner_for(FACILITY, "nurse").accountable_id == NURSE


def test_a_team_of_which_everybody_left_owns_nothing():
    assert directory(without=[LEAD, NURSE, OTHER]).owner_for(FACILITY, "nurse").team_id == DUTY_TEAM


def test_without_teams_somebody_with_the_role_then_an_admin_then_the_network():
    teamless = directory(teams=())
    assert teamless.owner_for(FACILITY, "nurse").staff_id == LEAD
    assert teamless.owner_for(FACILITY, "pharmacist").staff_id == ADMIN
    nobody_here = directory(teams=(), without=[LEAD, NURSE, OTHER, DUTY, ADMIN])
    assert nobody_here.owner_for(FACILITY, "nurse").staff_id == NETWORK


def test_somebody_is_found_for_a_role_exactly_when_somebody_is_found_at_all():
    empty = Directory([MERCY], [NURSE_TEAM, ON_DUTY], [])
    assert empty.owner_for(FACILITY, "nurse") is None
    assert empty.owner_for(FACILITY, "") is None


def test_what_somebody_took_stays_theirs_until_they_leave_and_then_goes_to_the_team():
    taken = Owner(team_id=NURSES, staff_id=NURSE, accountable_id=NURSE, is_chosen=True)
    assert EVERYBODY.kept_or_handed_over(taken, FACILITY, "nurse") == taken
    after = directory(without=[NURSE]).kept_or_handed_over(taken, FACILITY, "nurse")
    assert after == replace(taken, staff_id=None, accountable_id=LEAD)


def test_what_somebody_without_a_team_had_goes_to_the_team_of_the_role():
    taken = Owner(staff_id=DUTY, accountable_id=DUTY, is_chosen=True)
    after = directory(without=[DUTY]).kept_or_handed_over(taken, FACILITY, "nurse")
    assert after.team_id == NURSES


def test_what_the_rule_gave_is_given_again_when_a_better_team_appears():
    at_first = directory(teams=(ON_DUTY,)).owner_for(FACILITY, "nurse")
    assert at_first.team_id == DUTY_TEAM
    assert EVERYBODY.kept_or_handed_over(at_first, FACILITY, "nurse").team_id == NURSES


def test_a_declined_task_goes_to_the_lead_and_a_lead_s_to_the_duty_team():
    owner = Owner(team_id=NURSES, staff_id=NURSE, accountable_id=NURSE, is_chosen=True)
    assert EVERYBODY.after_decline(owner, FACILITY, "nurse", NURSE).staff_id == LEAD
    by_lead = EVERYBODY.after_decline(owner, FACILITY, "nurse", LEAD)
    assert (by_lead.team_id, by_lead.staff_id) == (DUTY_TEAM, DUTY)


def test_a_declined_task_is_never_with_the_same_person_nor_with_nobody():
    owner = Owner(staff_id=DUTY, accountable_id=DUTY, is_chosen=True)
    alone = directory(without=[p.id for p in PEOPLE if p.id != DUTY])
    assert alone.after_decline(owner, FACILITY, "coordinator", DUTY) is None
    assert EVERYBODY.after_decline(owner, FACILITY, "coordinator", DUTY).staff_id == ADMIN


def test_a_rung_finds_people_and_falls_back_to_the_duty_team():
    owner = Owner(team_id=NURSES, accountable_id=LEAD)
    tell = EVERYBODY.recipients
    assert tell("owner", owner, FACILITY) == (LEAD,)
    assert tell("facility_admin", owner, FACILITY) == (ADMIN,)
    assert tell("nurse", owner, FACILITY) == (LEAD, NURSE, OTHER)
    assert tell("duty_team", owner, FACILITY) == (DUTY,)
    assert tell("physician", owner, FACILITY) == (DUTY,)
    without_duty = directory(without=[DUTY])
    assert without_duty.recipients("physician", owner, FACILITY) == (LEAD,)


def test_somebody_works_where_a_role_or_a_team_of_theirs_is():
    assert EVERYBODY.works_at(NURSE, FACILITY)
    assert EVERYBODY.works_at(NETWORK, FACILITY)
    assert not EVERYBODY.works_at(NURSE, UUID(int=5))
    assert not EVERYBODY.works_at(STRANGER, FACILITY)
    assert not directory(without=[NURSE]).works_at(NURSE, FACILITY)
