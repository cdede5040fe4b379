"""Between protobuf and the domain: reports in, patients and encounters out."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2
from carehub.registry.v1 import registry_service_pb2 as rpc
from google.protobuf.message import Message as ProtobufMessage
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from services.registry.domain.emergency import Found
from services.registry.domain.encounter import Encounter, EncounterClass, EncounterState
from services.registry.domain.labels import Provenance
from services.registry.domain.patient import Patient, PatientState, Program
from services.registry.domain.program import KnownFeed
from services.registry.domain.report import (
    Address,
    Diagnosis,
    Handled,
    Identifier,
    Merge,
    MergeReport,
    Outcome,
    Person,
    PersonName,
    PersonReport,
    Report,
    Sex,
    Source,
    Telecom,
    VisitReport,
    VisitSaid,
)

_SEX_CODES = {
    "F": Sex.FEMALE,
    "M": Sex.MALE,
    "O": Sex.OTHER,
    "A": Sex.OTHER,
    "N": Sex.OTHER,
    "U": Sex.UNKNOWN,
}
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


def to_report(
    event: interop_events_pb2.VisitReported
    | interop_events_pb2.PersonReported
    | interop_events_pb2.MergeReported,
) -> Report:
    """What a facility reported. InvalidArgument if the message does not say which facility, or has no id."""
    if b"\0" in event.SerializeToString():  # the database holds no such character
        _drop_nul(event)
    source = _source(event.source)
    if isinstance(event, interop_events_pb2.VisitReported):
        return VisitReport(source=source, person=_reported(event.person), visit=_visit(event.visit))
    if isinstance(event, interop_events_pb2.PersonReported):
        return PersonReport(source=source, person=_reported(event.person))
    merges = tuple(
        Merge(survivor=_reported(merge.survivor), retired=_identifiers(merge.retired))
        for merge in event.merges
    )
    return MergeReport(source=source, merges=merges)


def to_feed(event: interop_events_pb2.FeedChanged) -> KnownFeed:
    feed = event.feed
    places = {feed.facility_id, *feed.quirks.facilities.values()}
    return KnownFeed(
        id=to_uuid("feed.id", feed.id),
        version=event.version,
        facility_ids=tuple(sorted(to_uuid("feed.facility_id", place) for place in places)),
        is_program=feed.provenance.is_part2_program,
    )


def _source(source: report_pb2.ReportSource) -> Source:
    message_at = _instant(source.message_time) or datetime.fromtimestamp(0, UTC)
    return Source(
        message_id=to_uuid("source.message_id", source.message_id),
        feed_id=source.feed_id,
        facility_id=to_uuid("source.facility_id", source.facility_id),
        trigger=source.trigger,
        event_at=_instant(source.event_time) or message_at,
        message_at=message_at,
        content_hash=source.content_hash,
        version=source.replay + 1,
        provenance=Provenance(
            is_part2_program=source.provenance.is_part2_program,
            sends_labels=source.provenance.sends_labels,
        ),
        sent=tuple(dict.fromkeys(source.confidentiality_codes)),
    )


def _reported(person: report_pb2.ReportedPerson) -> Person:
    said_dead = {"Y": True, "N": False}.get(person.death_indicator.upper())
    return Person(
        identifiers=_identifiers(person.identifiers),
        names=tuple(
            PersonName(family=n.family, given=tuple(n.given), use=n.use, suffix=n.suffix)
            for n in person.names
        ),
        birth_on=day_text(person.birth_date),
        sex=_SEX_CODES.get(person.sex.upper()),
        addresses=tuple(
            Address(
                lines=tuple(a.lines),
                city=a.city,
                state=a.state,
                postal_code=a.postal_code,
                use=a.use,
            )
            for a in person.addresses
        ),
        telecoms=tuple(
            Telecom(value=t.value, is_email=t.is_email, use=t.use) for t in person.telecoms
        ),
        language=person.language,
        is_deceased=said_dead,
        died_at=_instant(person.death_time),
        cleared=tuple(person.cleared_fields),
    )


def _visit(visit: report_pb2.ReportedVisit) -> VisitSaid:
    return VisitSaid(
        visit_number=visit.visit_number.strip(),
        patient_class=visit.patient_class,
        location=visit.location,
        admission_type=visit.admission_type,
        attending=visit.attending,
        discharge_disposition=visit.discharge_disposition,
        admit_at=_instant(visit.admit_time),
        discharge_at=_instant(visit.discharge_time),
        admit_reason=visit.admit_reason,
        diagnoses=tuple(
            Diagnosis(code=d.code, system=d.system, text=d.text, type=d.type)
            for d in visit.diagnoses
        ),
        cleared=tuple(visit.cleared_fields),
    )


def _identifiers(
    identifiers: Iterable[report_pb2.ReportedIdentifier | patient_pb2.Identifier],
) -> tuple[Identifier, ...]:
    return tuple(
        Identifier(
            assigner=i.assigner.strip().upper(),
            value=i.value.strip(),
            type=i.type.strip().upper(),
        )
        for i in identifiers
    )


def to_person(patient: patient_pb2.Patient) -> Person:
    """The person that somebody typed in."""
    return Person(
        identifiers=_identifiers(patient.identifiers),
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
        died_at=_instant(patient.death_time),
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


def _instant(value: Timestamp) -> datetime | None:
    """The instant, or None for a field that was not set: nothing that is reported happened at the epoch."""
    return to_datetime(value) if value.seconds or value.nanos else None


def _drop_nul(message: ProtobufMessage) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                _drop_nul(part)
        elif field.type == field.TYPE_STRING:
            clean = [text.replace("\0", "") for text in (value if field.is_repeated else [value])]
            message.ClearField(field.name)
            if field.is_repeated:
                getattr(message, field.name).extend(clean)
            else:
                setattr(message, field.name, clean[0])


def day_text(day: Date) -> str:
    """A day as far as it is one: what follows an impossible part says nothing."""
    text = ""
    limits = ((day.year, 9999, "{:04d}"), (day.month, 12, "-{:02d}"), (day.day, 31, "-{:02d}"))
    for part, most, form in limits:
        if not 1 <= part <= most:
            break
        text += form.format(part)
    return text


def _day(text: str) -> Date | None:
    if not text:
        return None
    year, month, day = [*(int(part) for part in text.split("-")), 0, 0][:3]
    return Date(year=year, month=month, day=day)
