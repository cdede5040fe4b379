"""Where a page begins."""

from contextlib import suppress
from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from libs.chassis.ids import to_id
from libs.chassis.pages import bad_token, decode_cursor
from services.analytics.store import LAST_DAY


def before_day(token: str, request: Message) -> tuple[date, UUID]:
    """After the last row of the page before, or at the newest."""
    match decode_cursor(token, request):
        case None:
            return LAST_DAY
        case [str(day), str(row_id)]:
            with suppress(ValueError):
                return date.fromisoformat(day), to_id(row_id)
    raise bad_token()


def first_place(token: str, request: Message) -> int:
    """Where in the catalog a page of measures begins."""
    after = decode_cursor(token, request)
    if after is None:
        return 0
    if len(after) != 1 or not isinstance(after[0], int) or after[0] < 0:
        raise bad_token()
    return after[0]
