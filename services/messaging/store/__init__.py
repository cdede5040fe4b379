"""Messaging's tables and statements: the only place of the service with SQL in it."""

from services.messaging.store.causes import CauseStore
from services.messaging.store.contacts import ContactStore
from services.messaging.store.directory import DirectoryStore
from services.messaging.store.feeds import FeedStore
from services.messaging.store.messages import MessageStore
from services.messaging.store.replies import ReplyStore
from services.messaging.store.telephone import TelephoneStore
from services.messaging.store.threads import ThreadFilter, ThreadStore
from services.messaging.store.wishes import WishStore

__all__ = [
    "CauseStore",
    "ContactStore",
    "DirectoryStore",
    "FeedStore",
    "MessageStore",
    "ReplyStore",
    "TelephoneStore",
    "ThreadFilter",
    "ThreadStore",
    "WishStore",
]
