"""Consents, and what they would change, between the domain and protobuf."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import consent_pb2

from libs.chassis.fields import etag, to_timestamp, to_uuid
from services.identity.convert.directory import maybe_uuid
from services.identity.convert.words import (
    from_classes,
    from_labels,
    from_purposes,
    from_word,
    to_classes,
    to_instant,
    to_labels,
    to_purposes,
    to_word,
)
from services.identity.domain.access.facts import ConsentDecision, ConsentForm
from services.identity.domain.consent import RecordedConsent
from services.identity.domain.entry import Entry
from services.identity.domain.preview import Effect, Rows

_Consent = consent_pb2.Consent


def consent_to_domain(
    message: consent_pb2.Consent, entry: Entry, *, id: UUID, given_at: datetime
) -> RecordedConsent:
    """A first version. `given_at` is for who does not say when."""
    given_at = to_instant("consent.give_time", message) or given_at
    return RecordedConsent(
        id=id,
        patient_id=entry.patient_id,
        facility_id=entry.facility_id,
        decision=to_word("consent.decision", message.decision, _Consent.Decision, ConsentDecision),
        recipients=_ids("consent.recipient_ids", message.recipient_ids),
        sources=_ids("consent.source_ids", message.source_ids),
        purposes=to_purposes("consent.purposes", message.purposes),
        labels=to_labels("consent.labels", message.labels),
        classes=to_classes("consent.data_classes", message.data_classes),
        given_at=given_at,
        from_at=to_instant("consent.start_time", message) or given_at,
        until_at=to_instant("consent.end_time", message),
        form=to_word("consent.form", message.form, _Consent.Form, ConsentForm),
        evidence_id=maybe_uuid("consent.evidence_id", message.evidence_id),
        evidence_note=message.evidence_note,
        given_by=maybe_uuid("consent.given_by_id", message.given_by_id),
        recorded_at=entry.at,
        recorded_by=entry.by,
    )


def consent_to_proto(consent: RecordedConsent, at: datetime) -> consent_pb2.Consent:
    return _Consent(
        id=str(consent.id),
        etag=etag(consent.version),
        patient_id=str(consent.patient_id),
        facility_id=str(consent.facility_id),
        decision=from_word(consent.decision, _Consent.Decision),
        recipient_ids=sorted(map(str, consent.recipients)),
        source_ids=sorted(map(str, consent.sources)),
        purposes=from_purposes(consent.purposes),
        labels=from_labels(consent.labels),
        data_classes=from_classes(consent.classes),
        give_time=to_timestamp(consent.given_at),
        start_time=to_timestamp(consent.from_at),
        end_time=to_timestamp(consent.until_at),
        form=from_word(consent.form, _Consent.Form),
        evidence_id=_text(consent.evidence_id),
        evidence_note=consent.evidence_note,
        given_by_id=_text(consent.given_by),
        state=from_word(consent.state(at), _Consent.State),
        withdraw_time=to_timestamp(consent.withdrawn_at),
        version=consent.version,
        record_time=to_timestamp(consent.recorded_at),
        recorder_id=str(consent.recorded_by),
    )


def effect_to_proto(effect: Effect) -> consent_pb2.ConsentEffect:
    return consent_pb2.ConsentEffect(
        grantee_id=str(effect.grantee_id),
        reasons=effect.reasons,
        opened=map(_rows_to_proto, effect.opened),
        closed=map(_rows_to_proto, effect.closed),
        sentences=effect.sentences,
    )


def _rows_to_proto(rows: Rows) -> consent_pb2.VisibleRows:
    return consent_pb2.VisibleRows(
        source_ids=sorted(map(str, rows.sources)),
        data_classes=from_classes(rows.classes),
        labels=from_labels(rows.labels),
        purposes=from_purposes(rows.purposes),
    )


def _ids(field: str, texts: Iterable[str]) -> frozenset[UUID]:
    return frozenset(to_uuid(field, text) for text in texts)


def _text(id: UUID | None) -> str:
    return str(id) if id else ""
