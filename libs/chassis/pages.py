"""Pages of a list: sizes, and cursors that stay right while rows come and go."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
from google.protobuf.message import Message

from libs.chassis.errors import InvalidArgument
from libs.chassis.ids import to_id

_LONGEST = 1000


def page_size(requested: int, default: int = 50, most: int = 500) -> int:
    """0 means the default, too large is clamped, negative is refused (AIP-158)."""
    if requested < 0:
        raise InvalidArgument(
            "PAGE_SIZE_NEGATIVE", "A page cannot be smaller than nothing.", field="page_size"
        )
    return min(requested or default, most)


def encode_cursor(values: Sequence[str | int], filters: Message) -> str:
    """A token for the row after `values`. It carries a checksum of the filters and no authorization."""
    body = orjson.dumps([_checksum(filters), *values])
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def decode_cursor(token: str, filters: Message) -> list[str | int] | None:
    """The values of a token, or None for the first page. INVALID_ARGUMENT if it is not ours or the filters changed."""
    if not token:
        return None
    try:
        checksum, *values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_token() from error
    if checksum != _checksum(filters) or not all(map(_can_be_asked_for, values)):
        raise bad_token()
    return list(values)


def page_start(token: str, request: Message, first: tuple[datetime, UUID]) -> tuple[datetime, UUID]:
    """After which row a page of rows by instant and id begins: the last of the page before, or `first`."""
    match decode_cursor(token, request):
        case None:
            return first
        case [str(at), str(row_id)]:
            with suppress(ValueError, OverflowError):
                # One without a zone would mean another instant on every machine.
                if (instant := datetime.fromisoformat(at)).tzinfo:
                    return instant.astimezone(UTC), to_id(row_id)
    raise bad_token()


def id_in_token(text: object) -> UUID:
    """The id that a token has; anybody can make one."""
    try:
        return to_id(str(text))
    except ValueError as error:
        raise bad_token() from error


def token_after(at: date, row_id: UUID, request: Message) -> str:
    """The token of the page after a row, which stands in its list by an instant or a day."""
    return encode_cursor([at.isoformat(), str(row_id)], request)


def _can_be_asked_for(value: object) -> bool:
    """Whether a database can be asked for it: anybody can make a token of anything."""
    if isinstance(value, str):
        return len(value) <= _LONGEST and "\x00" not in value
    return isinstance(value, int) and abs(value) < 2**63


def bad_token() -> InvalidArgument:
    return InvalidArgument(
        "PAGE_TOKEN_INVALID",
        "Send next_page_token as it came, and the other fields as they were.",
        field="page_token",
    )


def _checksum(filters: Message) -> str:
    plain = type(filters)()
    plain.CopyFrom(filters)
    for name in ("page_size", "page_token"):
        if name in plain.DESCRIPTOR.fields_by_name:
            plain.ClearField(name)
    return hashlib.sha256(plain.SerializeToString(deterministic=True)).hexdigest()[:16]
