"""Between protobuf and the domain: what people typed in; patients, encounters and appointments out."""

from collections.abc import Collection
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2
from carehub.registry.v1 import registry_service_pb2 as rpc
from google.type.date_pb2 import Date

from libs.chassis.fields import etag, to_timestamp
from services.registry.convert.report import day_text, to_identifiers, to_instant
from services.registry.domain.appointment import ToldAppointment
from services.registry.domain.emergency import Found
from services.registry.domain.encounter import Encounter, EncounterClass, EncounterState
from services.registry.domain.patient import Patient, PatientState, Program
from services.registry.domain.report import (
    Address,
    Handled,
    Outcome,
    Person,
    PersonName,
    Sex,
    Telecom,
)

_SEXES = {
    None: patient_pb2.Patient.SEX_UNSPECIFIED,
    Sex.FEMALE: patient_pb2.Patient.SEX_FEMALE,
    Sex.MALE: patient_pb2.Patient.SEX_MALE,
    Sex.OTHER: patient_pb2.Patient.SEX_OTHER,
    Sex.UNKNOWN: patient_pb2.Patient.SEX_UNKNOWN,
}
_SEXES_BACK = {number: sex for sex, number in _SEXES.items()}
_PATIENT_STATES = {
    PatientState.ACTIVE: patient_pb2.Patient.STATE_ACTIVE,
    PatientState.MERGED: patient_pb2.Patient.STATE_MERGED,
}
_STATES = {
    EncounterState.PLANNED: encounter_pb2.Encounter.STATE_PLANNED,
    EncounterState.IN_PROGRESS: encounter_pb2.Encounter.STATE_IN_PROGRESS,
    EncounterState.FINISHED: encounter_pb2.Encounter.STATE_FINISHED,
    EncounterState.CANCELLED: encounter_pb2.Encounter.STATE_CANCELLED,
}
_CLASSES = {
    None: encounter_pb2.Encounter.CLASS_UNSPECIFIED,
    EncounterClass.INPATIENT: encounter_pb2.Encounter.CLASS_INPATIENT,
    EncounterClass.OUTPATIENT: encounter_pb2.Encounter.CLASS_OUTPATIENT,
    EncounterClass.EMERGENCY: encounter_pb2.Encounter.CLASS_EMERGENCY,
    EncounterClass.PREADMIT: encounter_pb2.Encounter.CLASS_PREADMIT,
    EncounterClass.OBSERVATION: encounter_pb2.Encounter.CLASS_OBSERVATION,
    EncounterClass.RECURRING: encounter_pb2.Encounter.CLASS_RECURRING,
    EncounterClass.PARTIAL: encounter_pb2.Encounter.CLASS_PARTIAL,
    EncounterClass.OTHER: encounter_pb2.Encounter.CLASS_OTHER,
}
_OUTCOMES = {
    Outcome.APPLIED: registry_events_pb2.ReportHandled.OUTCOME_APPLIED,
    Outcome.NO_OP: registry_events_pb2.ReportHandled.OUTCOME_NO_OP,
    Outcome.PARKED: registry_events_pb2.ReportHandled.OUTCOME_PARKED,
}


def to_person(patient: patient_pb2.Patient) -> Person:
    """The person that somebody typed in."""
    return Person(
        identifiers=to_identifiers(patient.identifiers),
        names=tuple(
            PersonName(family=n.family, given=tuple(n.given), use=n.use, suffix=n.suffix)
            for n in patient.names
        ),
        birth_on=day_text(patient.birth_date),
        sex=_SEXES_BACK.get(patient.sex),
        addresses=tuple(
            Address(
                lines=tuple(a.lines),
                city=a.city,
                state=a.state,
                postal_code=a.postal_code,
                use=a.use,
            )
            for a in patient.addresses
        ),
        telecoms=tuple(
            Telecom(value=t.value, is_email=t.system == patient_pb2.Telecom.SYSTEM_EMAIL, use=t.use)
            for t in patient.telecoms
        ),
        language=patient.language,
        is_deceased=patient.is_deceased,
        died_at=to_instant(patient.death_time),
    )


def to_proto(patient: Patient, facilities: Collection[UUID]) -> patient_pb2.Patient:
    """The record as whoever loaded it may see it; of its facilities only those that are the caller's."""
    shown = _person(patient.person)
    shown.id, shown.etag = str(patient.id), etag(patient.revision)
    shown.facility_ids.extend(str(i) for i in sorted(patient.known_at.intersection(facilities)))
    return _with_state(shown, patient)


def own_to_proto(patient: Patient) -> rpc.OwnRecord:
    """Whose record it is, as the patient and those who act for them are told."""
    shown = to_proto(patient, ())
    name = shown.names[0] if shown.names else None
    return rpc.OwnRecord(patient_id=shown.id, name=name, language=shown.language)


def shared_to_proto(patient: Patient) -> patient_pb2.Patient:
    """The record as the neighbors are told it, with all of its facilities and without what programs told."""
    told = _person(patient.shared)
    told.id, told.etag = str(patient.id), etag(patient.version)
    told.facility_ids.extend(map(str, patient.facility_ids))
    return _with_state(told, patient)


def program_to_proto(program: Program) -> registry_events_pb2.ProgramRecordChanged:
    told = _person(program.facts.person())
    told.id = str(program.patient_id)
    return registry_events_pb2.ProgramRecordChanged(
        id=str(program.id),
        facility_id=str(program.facility_id),
        patient=told,
        version=program.version,
    )


def _with_state(message: patient_pb2.Patient, patient: Patient) -> patient_pb2.Patient:
    message.state = _PATIENT_STATES[patient.state]
    message.merged_into_id = str(patient.merged_into_id or "")
    return message


def _person(person: Person) -> patient_pb2.Patient:
    """A message of the caller's own: a record that is shown and told is much the same, and translated once."""
    message = patient_pb2.Patient()
    message.CopyFrom(person.once(_translated))
    return message


def _translated(person: Person) -> patient_pb2.Patient:
    return patient_pb2.Patient(
        identifiers=[
            patient_pb2.Identifier(assigner=i.assigner, value=i.value, type=i.type)
            for i in person.identifiers
        ],
        names=[
            patient_pb2.PersonName(family=n.family, given=n.given, use=n.use, suffix=n.suffix)
            for n in person.names
        ],
        birth_date=_day(person.birth_on),
        sex=_SEXES[person.sex],
        addresses=[
            patient_pb2.Address(
                lines=a.lines, city=a.city, state=a.state, postal_code=a.postal_code, use=a.use
            )
            for a in person.addresses
        ],
        telecoms=[
            patient_pb2.Telecom(
                system=patient_pb2.Telecom.SYSTEM_EMAIL
                if t.is_email
                else patient_pb2.Telecom.SYSTEM_PHONE,
                value=t.value,
                use=t.use,
            )
            for t in person.telecoms
        ],
        language=person.language,
        is_deceased=bool(person.is_deceased),
        death_time=to_timestamp(person.died_at),
    )


def found_to_proto(found: Found) -> rpc.FoundForEmergency:
    """Who it is, and nothing else of them."""
    person = found.person
    return rpc.FoundForEmergency(
        id=str(found.patient_id),
        names=[
            patient_pb2.PersonName(family=n.family, given=n.given, use=n.use, suffix=n.suffix)
            for n in person.names[:1]
        ],
        birth_date=_day(person.birth_on),
        facility_count=found.facility_count,
    )


def encounter_to_proto(encounter: Encounter) -> encounter_pb2.Encounter:
    return encounter_pb2.Encounter(
        id=str(encounter.id),
        etag=etag(encounter.version),
        patient_id=str(encounter.patient_id),
        facility_id=str(encounter.facility_id),
        visit_number=encounter.visit_number,
        state=_STATES[encounter.state],
        admit_time=to_timestamp(encounter.admit_at),
        discharge_time=to_timestamp(encounter.discharge_at),
        discharge_disposition=encounter.discharge_disposition,
        locations=[
            encounter_pb2.EncounterLocation(
                place=stay.place,
                start_time=to_timestamp(stay.start_at),
                end_time=to_timestamp(stay.end_at),
            )
            for stay in encounter.locations
        ],
        diagnoses=[
            encounter_pb2.Diagnosis(code=d.code, system=d.system, text=d.text, type=d.type)
            for d in encounter.diagnoses
        ],
        attending=encounter.attending,
        admit_reason=encounter.admit_reason,
        admission_type=encounter.admission_type,
        labels=[access_pb2.Label.Value(f"LABEL_{label}") for label in encounter.labels],
        label_version=encounter.label_version,
        **{"class": _CLASSES[encounter.encounter_class]},
    )


def told_to_proto(appointment: ToldAppointment) -> registry_events_pb2.AppointmentTold:
    return registry_events_pb2.AppointmentTold(
        id=str(appointment.id),
        facility_id=str(appointment.facility_id),
        patient_id=str(appointment.patient_id),
        number=appointment.number,
        event_time=to_timestamp(appointment.event_at),
        start_time=to_timestamp(appointment.start_at),
        end_time=to_timestamp(appointment.end_at),
        status=appointment.status,
        reason=appointment.reason,
        practitioner=appointment.practitioner,
        labels=[access_pb2.Label.Value(f"LABEL_{label}") for label in appointment.labels],
        version=appointment.version,
    )


def handled_to_proto(handled: Handled) -> registry_events_pb2.ReportHandled:
    return registry_events_pb2.ReportHandled(
        message_id=str(handled.message_id),
        feed_id=handled.feed_id,
        facility_id=str(handled.facility_id),
        outcome=_OUTCOMES[handled.outcome],
        reason=handled.reason,
        patient_id=str(handled.patient_id or ""),
        encounter_id=str(handled.encounter_id or ""),
        version=handled.version,
    )


def _day(text: str) -> Date | None:
    if not text:
        return None
    year, month, day = [*(int(part) for part in text.split("-")), 0, 0][:3]
    return Date(year=year, month=month, day=day)
