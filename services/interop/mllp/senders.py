"""Who may send: the feeds, kept for a second at most."""

import asyncio
import time

from libs.chassis.database import Database
from services.interop.domain.feed import Sender
from services.interop.store.feeds import FeedStore

_FRESH_FOR = 1.0


class Senders:
    """Feeds by MSH-4. A changed, paused or new feed counts within a second, in every process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._senders: dict[str, Sender] = {}
        self._read_at = -_FRESH_FOR
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read them again if it was too long ago. Raises what the database raises."""
        if self._is_fresh():
            return
        async with self._reading:
            if self._is_fresh():
                return
            asked_at = time.monotonic()
            async with self._database.system(timeout=5.0) as tx:
                store = FeedStore(tx)
                zones = {each.id: each.time_zone for each in await store.facilities()}
                feeds = await store.list_all()
            self._senders = {
                feed.sending_facility: Sender(
                    feed=feed, facility_time_zone=zones.get(feed.facility_id, "")
                )
                for feed in feeds
            }
            self._read_at = asked_at

    def find(self, sending_facility: str, sending_application: str) -> Sender | None:
        sender = self._senders.get(sending_facility)
        if sender is None or not sender.feed.is_of(sending_facility, sending_application):
            return None
        return sender

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < _FRESH_FOR
