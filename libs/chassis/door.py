"""What a transaction of people says of its caller; the policies ask it back by SQL functions."""

import re
from collections.abc import Iterable
from uuid import UUID

from libs.chassis.caller import Capacity

# Somebody who asks for their facilities only, to give care.
NOBODY_ELSE = Capacity(purposes=frozenset({"TREATMENT"}))
_PLAIN = re.compile(r"[0-9A-Za-z_-]+")


def begin(
    subject: UUID | None, facilities: Iterable[UUID], capacity: Capacity, timeout: float
) -> str:
    """The statements: one round trip, of ids and names of purposes only, each checked here since they are spliced."""
    at = {str(UUID(str(f))) for f in facilities}
    in_person = {str(UUID(str(i))) for i in (subject, *capacity.teams) if i}
    grantees = at | in_person | {str(UUID(str(i))) for i in capacity.organizations}
    return (
        f"BEGIN; SET LOCAL statement_timeout = {max(1, int(timeout * 1000))}; "
        f"SET LOCAL carehub.subject = '{subject or ''}'; SET LOCAL carehub.facilities = {_listed(at)}; "
        f"SET LOCAL carehub.in_person = {_listed(in_person)}; SET LOCAL carehub.grantees = {_listed(grantees)}; "
        f"SET LOCAL carehub.purposes = {_listed(capacity.purposes)}"
    )


def _listed(words: Iterable[str]) -> str:
    listed = sorted(words)
    if not all(_PLAIN.fullmatch(word) for word in listed):
        raise ValueError("a caller's ids and purposes are plain words")
    return f"'{{{','.join(listed)}}}'"
