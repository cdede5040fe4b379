"""Agreements between the domain and protobuf."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import agreement_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp, to_uuid
from services.identity.convert.words import (
    from_classes,
    from_purposes,
    from_word,
    to_classes,
    to_instant,
    to_purposes,
)
from services.identity.domain.access.terms import DataClass, Purpose
from services.identity.domain.fact import Signed

MOST_LISTED = 10_000


def agreement_to_proto(agreement: Signed, at: datetime) -> agreement_pb2.Agreement:
    return agreement_pb2.Agreement(
        id=str(agreement.id),
        etag=etag(agreement.version),
        title=agreement.title,
        party_ids=map(str, agreement.parties or ()),
        purposes=from_purposes(map(Purpose, agreement.purposes)),
        data_classes=from_classes(map(DataClass, agreement.classes)),
        needs_consent=agreement.needs_consent,
        start_time=to_timestamp(agreement.from_at),
        end_time=to_timestamp(agreement.until_at),
        is_for_listed_patients=agreement.roster is not None,
        patient_count=agreement.patient_count,
        state=from_word(agreement.state(at), agreement_pb2.Agreement.State),
    )


def agreement_to_domain(
    message: agreement_pb2.Agreement, new_id: Callable[[], UUID], at: datetime
) -> Signed:
    """What it says; whose list it is about is apart from it."""
    parties = {to_uuid("agreement.party_ids", text) for text in message.party_ids}
    return Signed(
        id=to_uuid("agreement.id", message.id) if message.id else new_id(),
        title=message.title,
        parties=tuple(sorted(parties)) if parties else None,
        purposes=tuple(sorted(to_purposes("agreement.purposes", message.purposes))),
        classes=tuple(sorted(to_classes("agreement.data_classes", message.data_classes))),
        needs_consent=message.needs_consent,
        from_at=to_instant("agreement.start_time", message) or at,
        until_at=to_instant("agreement.end_time", message),
    )


def listed_in(message: agreement_pb2.Agreement) -> frozenset[UUID]:
    """The patients of a list that was sent, with or without saying that there is one."""
    if len(message.patient_ids) > MOST_LISTED:
        raise InvalidArgument(
            "TOO_MANY_LISTED", f"At most {MOST_LISTED}.", field="agreement.patient_ids"
        )
    return frozenset(to_uuid("agreement.patient_ids", text) for text in message.patient_ids)
