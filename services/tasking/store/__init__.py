"""Tasking's tables and statements: the only place of the service with SQL in it."""

from services.tasking.store.counts import CountFilter, CountStore, TaskCounts
from services.tasking.store.directory import DirectoryStore
from services.tasking.store.ledger import ClaimStore, Newest, TimeStore
from services.tasking.store.loops import FIRST, LoopFilter, LoopStore
from services.tasking.store.notifications import NotificationStore
from services.tasking.store.protocols import ProtocolStore
from services.tasking.store.record import RecordStore
from services.tasking.store.tasks import Holding, TaskFilter, TaskStore
from services.tasking.store.told import ToldStore

__all__ = [
    "FIRST",
    "ClaimStore",
    "CountFilter",
    "CountStore",
    "DirectoryStore",
    "Holding",
    "LoopFilter",
    "LoopStore",
    "Newest",
    "NotificationStore",
    "ProtocolStore",
    "RecordStore",
    "TaskCounts",
    "TaskFilter",
    "TaskStore",
    "TimeStore",
    "ToldStore",
]
