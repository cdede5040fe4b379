"""What every record about who may see a patient says of itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Whose it is, at which facility it was written down, when and by whom."""

    patient_id: UUID
    facility_id: UUID
    at: datetime
    by: UUID
