"""The tables and statements of analytics: its only SQL."""

from services.analytics.store.computed import LAST, LAST_DAY, ComputedStore, Count, Span, Took
from services.analytics.store.record import RecordStore

__all__ = ["LAST", "LAST_DAY", "ComputedStore", "Count", "RecordStore", "Span", "Took"]
