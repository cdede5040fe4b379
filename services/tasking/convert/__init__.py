"""Tasking's domain and its contract, and the snapshots that its neighbors tell of."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import break_glass_pb2, facility_pb2, staff_pb2, team_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, protocol_pb2, task_pb2, tasking_service_pb2
from google.type import date_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from libs.chassis.ids import to_id
from services.tasking.domain.labels import Label, Labels, inherit
from services.tasking.domain.loop import Evidence, Loop
from services.tasking.domain.owner import Directory, Facility, HeldRole, Owner, Staff, Team
from services.tasking.domain.plan import PlannedKeyDate
from services.tasking.domain.priority import Priority, Term
from services.tasking.domain.protocol import ProtocolProblem
from services.tasking.domain.publication import PublishedProtocol
from services.tasking.domain.snapshot import (
    EncounterSnapshot,
    GlassSnapshot,
    PatientSnapshot,
    ProgramSnapshot,
)
from services.tasking.domain.task import (
    AttemptResult,
    Comment,
    ContactAttempt,
    ReadBack,
    Task,
    TaskState,
)

CHANNELS = ("phone", "video", "in_person", "secure_message")
NO_CALENDAR = "none"
MOST_NAME = 120
_TASK_STATES = {each: task_pb2.Task.State.Value(f"STATE_{each}") for each in TaskState}
_LABELS = {each: access_pb2.Label.Value(f"LABEL_{each}") for each in Label}


# Out: loops and tasks.


def loop_to_proto(loop: Loop, directory: Directory) -> loop_pb2.Loop:
    return loop_pb2.Loop(
        id=str(loop.id),
        etag=etag(loop.version),
        facility_id=str(loop.facility_id),
        patient_id=str(loop.patient_id),
        protocol=loop.protocol,
        protocol_version=loop.protocol_version,
        title=loop.title,
        encounter_id=_id(loop.encounter_id),
        break_glass_id=_id(loop.break_glass_id),
        appointment_id=_id(loop.appointment_id),
        referral_id=_id(loop.referral_id),
        reply_id=_id(loop.reply_id),
        question_id=_id(loop.question_id),
        result_id=_id(loop.result_id),
        state=loop_pb2.Loop.State.Value(f"STATE_{loop.state}"),
        owner=owner_to_proto(loop.owner, directory),
        clock_time=to_timestamp(loop.clock_at),
        why=loop.why,
        closes_when=loop.closes_when,
        key_dates=[_key_date(each) for each in loop.key_dates],
        evidence=[_evidence(each) for each in loop.evidence],
        close_reason=loop.close_reason,
        open_time=to_timestamp(loop.opened_at),
        close_time=to_timestamp(loop.closed_at),
        anchor_time=to_timestamp(loop.anchor_at),
        escalation_level=loop.escalation_level,
        labels=labels_to_proto(loop.labels),
    )


def task_to_proto(
    task: Task, directory: Directory, patient_name: str = "", priority: Priority | None = None
) -> task_pb2.Task:
    return task_pb2.Task(
        id=str(task.id),
        etag=etag(task.version),
        facility_id=str(task.facility_id),
        patient_id=str(task.patient_id),
        patient_name=patient_name,
        loop_id=str(task.loop_id),
        step=task.step,
        title=task.title,
        description=task.description,
        role=task.role,
        state=_TASK_STATES[task.state],
        owner=owner_to_proto(task.owner, directory),
        start_time=to_timestamp(task.start_at),
        due_time=to_timestamp(task.due_at),
        due_date=_date(task.due_on),
        due_explanation=task.due_explanation,
        priority=_priority(priority),
        why=task.why,
        done_when=task.done_when,
        escalation_level=task.escalation_level,
        next_escalation_time=to_timestamp(task.next_escalation_at),
        attempts=[_attempt(each) for each in task.attempts],
        comments=[_comment(each) for each in task.comments],
        outcome=task.outcome,
        outcomes=[each.key for each in task.outcomes],
        close_reason=task.close_reason,
        close_time=to_timestamp(task.closed_at),
        completed_by_id=_id(task.completed_by_id),
        decline_reason=task.decline_reason,
        labels=labels_to_proto(task.labels),
        takes_attempts=task.is_contact,
        read_back=_read_back(task.read_back),
        read_back_outcomes=[each.key for each in task.outcomes if each.needs_read_back],
    )


def labels_to_proto(labels: Labels) -> list["access_pb2.Label.ValueType"]:
    return [_LABELS[label] for label in labels]


def owner_to_proto(owner: Owner, directory: Directory) -> loop_pb2.Owner:
    team = directory.teams.get(owner.team_id) if owner.team_id else None
    lead = None if owner.staff_id else directory.person(owner.accountable_id)
    return loop_pb2.Owner(
        team_id=_id(owner.team_id),
        staff_id=_id(owner.staff_id),
        accountable_staff_id=str(owner.accountable_id),
        display_name=directory.display_name(owner),
        team_name=team.name if team else "",
        lead_name=lead.display_name if lead else "",
    )


def _key_date(key_date: PlannedKeyDate) -> loop_pb2.KeyDate:
    return loop_pb2.KeyDate(
        key=key_date.key,
        title=key_date.title,
        date=_date(key_date.on),
        time=to_timestamp(key_date.at),
        explanation=key_date.explanation,
    )


def _evidence(evidence: Evidence) -> loop_pb2.Evidence:
    return loop_pb2.Evidence(
        kind=evidence.kind,
        step=evidence.step,
        description=evidence.description,
        source_id=str(evidence.source_id),
        time=to_timestamp(evidence.at),
        staff_id=_id(evidence.staff_id),
        outcome=evidence.outcome,
    )


def _priority(priority: Priority | None) -> task_pb2.Priority | None:
    if priority is None:
        return None
    return _terms(priority.terms)


@lru_cache(4096)
def _terms(terms: tuple[Term, ...]) -> task_pb2.Priority:
    """Few sums are different on a page. What one is put into takes a copy."""
    return task_pb2.Priority(
        score=Priority(terms=terms).score,
        terms=[task_pb2.PriorityTerm(label=each.label, points=each.points) for each in terms],
    )


def _attempt(attempt: ContactAttempt) -> task_pb2.ContactAttempt:
    return task_pb2.ContactAttempt(
        time=to_timestamp(attempt.at),
        channel=attempt.channel,
        result=task_pb2.ContactAttempt.Result.Value(f"RESULT_{attempt.result}"),
        staff_id=str(attempt.staff_id),
        is_counted=attempt.is_counted,
        note=attempt.note,
    )


def _read_back(read_back: ReadBack | None) -> task_pb2.ReadBack | None:
    if read_back is None:
        return None
    return task_pb2.ReadBack(told_name=read_back.told_name, time=to_timestamp(read_back.at))


def _comment(comment: Comment) -> task_pb2.Comment:
    return task_pb2.Comment(
        time=to_timestamp(comment.at), staff_id=_id(comment.staff_id), text=comment.text
    )


def _date(day: date) -> date_pb2.Date:
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _id(value: UUID | None) -> str:
    return str(value) if value else ""


# Out: protocols.


def protocol_to_proto(protocol: PublishedProtocol) -> protocol_pb2.Protocol:
    return protocol_pb2.Protocol(
        id=protocol.key,
        version=protocol.version,
        title=protocol.title,
        text=protocol.text,
        publish_time=to_timestamp(protocol.published_at),
        published_by_id=_id(protocol.published_by_id),
        effective_from=protocol.effective_from.isoformat(),
        sources=protocol.sources,
    )


def problem_to_proto(problem: ProtocolProblem) -> protocol_pb2.ProtocolProblem:
    return protocol_pb2.ProtocolProblem(
        path=problem.path, line=problem.line, problem=problem.problem, help=problem.help
    )


# In: requests.


def to_result(value: task_pb2.ContactAttempt.Result.ValueType) -> AttemptResult:
    name = task_pb2.ContactAttempt.Result.Name(value).removeprefix("RESULT_")
    if name == "UNSPECIFIED":
        raise InvalidArgument("RESULT_MISSING", "Say how the attempt went.", field="result")
    return AttemptResult(name)


def to_channel(value: str) -> str:
    if value and value not in CHANNELS:
        raise InvalidArgument(
            "CHANNEL_UNKNOWN", f"Choose one of: {', '.join(CHANNELS)}.", field="channel"
        )
    return value or CHANNELS[0]


def to_text(field: str, value: str, most: int, *, is_required: bool = False) -> str:
    """A text without blanks around it, if it is not too long."""
    text = value.strip()
    if is_required and not text:
        raise InvalidArgument("TEXT_MISSING", "Write a few words.", field=field)
    if len(text) > most:
        raise InvalidArgument("TEXT_TOO_LONG", f"At most {most} characters.", field=field)
    return text


def to_read_back(request: tasking_service_pb2.CompleteTaskRequest) -> ReadBack | None:
    if not request.HasField("read_back"):
        return None
    told, most = request.read_back, MOST_NAME
    if not told.HasField("time"):
        raise InvalidArgument("READ_BACK_TIME_MISSING", "Say when.", field="read_back.time")
    return ReadBack(
        told_name=to_text("read_back.told_name", told.told_name, most, is_required=True),
        at=to_datetime(told.time),
    )


def to_optional_id(field: str, value: str) -> UUID | None:
    return to_uuid(field, value) if value else None


# In: the events of neighbors.


def to_patient(patient: patient_pb2.Patient, version: int) -> PatientSnapshot:
    died = to_datetime(patient.death_time) if patient.HasField("death_time") else None
    return PatientSnapshot(
        id=to_id(patient.id),
        version=version,
        name=_shown_name(patient.names),
        language=patient.language,
        is_deceased=patient.is_deceased or died is not None,
        died_at=died,
        merged_into_id=to_id(patient.merged_into_id) if patient.merged_into_id else None,
        facility_ids=tuple(to_id(facility_id) for facility_id in patient.facility_ids),
    )


def to_program(event: registry_events_pb2.ProgramRecordChanged) -> ProgramSnapshot:
    told = to_patient(event.patient, event.version)
    return ProgramSnapshot(
        id=to_id(event.id),
        version=event.version,
        patient_id=told.id,
        facility_id=to_id(event.facility_id),
        name=told.name,
        language=told.language,
        is_deceased=told.is_deceased,
        died_at=told.died_at,
    )


def _shown_name(names: Iterable[patient_pb2.PersonName]) -> str:
    for name in names:
        return " ".join(part for part in (*name.given, name.family, name.suffix) if part)
    return ""


def to_encounter(encounter: encounter_pb2.Encounter, version: int) -> EncounterSnapshot:
    kind, state = encounter_pb2.Encounter.Class, encounter_pb2.Encounter.State
    admitted, discharged = encounter.admit_time, encounter.discharge_time
    return EncounterSnapshot(
        id=to_id(encounter.id),
        version=version,
        patient_id=to_id(encounter.patient_id),
        facility_id=to_id(encounter.facility_id),
        visit_class=kind.Name(getattr(encounter, "class")).removeprefix("CLASS_"),
        state=state.Name(encounter.state).removeprefix("STATE_"),
        admitted_at=to_datetime(admitted) if encounter.HasField("admit_time") else None,
        discharged_at=to_datetime(discharged) if encounter.HasField("discharge_time") else None,
        disposition=encounter.discharge_disposition,
        diagnoses=tuple(each.code for each in encounter.diagnoses),
        admission_type=encounter.admission_type,
        labels=to_labels(encounter.labels),
    )


def to_glass(glass: break_glass_pb2.BreakGlass, version: int) -> GlassSnapshot:
    is_reviewed = glass.HasField("review")
    return GlassSnapshot(
        id=to_id(glass.id),
        version=version,
        patient_id=to_id(glass.patient_id),
        facility_id=to_id(glass.facility_id),
        opened_at=to_datetime(glass.open_time),
        is_part2_emergency=glass.is_part2_emergency,
        uses_in_30_days=glass.uses_in_30_days,
        reviewed_at=to_datetime(glass.review.review_time) if is_reviewed else None,
        reviewed_by_id=to_id(glass.review.reviewer_id) if is_reviewed else None,
    )


def to_labels(numbers: Iterable["access_pb2.Label.ValueType"]) -> Labels:
    """The labels of a visit. Without any, or with one that this version does not know, it never leaves its facility."""
    try:
        named = [access_pb2.Label.Name(number).removeprefix("LABEL_") for number in numbers]
        return inherit(tuple(map(Label, named)))
    except ValueError:
        return (Label.WITHHELD,)


def to_facility(facility: facility_pb2.Facility, version: int) -> Facility:
    return Facility(
        id=to_id(facility.id),
        version=version,
        name=facility.name,
        time_zone=facility.time_zone,
        holiday_calendar=facility.holiday_calendar or NO_CALENDAR,
        duty_team_id=to_id(facility.duty_team_id) if facility.duty_team_id else None,
    )


def to_team(team: team_pb2.Team, version: int) -> Team:
    return Team(
        id=to_id(team.id),
        version=version,
        facility_id=to_id(team.facility_id),
        name=team.name,
        role=team.role,
        lead_id=to_id(team.lead_id),
        member_ids=tuple(to_id(member) for member in team.member_ids),
    )


def to_staff(person: staff_pb2.StaffMember, version: int) -> Staff:
    return Staff(
        id=to_id(person.id),
        version=version,
        display_name=person.display_name,
        email=person.email,
        is_active=person.state == staff_pb2.StaffMember.STATE_ACTIVE,
        roles=tuple(_held(role) for role in person.roles),
    )


def _held(role: staff_pb2.RoleAssignment) -> HeldRole:
    facility_id = to_id(role.facility_id) if role.facility_id else None
    return HeldRole(role=role.role, facility_id=facility_id)
