"""Whose work it is, as what it can be billed as goes by."""

from enum import StrEnum


class RoleClass(StrEnum):
    """Those whose minutes are worth most first. Those of administration never count."""

    PHYSICIAN_NPP = "physician_npp"
    CLINICAL_STAFF = "clinical_staff"
    AUXILIARY_CHW = "auxiliary_chw"
    ADMIN = "admin"

    @property
    def is_clinical(self) -> bool:
        """Whether a word with the patient is the contact of a transition."""
        return self in (RoleClass.PHYSICIAN_NPP, RoleClass.CLINICAL_STAFF)
