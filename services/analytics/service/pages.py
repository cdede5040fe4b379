"""Where a page of the newest begins and ends."""

from datetime import UTC, date, datetime
from uuid import UUID

from google.protobuf.message import Message

from libs.chassis.pages import bad_token, decode_cursor, encode_cursor
from services.analytics.store import LAST, LAST_DAY


def before_instant(token: str, request: Message) -> tuple[datetime, UUID]:
    """After the last row of the page before, or at the newest."""
    found = _read(token, request)
    try:
        if found is None:
            return LAST
        return datetime.fromisoformat(found[0]).astimezone(UTC), UUID(found[1])
    except (ValueError, OverflowError):
        raise bad_token() from None


def before_day(token: str, request: Message) -> tuple[date, UUID]:
    found = _read(token, request)
    try:
        return LAST_DAY if found is None else (date.fromisoformat(found[0]), UUID(found[1]))
    except ValueError:
        raise bad_token() from None


def first_place(token: str, request: Message) -> int:
    """Where in the catalog a page of measures begins."""
    after = decode_cursor(token, request)
    if after is None:
        return 0
    if len(after) != 1 or not isinstance(after[0], int) or after[0] < 0:
        raise bad_token()
    return after[0]


def token_after(at: date, row_id: UUID, request: Message) -> str:
    """The token of the page after a row: of its instant or its day."""
    return encode_cursor([at.isoformat(), str(row_id)], request)


def _read(token: str, request: Message) -> tuple[str, str] | None:
    after = decode_cursor(token, request)
    if after is None:
        return None
    try:
        at, row_id = map(str, after)
    except ValueError:
        raise bad_token() from None
    return at, row_id
