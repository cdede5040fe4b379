"""A hospital with people to own what opens, and what reconciling leaves stored."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.tasking.domain.loop import loop_id
from services.tasking.domain.owner import Directory, Facility, HeldRole, Staff, Team
from services.tasking.domain.reconcile import reconcile
from tests.unit.tasking.record import CHICAGO, FACILITY, PATIENT, PROTOCOL, planned

LEAD, NURSE, OTHER, DUTY, ADMIN, NETWORK = (UUID(int=n) for n in range(101, 107))
NURSES, DUTY_TEAM = UUID(int=201), UUID(int=202)
local_date = CHICAGO.local_date


def person(staff_id, name, role, facility_id=FACILITY, *, is_active=True):
    return Staff(
        id=staff_id,
        version=1,
        display_name=name,
        email=f"{name}@example.org",
        is_active=is_active,
        roles=(HeldRole(role=role, facility_id=facility_id),),
    )


MERCY = Facility(
    id=FACILITY,
    version=1,
    name="Mercy",
    time_zone="America/Chicago",
    holiday_calendar="us-federal",
    duty_team_id=DUTY_TEAM,
)
NURSE_TEAM = Team(
    id=NURSES,
    version=1,
    facility_id=FACILITY,
    name="Transition nurses",
    role="nurse",
    lead_id=LEAD,
    member_ids=(LEAD, NURSE, OTHER),
)
ON_DUTY = Team(
    id=DUTY_TEAM,
    version=1,
    facility_id=FACILITY,
    name="Duty",
    role="",
    lead_id=DUTY,
    member_ids=(DUTY,),
)
PEOPLE = (
    person(LEAD, "D. Reyes", "nurse"),
    person(NURSE, "N. Nurse", "nurse"),
    person(OTHER, "O. Other", "nurse"),
    person(DUTY, "E. Duty", "coordinator"),
    person(ADMIN, "A. Admin", "facility_admin"),
    person(NETWORK, "W. Wide", "network_admin", None),
)


def directory(*, without=(), teams=(NURSE_TEAM, ON_DUTY), people=PEOPLE):
    """Everybody; those in `without` have left."""
    staff = [replace(p, is_active=p.is_active and p.id not in without) for p in people]
    return Directory([MERCY], teams, staff)


EVERYBODY = directory()


class Stored:
    """What would be in the database: one encounter's loop and its tasks."""

    def __init__(self):
        self.loop = None
        self.tasks = {}

    def apply(self, changes):
        if changes.loop:
            expected = 1 if self.loop is None else self.loop.version + 1
            assert changes.loop.version == expected
            self.loop = changes.loop
        for task in changes.tasks:
            before = self.tasks.get(task.step)
            assert task.version == (1 if before is None else before.version + 1)
            self.tasks[task.step] = task
        return changes

    def plan(self, encounter, *others, now: datetime, people=EVERYBODY, **options):
        plan = planned(encounter, *others, **options)
        return self.apply(
            reconcile(
                plan,
                self.loop,
                list(self.tasks.values()),
                people,
                about=encounter,
                now=now,
            )
        )

    def __getitem__(self, step):
        return self.tasks[step]

    @property
    def open(self):
        return {task.step for task in self.tasks.values() if task.is_open}


LOOP = loop_id(PROTOCOL.key, UUID(int=10))
__all__ = ["LOOP", "PATIENT"]
