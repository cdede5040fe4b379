"""Scheduling's tables and statements: the only place of the service with SQL in it."""

from services.scheduling.store.appointments import FIRST, LAST, AppointmentStore
from services.scheduling.store.directory import DirectoryStore, Programs
from services.scheduling.store.record import RecordStore
from services.scheduling.store.schedules import ScheduleStore

__all__ = [
    "FIRST",
    "LAST",
    "AppointmentStore",
    "DirectoryStore",
    "Programs",
    "RecordStore",
    "ScheduleStore",
]
