"""Ids and the clock as they are outside of tests, where both are injected."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by the time it was made."""
    return UUID(int=uuid_utils.uuid7().int)
