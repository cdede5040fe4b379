"""What may leave and what has left, between the domain and protobuf."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import access_service_pb2 as rpc
from carehub.identity.v1 import consent_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_datetime, to_timestamp, to_uuid
from services.identity.convert.directory import maybe_uuid
from services.identity.convert.explanation import word
from services.identity.domain.access.facts import ConsentForm
from services.identity.domain.access.terms import DataClass, Label, Purpose
from services.identity.domain.disclosure import Authorization, Disclosure, Item, Notice, Released

MOST_ITEMS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody would like to send."""

    id: UUID
    recipient_id: UUID
    recipient_organization_id: UUID | None
    purpose: Purpose
    items: tuple[Item, ...]
    authorizations: tuple[Authorization, ...]


def to_wanted(request: rpc.CheckDisclosureRequest) -> Wanted:
    if len(request.items) > MOST_ITEMS:
        raise InvalidArgument("TOO_MANY_ITEMS", f"At most {MOST_ITEMS} at once.", field="items")
    if len(request.authorizations) > MOST_ITEMS:
        raise InvalidArgument(
            "TOO_MANY_AUTHORIZATIONS", f"At most {MOST_ITEMS} at once.", field="authorizations"
        )
    return Wanted(
        id=to_uuid("id", request.id),
        recipient_id=to_uuid("recipient_id", request.recipient_id),
        recipient_organization_id=maybe_uuid(
            "recipient_organization_id", request.recipient_organization_id
        ),
        purpose=Purpose(word("purpose", "Purpose", request.purpose)),
        items=tuple(map(_to_item, request.items)),
        authorizations=tuple(map(_to_authorization, request.authorizations)),
    )


def _to_authorization(told: rpc.DisclosureAuthorization) -> Authorization:
    names = {value: name for name, value in consent_pb2.Consent.Form.items()}
    form = names.get(told.form, "").removeprefix("FORM_")
    if form not in list(ConsentForm):
        raise InvalidArgument(
            "AUTHORIZATION_WITHOUT_FORM", "Say how it was given.", field="authorizations.form"
        )
    return Authorization(
        id=to_uuid("authorizations.id", told.id),
        patient_id=to_uuid("authorizations.patient_id", told.patient_id),
        form=ConsentForm(form),
        given_at=to_datetime(told.give_time),
        labels=frozenset(Label(word("authorizations.labels", "Label", one)) for one in told.labels),
        classes=frozenset(
            DataClass(word("authorizations.data_classes", "DataClass", one))
            for one in told.data_classes
        ),
    )


def _to_item(item: rpc.DisclosureItem) -> Item:
    return Item(
        patient_id=to_uuid("items.patient_id", item.patient_id),
        source_id=to_uuid("items.source_facility_id", item.source_facility_id),
        data_class=DataClass(word("items.data_class", "DataClass", item.data_class)),
        labels=frozenset(Label(word("items.labels", "Label", one)) for one in item.labels),
    )


def released_to_proto(
    found: Collection[Released], notices: Collection[Notice]
) -> rpc.CheckDisclosureResponse:
    return rpc.CheckDisclosureResponse(
        released=[
            rpc.ReleasedItem(index=one.index, consent_ids=sorted(map(str, one.consent_ids)))
            for one in found
        ],
        notices=[
            rpc.DisclosureNotice(code=one.code, text=one.text, source=one.source) for one in notices
        ],
    )


def disclosure_to_proto(one: Disclosure) -> rpc.Disclosure:
    return rpc.Disclosure(
        id=str(one.id),
        patient_id=str(one.patient_id),
        recipient_id=str(one.recipient_id),
        recipient_kind=one.recipient_kind,
        purpose=access_pb2.Purpose.Value(f"PURPOSE_{one.purpose}"),
        source_facility_ids=map(str, one.source_ids),
        data_classes=[access_pb2.DataClass.Value(f"DATA_CLASS_{each}") for each in one.classes],
        consent_ids=map(str, one.consent_ids),
        is_accountable=one.is_accountable,
        is_part2=one.is_part2,
        service=one.service,
        release_time=to_timestamp(one.at),
    )
