"""What a message says, as the event that tells of it."""

from carehub.interop.v1 import feed_pb2, interop_events_pb2
from carehub.interop.v1 import report_pb2 as pb
from google.type.date_pb2 import Date

from libs.chassis.fields import to_timestamp
from services.interop.domain.feed import Provenance
from services.interop.domain.message import Message
from services.interop.domain.report import (
    Appointment,
    Identifier,
    Merge,
    Observation,
    Person,
    Report,
    Visit,
)

Reported = (
    interop_events_pb2.VisitReported
    | interop_events_pb2.PersonReported
    | interop_events_pb2.MergeReported
    | interop_events_pb2.AppointmentReported
    | interop_events_pb2.ResultReported
)


def report_to_proto(report: Report, message: Message) -> Reported:
    """The event that tells of a report, as read from a stored message."""
    source = pb.ReportSource(
        message_id=str(message.id),
        feed_id=str(message.feed_id),
        facility_id=str(report.facility_id),
        trigger=report.trigger,
        event_time=to_timestamp(report.event_at),
        message_time=to_timestamp(report.message_at),
        content_hash=message.content_hash.hex(),
        replay=message.replay,
        provenance=provenance_to_proto(report.provenance),
        confidentiality_codes=report.confidentiality,
    )
    if report.person is None:
        merges = [_merge(merge) for merge in report.merges]
        return interop_events_pb2.MergeReported(source=source, merges=merges)
    person = _person(report.person)
    if report.appointment is not None:
        return interop_events_pb2.AppointmentReported(
            source=source, person=person, appointment=_appointment(report.appointment)
        )
    if report.observations is not None:
        results = [_observation(each) for each in report.observations]
        return interop_events_pb2.ResultReported(source=source, person=person, observations=results)
    if report.visit is None:
        return interop_events_pb2.PersonReported(source=source, person=person)
    return interop_events_pb2.VisitReported(
        source=source, person=person, visit=_visit(report.visit)
    )


def _merge(merge: Merge) -> interop_events_pb2.ReportedMerge:
    return interop_events_pb2.ReportedMerge(
        survivor=_person(merge.survivor), retired=[_identifier(each) for each in merge.retired]
    )


def _identifier(identifier: Identifier) -> pb.ReportedIdentifier:
    return pb.ReportedIdentifier(
        assigner=identifier.assigner, value=identifier.value, type=identifier.type
    )


def _person(person: Person) -> pb.ReportedPerson:
    born = person.birth_on
    return pb.ReportedPerson(
        identifiers=[_identifier(each) for each in person.identifiers],
        names=[
            pb.ReportedName(family=n.family, given=n.given, use=n.use, suffix=n.suffix)
            for n in person.names
        ],
        birth_date=Date(year=born.year, month=born.month, day=born.day) if born else None,
        sex=person.sex,
        addresses=[
            pb.ReportedAddress(
                lines=a.lines, city=a.city, state=a.state, postal_code=a.postal_code, use=a.use
            )
            for a in person.addresses
        ],
        telecoms=[
            pb.ReportedTelecom(value=t.value, is_email=t.is_email, use=t.use)
            for t in person.telecoms
        ],
        language=person.language,
        death_indicator=person.death_indicator,
        death_time=to_timestamp(person.died_at),
        cleared_fields=person.cleared,
    )


def _appointment(appointment: Appointment) -> pb.ReportedAppointment:
    return pb.ReportedAppointment(
        number=appointment.number,
        start_time=to_timestamp(appointment.starts_at),
        end_time=to_timestamp(appointment.ends_at),
        status=appointment.status,
        reason=appointment.reason,
        practitioner=appointment.practitioner,
        location=appointment.location,
    )


def _observation(said: Observation) -> pb.ReportedObservation:
    return pb.ReportedObservation(
        number=said.number,
        code=said.code,
        code_system=said.code_system,
        sub_id=said.sub_id,
        name=said.name,
        panel=said.panel,
        value=said.value,
        quantity=said.quantity,
        comparator=said.comparator,
        unit=said.unit,
        reference_range=said.reference_range,
        flags=said.flags,
        status=said.status,
        observed_time=to_timestamp(said.observed_at),
        report_time=to_timestamp(said.reported_at),
        orderer=said.orderer,
        laboratory=said.laboratory,
        note=said.note,
    )


def _visit(visit: Visit) -> pb.ReportedVisit:
    return pb.ReportedVisit(
        visit_number=visit.visit_number,
        patient_class=visit.patient_class,
        location=visit.location,
        admission_type=visit.admission_type,
        attending=visit.attending,
        discharge_disposition=visit.discharge_disposition,
        admit_time=to_timestamp(visit.admitted_at),
        discharge_time=to_timestamp(visit.discharged_at),
        admit_reason=visit.admit_reason,
        diagnoses=[
            pb.ReportedDiagnosis(code=d.code, system=d.system, text=d.text, type=d.type)
            for d in visit.diagnoses
        ],
        cleared_fields=visit.cleared,
    )


def provenance_to_proto(provenance: Provenance) -> feed_pb2.Provenance:
    return feed_pb2.Provenance(
        is_part2_program=provenance.is_part2_program, sends_labels=provenance.sends_labels
    )
