"""A report of a visit as the message that is kept of it."""

from uuid import UUID

from services.registry.domain.keys import stream_id_of
from services.registry.domain.report import PersonReport, VisitReport, VisitSaid
from services.registry.domain.told import VisitMessage

_ABOUT_PERSONS = frozenset({"A28", "A31"})


def is_about_the_person(report: VisitReport | PersonReport) -> bool:
    """Whether it speaks of the person alone: an update may, and then there is no visit in it at all."""
    if report.source.trigger == "A08":
        return not isinstance(report, VisitReport) or report.visit == VisitSaid()
    return report.source.trigger in _ABOUT_PERSONS


def filed(report: VisitReport, patient_id: UUID) -> VisitMessage:
    """The message, as it is folded with the others of its visit."""
    stream_id = stream_id_of(report)
    if stream_id is None:
        raise ValueError("the person of this report was not identified")
    source = report.source
    return VisitMessage(
        message_id=source.message_id,
        stream_id=stream_id,
        facility_id=source.facility_id,
        patient_id=patient_id,
        trigger=source.trigger,
        event_at=source.event_at,
        message_at=source.message_at,
        content_hash=source.content_hash,
        said=report.visit,
        provenance=source.provenance,
        sent=source.sent,
    )
