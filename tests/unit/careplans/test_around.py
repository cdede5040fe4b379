"""Where else a patient is known, who works there, and what a plan asks of them; and who is on its care team."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from services.careplans.domain.around import Around, Where
from services.careplans.domain.following import follow
from services.careplans.domain.labels import ORDINARY
from services.careplans.domain.neighbor import Denial, Facility, Owner, Seen
from services.careplans.domain.plan import Member
from services.careplans.domain.template import template
from services.careplans.domain.work import KeyDate, Loop, LoopState, Task, TaskState

TEMPLATE = template("transition", 2)
AT = datetime(2026, 9, 4, 22, 40, tzinfo=UTC)


def an_id(name):
    return uuid5(UUID(int=7), name)


def place(name, organization):
    duty, whose = an_id(f"{name} duty"), an_id(organization) if organization else None
    return Facility(
        id=an_id(name), version=1, time_zone="UTC", duty_team_id=duty, organization_id=whose
    )


def seen(where, days=10, *, counts=True):
    return Seen(
        encounter_id=an_id(f"{where} {days}"), version=1, patient_id=an_id("patient"),
        facility_id=an_id(where), began_at=AT - timedelta(days=days), counts=counts,
    )  # fmt: skip


def denial(whom=None, *sources, classes=("VISITS", "COORDINATION")):
    return Denial(
        patient_id=an_id("patient"), grantee_id=whom and an_id(whom), classes=classes,
        sources=tuple(map(an_id, sources)) or None,
    )  # fmt: skip


def around(*visits, denials=()):
    places = [place("mercy", "m"), place("pine", "v"), place("valley", "v"), place("ridge", "r")]
    places.append(place("unheard", "never told"))
    visitors = Owner(
        id=an_id("visitors"), version=1, is_active=True, facility_id=an_id("ridge"),
        role="community_health_worker",
    )  # fmt: skip
    return Around(
        seen={an_id("patient"): visits},
        denials={an_id("patient"): denials},
        facilities={each.id: each for each in places},
        organizations={an_id("m"), an_id("v"), an_id("r")},
        community={an_id("r")},
        teams=[visitors],
    )


def loop(**fields):
    days = {"visit_7_due": 11, "visit_14_due": 18}
    told = {
        "id": an_id("loop"), "version": 1, "facility_id": an_id("mercy"), "patient_id": an_id("patient"),
        "encounter_id": an_id("stay"), "protocol": "discharge-transition", "state": LoopState.OPEN,
        "owner_id": an_id("coordinators"), "accountable_id": an_id("dolores"), "opened_at": AT, "closed_at": None,
        "labels": ORDINARY, "key_dates": tuple(
            KeyDate(key=key, on=date(2026, 9, day), at=AT + timedelta(day)) for key, day in days.items()),
    }  # fmt: skip
    return Loop(**told | fields)


def task(step, role, **fields):
    told = {
        "id": an_id(step), "version": 1, "loop_id": an_id("loop"), "facility_id": an_id("mercy"), "step": step,
        "title": step, "role": role, "state": TaskState.OPEN, "owner_id": an_id(f"{role}s"),
        "accountable_id": an_id(f"lead of {role}s"), "due_at": AT + timedelta(days=1), "due_on": date(2026, 9, 5),
    }  # fmt: skip
    return Task(**told | fields)


def where(sort, *visits):
    return around(*visits).place(sort, an_id("patient"), an_id("mercy"), AT)


def test_the_clinic_and_the_neighbors_are_those_who_saw_the_patient_last():
    visits = (seen("pine", 20), seen("valley", 9), seen("ridge", 30), seen("mercy", 1))
    assert where(Where.CLINIC, *visits) == an_id("valley")
    assert where(Where.COMMUNITY, *visits) == an_id("ridge")
    assert where(Where.HERE, *visits) == an_id("mercy")


@pytest.mark.parametrize(
    "visit",
    [
        seen("pine", 366),
        seen("pine", 0),  # not before
        seen("pine", counts=False),
        seen("mercy"),
        seen("ridge"),
        seen("unheard"),
        seen("nowhere"),
    ],
)
def test_where_nobody_is_known_to_know_the_patient_nobody_is_asked(visit):
    assert where(Where.CLINIC, visit) is None


@pytest.mark.parametrize(
    "denied",
    [
        denial(),  # nobody elsewhere
        denial("mercy"),
        denial("m"),  # its organization
        denial("mercy", "pine"),
        denial("pine"),
        denial("v", "mercy"),
        denial("mercy", classes=("VISITS",)),
        denial("pine", classes=("COORDINATION",)),
    ],
)
def test_of_whom_the_patient_denied_to_know_the_other_nobody_is_asked(denied):
    here = around(seen("pine"), denials=(denied,))
    assert here.place(Where.CLINIC, an_id("patient"), an_id("mercy"), AT) is None


@pytest.mark.parametrize(
    "other",
    [
        denial("ridge"),
        denial("mercy", "valley"),
        denial("pine", "valley"),
        denial("mercy", classes=("COORDINATION",)),
        denial("pine", classes=("VISITS", "RESULTS")),
    ],
)
def test_a_denial_of_something_else_lets_them_be_asked(other):
    here = around(seen("pine"), seen("valley", 20), denials=(other,))
    assert here.place(Where.CLINIC, an_id("patient"), an_id("mercy"), AT) == an_id("pine")


def test_of_two_clinics_the_one_that_is_not_denied_is_asked():
    here = around(seen("pine", 5), seen("valley", 20), denials=(denial("mercy", "pine"),))
    assert here.place(Where.CLINIC, an_id("patient"), an_id("mercy"), AT) == an_id("valley")


def test_who_does_it_is_the_team_of_the_role_else_the_duty_team():
    here = around()
    assert here.who(an_id("ridge"), "community_health_worker") == an_id("visitors")
    assert here.who(an_id("ridge"), "nurse") == an_id("ridge duty")
    assert here.who(an_id("nowhere"), "nurse") is None


def test_a_plan_asks_the_clinic_and_the_neighbors_who_are_then_on_its_team():
    tasks = [task("admission_notice", "coordinator"), task("contact", "nurse")]
    plan = follow(None, loop(), tasks, TEMPLATE, around(seen("pine"), seen("ridge")))
    assert {each.facility_id for each in plan.activities} == {
        an_id("mercy"),
        an_id("pine"),
        an_id("ridge"),
    }
    assert plan.team[0] == Member(
        id=an_id("lead of coordinators"), role="coordinator", facility_id=an_id("mercy")
    )
    assert {each.id for each in plan.team} >= {
        an_id("nurses"),
        an_id("pine duty"),
        an_id("visitors"),
    }
    assert follow(plan, loop(), tasks, TEMPLATE, around(seen("pine"), seen("ridge"))) == plan
    alone = follow(plan, loop(), tasks, TEMPLATE)
    assert {each.facility_id for each in alone.activities} == {an_id("mercy")}


def test_what_is_not_needed_puts_nobody_on_the_team_and_what_is_done_keeps_them():
    done = task("contact", "nurse", state=TaskState.COMPLETED)
    dropped = task("home_visit", "chw", state=TaskState.CANCELLED)
    plan = follow(None, loop(), [done, dropped], TEMPLATE)
    found = {each.id for each in plan.team}
    assert an_id("nurses") in found
    assert an_id("chws") not in found


def test_who_does_several_things_is_on_the_team_once_as_what_they_do_last():
    ann = an_id("ann")
    first = task("contact", "nurse", owner_id=ann)
    last = task("home_visit", "chw", owner_id=ann, due_at=AT + timedelta(days=3))
    other = task("medicines", "pharmacist", due_at=AT + timedelta(days=2))
    notice = task("admission_notice", "coordinator", accountable_id=an_id("rosa"))
    hers = task("transport", "nurse", owner_id=an_id("rosa"))
    for tasks in ([first, last, other, notice, hers], [hers, notice, other, last, first]):
        plan = follow(None, loop(), tasks, TEMPLATE)
        ids = [each.id for each in plan.team]
        assert len(ids) == len(set(ids))
        assert [each.role for each in plan.team if each.id == ann] == ["chw"]
        assert (plan.team[0].id, plan.team[0].role) == (an_id("rosa"), "coordinator")


def test_the_coordinator_is_a_person_who_answers_until_somebody_names_another():
    notice = task("admission_notice", "coordinator")
    plan = follow(None, loop(), [notice], TEMPLATE)
    assert plan.coordinator_id == an_id("lead of coordinators")
    claimed = replace(notice, owner_id=an_id("rosa"), accountable_id=an_id("rosa"))
    assert follow(plan, loop(), [claimed], TEMPLATE).coordinator_id == an_id("rosa")
    assert follow(None, loop(), [], TEMPLATE).coordinator_id == an_id("dolores")
    named = plan.name_coordinator(an_id("luz"))
    assert follow(named, loop(), [claimed], TEMPLATE).team[0].id == an_id("luz")
    untold = replace(notice, accountable_id=None)
    assert follow(None, loop(), [untold], TEMPLATE).coordinator_id == an_id("coordinators")
