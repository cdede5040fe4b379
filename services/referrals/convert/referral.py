"""Referrals and consents, between the domain and protobuf."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.referrals.v1 import referral_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from services.referrals.domain.answering import Priority
from services.referrals.domain.consent import Consent, Details, Form, Item
from services.referrals.domain.labels import Label, labels_of
from services.referrals.domain.needs import NEEDS
from services.referrals.domain.referral import Referral

_PB = referral_pb2.Referral
_CONSENT = referral_pb2.ReferralConsent
_LONGEST = {
    "first_name": 50, "telephone": 30, "address": 200, "destination": 200, "area": 100, "postal_code": 10,
    "language": 8,
}  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def referral_to_proto(referral: Referral, *, is_whole: bool) -> referral_pb2.Referral:
    """As its facility sees it; or, for events, without what the partner is told and what the patient agreed to."""
    told = referral_pb2.Referral(
        id=str(referral.id),
        etag=etag(referral.version),
        facility_id=str(referral.facility_id),
        patient_id=str(referral.patient_id),
        need=referral.need,
        service_id=str(referral.service_id),
        service_name=referral.service_name,
        state=_PB.State.Value(f"STATE_{referral.state}"),
        state_reason=referral.state_reason,
        outcome=referral.outcome,
        appointment_id=_text(referral.appointment_id),
        loop_id=_text(referral.loop_id),
        follows_id=_text(referral.follows_id),
        answer_due_time=to_timestamp(referral.answer_due_at),
        answer_due_explanation=referral.answer_due_explanation,
        send_time=to_timestamp(referral.sent_at),
        end_time=to_timestamp(referral.ended_at),
        labels=[access_pb2.Label.Value(f"LABEL_{each}") for each in referral.labels],
        priority=_PB.Priority.Value(f"PRIORITY_{referral.priority}"),
        auto_next=referral.is_auto_next,
        is_queued=referral.queued_at is not None,
        create_time=to_timestamp(referral.created_at),
        creator_id=str(referral.created_by),
        link_time=to_timestamp(referral.link_at),
    )
    if is_whole:
        told.details.CopyFrom(_details_to_proto(referral.details))
        if referral.consent:
            told.consent.CopyFrom(_consent_to_proto(referral.consent))
    return told


def to_draft(
    asked: referral_pb2.Referral,
    labels: "Iterable[access_pb2.Label.ValueType]",
    *,
    id: UUID,
    service_name: str,
    at: datetime,
    by: UUID,
) -> Referral:
    details = _to_details(asked.details)
    details.check()
    return Referral(
        id=id,
        facility_id=to_uuid("referral.facility_id", asked.facility_id),
        patient_id=to_uuid("referral.patient_id", asked.patient_id),
        need=to_need("referral.need", asked.need),
        service_id=to_uuid("referral.service_id", asked.service_id),
        service_name=service_name,
        priority=_to_priority(asked.priority),
        is_auto_next=asked.auto_next,
        appointment_id=maybe_uuid("referral.appointment_id", asked.appointment_id),
        loop_id=maybe_uuid("referral.loop_id", asked.loop_id),
        labels=labels_of(asked.need, to_labels(labels)),
        details=details,
        created_at=at,
        created_by=by,
    )


def to_consent(given: referral_pb2.ReferralConsent, *, id: UUID, at: datetime, by: UUID) -> Consent:
    """The consent as it is recorded now, by whom; INVALID_ARGUMENT if it is none."""
    consent = Consent(
        id=id,
        form=Form(_word(_CONSENT.Form, given.form, "FORM_", "consent.form")),
        given_at=to_datetime(given.give_time) if given.HasField("give_time") else at,
        service_ids=tuple(sorted({to_uuid("consent.service_ids", s) for s in given.service_ids})),
        items=tuple(sorted({Item(_word(_CONSENT.Item, i, "ITEM_", "consent.items")) for i in given.items})),
        witness=to_line("consent.witness", given.witness, 100),
        evidence_id=maybe_uuid("consent.evidence_id", given.evidence_id),
        recorded_by=by,
        recorded_at=at,
    )  # fmt: skip
    consent.check()
    return consent


def to_need(field: str, text: str) -> str:
    if text not in NEEDS:
        words = ", ".join(sorted(NEEDS))
        raise InvalidArgument("NEED_UNKNOWN", f"A need is one of: {words}.", field=field)
    return text


def to_labels(told: "Iterable[access_pb2.Label.ValueType]") -> set[Label]:
    return {Label(_word(access_pb2.Label, each, "LABEL_", "labels")) for each in told}


def maybe_uuid(field: str, text: str) -> UUID | None:
    return to_uuid(field, text) if text else None


def to_line(field: str, text: str, most: int) -> str:
    """One line of words, without what cannot be printed."""
    text = " ".join(text.split())
    if len(text) > most or _UNPRINTABLE.search(text):
        raise InvalidArgument(
            "LINE_TOO_LONG", f"One line of at most {most} characters.", field=field
        )
    return text


def _to_details(told: referral_pb2.ReferralDetails) -> Details:
    lines = {
        name: to_line(f"referral.details.{name}", getattr(told, name), most)
        for name, most in _LONGEST.items()
    }
    return Details(
        **lines,
        start_at=to_datetime(told.start_time) if told.HasField("start_time") else None,
        end_at=to_datetime(told.end_time) if told.HasField("end_time") else None,
        needs_wheelchair=told.needs_wheelchair,
    )


def _details_to_proto(details: Details) -> referral_pb2.ReferralDetails:
    return referral_pb2.ReferralDetails(
        **{name: getattr(details, name) for name in _LONGEST},
        start_time=to_timestamp(details.start_at),
        end_time=to_timestamp(details.end_at),
        needs_wheelchair=details.needs_wheelchair,
    )


def _consent_to_proto(consent: Consent) -> referral_pb2.ReferralConsent:
    return referral_pb2.ReferralConsent(
        form=_CONSENT.Form.Value(f"FORM_{consent.form}"),
        give_time=to_timestamp(consent.given_at),
        service_ids=map(str, consent.service_ids),
        items=[_CONSENT.Item.Value(f"ITEM_{each}") for each in consent.items],
        witness=consent.witness,
        evidence_id=_text(consent.evidence_id),
        recorder_id=str(consent.recorded_by),
        record_time=to_timestamp(consent.recorded_at),
    )


def _to_priority(value: "referral_pb2.Referral.Priority.ValueType") -> Priority:
    if value == _PB.PRIORITY_UNSPECIFIED:
        return Priority.ROUTINE
    return Priority(_word(_PB.Priority, value, "PRIORITY_", "referral.priority"))


def _word(kind: Any, value: int, prefix: str, field: str) -> str:
    """The name of an enum's value without its prefix; INVALID_ARGUMENT for none, or one that is not known."""
    known: dict[int, str] = {v: k for k, v in kind.items()}
    name = known.get(value, "").removeprefix(prefix)
    if name in ("", "UNSPECIFIED"):
        raise InvalidArgument("WORD_MISSING", f"{field} is required.", field=field)
    return name


def _text(id: UUID | None) -> str:
    return str(id) if id else ""
