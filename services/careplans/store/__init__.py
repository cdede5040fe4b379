"""The tables and statements of careplans: its only SQL."""

from services.careplans.store.medicines import MedicineStore
from services.careplans.store.neighbors import NeighborStore
from services.careplans.store.plans import LAST, PlanStore
from services.careplans.store.preferences import PreferenceStore

__all__ = ["LAST", "MedicineStore", "NeighborStore", "PlanStore", "PreferenceStore"]
