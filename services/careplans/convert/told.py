"""What neighbors tell, as far as it matters here."""

from datetime import date
from uuid import UUID

from carehub.identity.v1 import (
    facility_pb2,
    identity_events_pb2,
    organization_pb2,
    staff_pb2,
)
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, tasking_events_pb2
from google.type.date_pb2 import Date

from libs.chassis.fields import to_datetime
from libs.chassis.ids import to_id
from services.careplans.convert.words import to_labels
from services.careplans.domain.labels import ORDINARY
from services.careplans.domain.neighbor import (
    Facility,
    KnownFeed,
    Merge,
    Organization,
    Owner,
    Seen,
    Stay,
)
from services.careplans.domain.work import KeyDate, Loop, LoopState, Task, TaskState

_VISITS = frozenset(
    {encounter_pb2.Encounter.CLASS_OUTPATIENT, encounter_pb2.Encounter.CLASS_RECURRING}
)

_TOOK_PLACE = frozenset(
    {encounter_pb2.Encounter.STATE_IN_PROGRESS, encounter_pb2.Encounter.STATE_FINISHED}
)


def to_facility(told: facility_pb2.Facility, version: int) -> Facility:
    return Facility(
        id=to_id(told.id),
        version=version,
        time_zone=told.time_zone,
        duty_team_id=to_id(told.duty_team_id) if told.duty_team_id else None,
        organization_id=to_id(told.organization_id) if told.organization_id else None,
    )


def to_organization(event: identity_events_pb2.OrganizationChanged) -> Organization:
    told = event.organization
    is_community = told.kind == organization_pb2.Organization.KIND_COMMUNITY
    return Organization(id=to_id(told.id), version=event.version, is_community=is_community)


def to_person(event: identity_events_pb2.StaffChanged) -> Owner:
    person = event.staff_member
    is_active = person.state == staff_pb2.StaffMember.STATE_ACTIVE
    return Owner(id=to_id(person.id), version=event.version, is_active=is_active)


def to_team(event: identity_events_pb2.TeamChanged) -> Owner:
    team = event.team
    return Owner(
        id=to_id(team.id),
        version=event.version,
        is_active=True,
        facility_id=to_id(team.facility_id),
        role=team.role,
    )


def to_feed(event: interop_events_pb2.FeedChanged) -> KnownFeed:
    feed = event.feed
    places = {feed.facility_id, *feed.quirks.facilities.values()}
    return KnownFeed(
        id=to_id(feed.id),
        version=event.version,
        facility_ids=tuple(sorted(to_id(place) for place in places)),
        is_program=feed.provenance.is_part2_program,
    )


def to_merge(event: registry_events_pb2.PatientsMerged) -> Merge:
    return Merge(retired_id=to_id(event.retired_id), survivor_id=to_id(event.survivor_id))


def to_stay(event: registry_events_pb2.EncounterChanged) -> Stay:
    told = event.encounter
    has_left = told.state == encounter_pb2.Encounter.STATE_FINISHED
    return Stay(
        encounter_id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        labels=to_labels(told.labels),
        is_taken_back=told.state == encounter_pb2.Encounter.STATE_CANCELLED,
        left_at=to_datetime(told.discharge_time)
        if has_left and told.HasField("discharge_time")
        else None,
    )


def to_seen(event: registry_events_pb2.EncounterChanged) -> Seen:
    """Who saw the patient, whatever is told: a visit that is a stay now, or has no beginning any more, counted perhaps as it
    was told before, and has to be known not to. What is sensitive about it shows nobody to others.
    """
    told = event.encounter
    took_place = told.HasField("admit_time") and told.state in _TOOK_PLACE
    is_visit = getattr(told, "class") in _VISITS
    return Seen(
        encounter_id=to_id(told.id),
        version=event.version,
        patient_id=to_id(told.patient_id),
        facility_id=to_id(told.facility_id),
        began_at=to_datetime(told.admit_time) if told.HasField("admit_time") else None,
        counts=is_visit and took_place and to_labels(told.labels) == ORDINARY,
    )


def to_loop(event: tasking_events_pb2.LoopChanged) -> Loop:
    told = event.loop
    return Loop(
        id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        encounter_id=to_id(told.encounter_id) if told.encounter_id else None,
        protocol=told.protocol,
        state=LoopState(loop_pb2.Loop.State.Name(told.state).removeprefix("STATE_")),
        owner_id=_owner(told.owner),
        accountable_id=_accountable(told.owner),
        key_dates=tuple(
            KeyDate(key=each.key, on=_day(each.date), at=to_datetime(each.time))
            for each in told.key_dates
        ),
        opened_at=to_datetime(told.open_time),
        closed_at=to_datetime(told.close_time) if told.HasField("close_time") else None,
        labels=to_labels(told.labels),
    )


def to_task(event: tasking_events_pb2.TaskChanged) -> Task:
    told = event.task
    state = type(told).State.Name(told.state).removeprefix("STATE_")
    return Task(
        id=to_id(told.id),
        version=event.version,
        loop_id=to_id(told.loop_id),
        facility_id=to_id(told.facility_id),
        step=told.step,
        title=told.title,
        role=told.role,
        state=TaskState(state),
        owner_id=_owner(told.owner),
        accountable_id=_accountable(told.owner),
        due_at=to_datetime(told.due_time),
        due_on=_day(told.due_date),
    )


def _owner(owner: loop_pb2.Owner) -> UUID:
    """The person who took it, else the team, else who answers for it."""
    return to_id(owner.staff_id or owner.team_id or owner.accountable_staff_id)


def _accountable(owner: loop_pb2.Owner) -> UUID | None:
    """The person who answers for it: who took it, else the team's lead."""
    person = owner.staff_id or owner.accountable_staff_id
    return to_id(person) if person else None


def _day(told: Date) -> date:
    return date(told.year, told.month, told.day)
