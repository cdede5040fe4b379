"""Reports in: what interop tells that facilities said."""

from collections.abc import Iterable
from datetime import UTC, datetime

from carehub.interop.v1 import interop_events_pb2, report_pb2
from carehub.registry.v1 import patient_pb2
from google.protobuf.message import Message as ProtobufMessage
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_datetime, to_uuid
from services.registry.convert.observation import to_said
from services.registry.domain.labels import Provenance
from services.registry.domain.program import KnownFeed
from services.registry.domain.report import (
    Address,
    AppointmentReport,
    AppointmentSaid,
    Diagnosis,
    Identifier,
    Merge,
    MergeReport,
    Person,
    PersonName,
    PersonReport,
    Report,
    ResultReport,
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


def to_report(
    event: interop_events_pb2.VisitReported
    | interop_events_pb2.PersonReported
    | interop_events_pb2.MergeReported
    | interop_events_pb2.AppointmentReported
    | interop_events_pb2.ResultReported,
) -> Report:
    """What a facility reported. InvalidArgument if the message does not say which facility, or has no id."""
    if b"\0" in event.SerializeToString():  # the database holds no such character
        _drop_nul(event)
    source = _source(event.source)
    if isinstance(event, interop_events_pb2.VisitReported):
        return VisitReport(source=source, person=_reported(event.person), visit=_visit(event.visit))
    if isinstance(event, interop_events_pb2.PersonReported):
        return PersonReport(source=source, person=_reported(event.person))
    if isinstance(event, interop_events_pb2.AppointmentReported):
        said = _appointment(event.appointment)
        return AppointmentReport(source=source, person=_reported(event.person), appointment=said)
    if isinstance(event, interop_events_pb2.ResultReported):
        results = tuple(to_said(said) for said in event.observations)
        return ResultReport(source=source, person=_reported(event.person), observations=results)
    merges = tuple(
        Merge(survivor=_reported(merge.survivor), retired=to_identifiers(merge.retired))
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
    message_at = to_instant(source.message_time) or datetime.fromtimestamp(0, UTC)
    return Source(
        message_id=to_uuid("source.message_id", source.message_id),
        feed_id=source.feed_id,
        facility_id=to_uuid("source.facility_id", source.facility_id),
        trigger=source.trigger,
        event_at=to_instant(source.event_time) or message_at,
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
        identifiers=to_identifiers(person.identifiers),
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
        died_at=to_instant(person.death_time),
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
        admit_at=to_instant(visit.admit_time),
        discharge_at=to_instant(visit.discharge_time),
        admit_reason=visit.admit_reason,
        diagnoses=tuple(
            Diagnosis(code=d.code, system=d.system, text=d.text, type=d.type)
            for d in visit.diagnoses
        ),
        cleared=tuple(visit.cleared_fields),
    )


def _appointment(said: report_pb2.ReportedAppointment) -> AppointmentSaid:
    number = said.number.strip()
    if not number:
        raise InvalidArgument("REPORT_WITHOUT_NUMBER", "It names no appointment.")
    return AppointmentSaid(
        number=number,
        start_at=to_instant(said.start_time),
        end_at=to_instant(said.end_time),
        status=said.status,
        reason=said.reason,
        practitioner=said.practitioner,
    )


def to_identifiers(
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


def to_instant(value: Timestamp) -> datetime | None:
    """The instant, or None for a field that was not set: nothing that is reported happened at the epoch."""
    return to_datetime(value) if value.seconds or value.nanos else None


def _drop_nul(message: ProtobufMessage) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                _drop_nul(part)
        elif field.type == field.TYPE_STRING:
            if not field.is_repeated:
                if "\0" in value:
                    setattr(message, field.name, value.replace("\0", ""))
            elif any("\0" in text for text in value):
                value[:] = [text.replace("\0", "") for text in value]


def day_text(day: Date) -> str:
    """A day as far as it is one: what follows an impossible part says nothing."""
    text = ""
    limits = ((day.year, 9999, "{:04d}"), (day.month, 12, "-{:02d}"), (day.day, 31, "-{:02d}"))
    for part, most, form in limits:
        if not 1 <= part <= most:
            break
        text += form.format(part)
    return text
