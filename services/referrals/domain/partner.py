"""A partner without an account: the link that is its only credential, and what it is called in the ledger."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from uuid import UUID

# CareHub's own choice: a link without a time in it is good for so long, one with a time until the day after it.
LONGEST, AFTERWARDS = timedelta(days=14), timedelta(days=1)
# For so long a partner who said no may still say whether it takes more, on the page that thanks it.
LAST_WORD = timedelta(minutes=30)
_TOKEN = re.compile(r"[0-9A-Za-z_-]{43}")


def new_token() -> str:
    """256 random bits, as they stand in an address."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """All that is kept of a token. What cannot be one has a hash, too, which nothing has: it is asked for as long."""
    plain = token if _TOKEN.fullmatch(token) else ""
    return hashlib.sha256(plain.encode()).digest()


def expiry(at: datetime, needed_until: datetime | None) -> datetime:
    """Until when a link is good that is made now."""
    return max(needed_until + AFTERWARDS, at + AFTERWARDS) if needed_until else at + LONGEST


def number_of(referral_id: UUID) -> str:
    """A number to name a request by on the telephone. Not unique, and no secret."""
    return f"R-{referral_id.int % 10_000:04d}"
