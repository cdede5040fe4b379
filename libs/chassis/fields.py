"""Fields of requests: ids, etags, masks and times."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.api import field_behavior_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from libs.chassis.errors import Aborted, InvalidArgument
from libs.chassis.ids import to_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_uuid(field: str, value: str) -> UUID:
    """The id in a field, or INVALID_ARGUMENT that names it."""
    try:
        return to_id(value)
    except ValueError as error:
        message = f"{field} must be a UUID." if value else f"{field} is required."
        raise InvalidArgument("ID_INVALID", message, field=field) from error


def etag(version: int) -> str:
    return f'"{version}"'


def check_etag(sent: str, version: int) -> None:
    """ABORTED if the caller decided on an older version. An empty etag decides on none."""
    if sent and sent != etag(version):
        raise Aborted(
            "STALE_ETAG", "It was changed in between. Read it again.", current=etag(version)
        )


def to_datetime(value: Timestamp) -> datetime:
    """The instant, aware, in UTC."""
    return value.ToDatetime(tzinfo=UTC)


def to_timestamp(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    # Timestamp.FromDatetime does the same in five times as long, and a page of tasks has two hundred instants.
    since = value - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def apply_mask(target: Message, source: Message, mask: FieldMask) -> None:
    """Copy the fields of the mask (without one: every populated field) from `source`.

    INVALID_ARGUMENT for an unknown path. Fields that only the server writes are passed over.
    """
    paths = list(mask.paths) or [field.name for field, _ in source.ListFields()]
    for path in paths:
        field = source.DESCRIPTOR.fields_by_name.get(path)
        if field is None:
            raise InvalidArgument(
                "MASK_PATH_UNKNOWN", f"There is no field {path!r} to change.", field="update_mask"
            )
        if not _is_output_only(field):
            _copy(target, source, field)


def _is_output_only(field: Any) -> bool:
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.OUTPUT_ONLY in behaviors or field.name in {"id", "etag"}


def _copy(target: Message, source: Message, field: Any) -> None:
    target.ClearField(field.name)
    value = getattr(source, field.name)
    if field.is_repeated:
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        if source.HasField(field.name):
            getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
