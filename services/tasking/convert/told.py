"""What other services tell, as tasking keeps it: ids, states and times, and no words."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from carehub.analytics.v1 import risk_pb2
from carehub.careplans.v1 import reconciliation_pb2
from carehub.messaging.v1 import reply_pb2
from carehub.referrals.v1 import referral_pb2
from carehub.registry.v1 import observation_pb2
from carehub.scheduling.v1 import appointment_pb2
from google.protobuf.message import Message

from libs.chassis.fields import to_datetime
from libs.chassis.ids import to_id
from services.tasking.convert import to_labels
from services.tasking.domain.news import PLANNING
from services.tasking.domain.result import VERIFIED, Result
from services.tasking.domain.told import (
    Appointment,
    Line,
    Reconciliation,
    Referral,
    Reply,
    Risk,
)


def to_appointment(
    appointment: appointment_pb2.Appointment, version: int, at: datetime
) -> Appointment:
    kind = appointment_pb2.Appointment
    return Appointment(
        id=to_id(appointment.id),
        version=version,
        facility_id=to_id(appointment.facility_id),
        patient_id=to_id(appointment.patient_id),
        labels=to_labels(appointment.labels),
        told_at=at,
        state=kind.State.Name(appointment.state).removeprefix("STATE_"),
        purpose=kind.Purpose.Name(appointment.purpose).removeprefix("PURPOSE_"),
        start_at=to_datetime(appointment.start_time),
        arrived_at=_moment(appointment, "arrive_time"),
        rebooked_from_id=_id(appointment.rebooked_from_id),
        waits_for=PLANNING,
    )


def to_reply(reply: reply_pb2.Reply, version: int, at: datetime) -> Reply:
    barrier = reply_pb2.Reply.Barrier.Name(reply.barrier).removeprefix("BARRIER_")
    return Reply(
        id=to_id(reply.id),
        version=version,
        facility_id=to_id(reply.facility_id),
        patient_id=to_id(reply.patient_id),
        told_at=at,
        appointment_id=_id(reply.appointment_id),
        loop_id=_id(reply.loop_id),
        meaning=reply_pb2.Reply.Meaning.Name(reply.meaning).removeprefix("MEANING_"),
        barrier="" if barrier == "UNSPECIFIED" else barrier,
        at=to_datetime(reply.time),
        waits_for=PLANNING,
    )


def to_referral(referral: referral_pb2.Referral, version: int, at: datetime) -> Referral:
    return Referral(
        id=to_id(referral.id),
        version=version,
        facility_id=to_id(referral.facility_id),
        patient_id=to_id(referral.patient_id),
        labels=to_labels(referral.labels),
        told_at=at,
        need=referral.need,
        state=referral_pb2.Referral.State.Name(referral.state).removeprefix("STATE_"),
        state_reason=referral.state_reason,
        appointment_id=_id(referral.appointment_id),
        loop_id=_id(referral.loop_id),
        follows_id=_id(referral.follows_id),
        sent_at=_moment(referral, "send_time"),
        answer_due_at=_moment(referral, "answer_due_time"),
        ended_at=_moment(referral, "end_time"),
        waits_for=PLANNING,
    )


def to_reconciliation(
    told: reconciliation_pb2.Reconciliation, version: int, at: datetime
) -> Reconciliation:
    return Reconciliation(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        labels=to_labels(told.labels),
        told_at=at,
        encounter_id=to_id(told.encounter_id),
        state=reconciliation_pb2.Reconciliation.State.Name(told.state).removeprefix("STATE_"),
        signed_at=_moment(told, "sign_time"),
        signed_by_id=_id(told.signed_by_id),
        lines=tuple(_line(each) for each in told.lines),
        waits_for=PLANNING,
    )


def _line(line: reconciliation_pb2.Reconciliation.Line) -> Line:
    return Line(
        id=to_id(line.id),
        is_ask=line.decision == reconciliation_pb2.Reconciliation.DECISION_ASK,
        role=line.ask_role,
        due_at=_moment(line, "ask_due_time"),
        answered_at=_moment(line, "answer_time"),
    )


def to_risk(risk: risk_pb2.RiskScore, version: int, at: datetime) -> Risk:
    return Risk(
        id=to_id(risk.id),
        version=version,
        facility_id=to_id(risk.facility_id),
        patient_id=to_id(risk.patient_id),
        labels=to_labels(risk.labels),
        told_at=at,
        encounter_id=to_id(risk.encounter_id),
        instrument=risk.instrument,
        score=risk.score,
        is_partial=risk.is_partial,
        waits_for=PLANNING,
    )


def to_result(told: observation_pb2.Observation, version: int, at: datetime) -> Result:
    """A result without its name and its words; without its number, too, where it is not critical."""
    kind = observation_pb2.Observation
    state = kind.State.Name(told.state).removeprefix("STATE_")
    criticality = kind.Criticality.Name(told.criticality).removeprefix("CRITICALITY_")
    verified_at = to_datetime(told.report_time)
    is_critical = criticality != "UNSPECIFIED" and state in VERIFIED
    result = Result(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        labels=to_labels(told.labels),
        told_at=at,
        state=state,
        analyte=told.analyte,
        criticality=criticality if is_critical else "",
        quantity=told.quantity if is_critical and told.HasField("quantity") else None,
        verified_at=verified_at,
        critical_at=verified_at if is_critical else None,
        waits_for=PLANNING,
    )
    return replace(result, heard=(result.now,) if is_critical else ())


def _moment(message: Message, field: str) -> datetime | None:
    return to_datetime(getattr(message, field)) if message.HasField(field) else None


def _id(value: str) -> UUID | None:
    return to_id(value) if value else None
