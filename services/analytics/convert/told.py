"""What neighbors tell, as far as it is counted."""

from collections.abc import Iterable
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.referrals.v1 import referral_pb2, referrals_events_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, tasking_events_pb2

from libs.chassis.fields import to_datetime
from libs.chassis.ids import to_id
from services.analytics.domain.labels import WITHHELD, Label, Labels, inherit
from services.analytics.domain.measures import shows_contact, shows_read_back
from services.analytics.domain.record import (
    Facility,
    KnownCriticalResult,
    KnownDischarge,
    KnownReferral,
    KnownVisit,
    Merge,
)
from services.analytics.domain.stay import VisitClass

TRANSITION, CONTACT, CONTACT_DUE = "discharge-transition", "contact", "contact_due"
CRITICAL_RESULT = "critical-result"


def to_facility(event: identity_events_pb2.FacilityChanged) -> Facility:
    told = event.facility
    return Facility(id=to_id(told.id), version=event.version, time_zone=told.time_zone)


def to_merge(event: registry_events_pb2.PatientsMerged) -> Merge:
    return Merge(retired_id=to_id(event.retired_id), survivor_id=to_id(event.survivor_id))


def to_visit(event: registry_events_pb2.EncounterChanged) -> KnownVisit:
    """A visit, whatever is told: one that has no beginning any more counted perhaps as it was told before, and has to be
    known not to.
    """
    told = event.encounter
    kind = encounter_pb2.Encounter.Class.Name(getattr(told, "class")).removeprefix("CLASS_")
    has_begun = told.HasField("admit_time") and told.state in (
        encounter_pb2.Encounter.STATE_IN_PROGRESS,
        encounter_pb2.Encounter.STATE_FINISHED,
    )
    return KnownVisit(
        id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        visit_class=VisitClass(kind),
        is_taken_back=not has_begun,
        admitted_at=to_datetime(told.admit_time),  # without one the epoch, which nobody looks at
        discharged_at=to_datetime(told.discharge_time) if told.HasField("discharge_time") else None,
        admission_type=told.admission_type.strip().upper(),
        disposition=_disposition(told.discharge_disposition),
        diagnoses=tuple(each.code for each in told.diagnoses),
        labels=to_labels(told.labels),
    )


def _disposition(told: str) -> str:
    """As HL7 table 0112 writes it: some feeds leave out the zero in front."""
    code = told.strip().upper()
    return code.zfill(2) if code else ""


def to_discharge(event: tasking_events_pb2.LoopChanged) -> KnownDischarge | None:
    """None for a loop that is about something else."""
    told = event.loop
    if told.protocol != TRANSITION or not told.encounter_id:
        return None
    due = [to_datetime(each.time) for each in told.key_dates if each.key == CONTACT_DUE]
    # The earliest: attempts in time stay counted when somebody is reached later.
    at, source = min(
        (
            (to_datetime(each.time), each.source_id)
            for each in told.evidence
            if each.step == CONTACT and shows_contact(each.kind, each.outcome)
        ),
        default=(None, ""),
    )
    return KnownDischarge(
        id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        encounter_id=to_id(told.encounter_id),
        discharged_at=to_datetime(told.anchor_time) if told.HasField("anchor_time") else None,
        contact_due_at=due[0] if due else None,
        contacted_at=at,
        contact_evidence_id=_optional(source),
        close_reason=_close_reason(told),
        closed_at=to_datetime(told.close_time) if told.HasField("close_time") else None,
        labels=to_labels(told.labels),
    )


def to_critical_result(event: tasking_events_pb2.LoopChanged) -> KnownCriticalResult | None:
    """None for a loop that is about something else."""
    told = event.loop
    if told.protocol != CRITICAL_RESULT or not told.result_id:
        return None
    at, source = min(
        (
            (to_datetime(each.time), each.source_id)
            for each in told.evidence
            if shows_read_back(each.step, each.outcome)
        ),
        default=(None, ""),
    )
    return KnownCriticalResult(
        id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        result_id=to_id(told.result_id),
        verified_at=to_datetime(told.open_time),
        read_back_at=at,
        read_back_evidence_id=_optional(source),
        close_reason=_close_reason(told),
        closed_at=to_datetime(told.close_time) if told.HasField("close_time") else None,
        labels=to_labels(told.labels),
    )


def _close_reason(told: loop_pb2.Loop) -> str:
    return told.close_reason if told.state != loop_pb2.Loop.STATE_OPEN else ""


def to_referral(event: referrals_events_pb2.ReferralChanged) -> KnownReferral:
    told = event.referral
    return KnownReferral(
        id=to_id(told.id),
        version=event.version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        sent_at=to_datetime(told.send_time) if told.HasField("send_time") else None,
        ended_at=to_datetime(told.end_time) if told.HasField("end_time") else None,
        is_completed=told.state == referral_pb2.Referral.STATE_COMPLETED,
        state_reason=told.state_reason,
        labels=to_labels(told.labels),
    )


def to_labels(numbers: Iterable["access_pb2.Label.ValueType"]) -> Labels:
    """As told. Without any, or with one that this version does not know, it never leaves its facility."""
    try:
        named = [access_pb2.Label.Name(number).removeprefix("LABEL_") for number in numbers]
        return inherit(tuple(map(Label, named)))
    except ValueError:
        return WITHHELD


def _optional(value: str) -> UUID | None:
    return to_id(value) if value else None
