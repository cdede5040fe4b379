"""Where a page of the newest begins and ends."""

from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message

from libs.chassis.errors import InvalidArgument
from libs.chassis.pages import decode_cursor, encode_cursor
from services.careplans.store import LAST


def start_of(token: str, request: Message) -> tuple[datetime, UUID]:
    """After the last row of the page before, or at the newest."""
    after = decode_cursor(token, request)
    if after is None:
        return LAST
    try:
        at, row_id = map(str, after)
        found = datetime.fromisoformat(at).astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError):
        raise InvalidArgument(
            "PAGE_TOKEN_INVALID", "Send next_page_token as it came.", field="page_token"
        ) from None
    return found


def token_after(at: datetime, row_id: UUID, request: Message) -> str:
    return encode_cursor([at.isoformat(), str(row_id)], request)
