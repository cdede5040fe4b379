"""Which sessions of the identity provider have been seen, so that each is written down as a sign-in once."""

from collections import OrderedDict
from uuid import UUID

MOST = 100_000


class Sessions:
    """Remembers in this process: after a restart a session that goes on is seen, and written down, once more."""

    def __init__(self, most: int = MOST) -> None:
        self._seen: OrderedDict[tuple[UUID, str], None] = OrderedDict()
        self._most = most

    def is_new(self, subject: UUID, session: str) -> bool:
        return (subject, session) not in self._seen

    def remember(self, subject: UUID, session: str) -> None:
        self._seen[subject, session] = None
        self._seen.move_to_end((subject, session))
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
