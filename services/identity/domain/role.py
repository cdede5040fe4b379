"""The roles, and what each of them may do."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    NETWORK_ADMIN = "network_admin"
    FACILITY_ADMIN = "facility_admin"
    COORDINATOR = "coordinator"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    PHARMACIST = "pharmacist"
    SOCIAL_WORKER = "social_worker"
    COMMUNITY_HEALTH_WORKER = "community_health_worker"
    SCHEDULER = "scheduler"
    ANALYST = "analyst"
    PRIVACY_OFFICER = "privacy_officer"
    INTEGRATION = "integration"
    OPERATOR = "operator"


# The table below is policy. Whoever changes it changes this day too, and says why in the changelog.
DECIDED_ON = date(2026, 11, 28)

# The network and its places are no secret among those who work in it.
EVERYBODY = "organizations.read facilities.read"

_TABLE: Mapping[Role, str] = {
    # Runs the network, and sees no patient.
    Role.NETWORK_ADMIN: (
        "organizations.write facilities.write staff.read staff.write protocols.read "
        "protocols.write feeds.read feeds.write feeds.send operations.read operations.write "
        "audit.read agreements.read agreements.write directory.write schedules.read "
        "schedules.write measures.read"
    ),
    # Runs one facility, and sees no patient; says why somebody of theirs may not see one.
    Role.FACILITY_ADMIN: (
        "facilities.write staff.read staff.write feeds.read agreements.read access.explain "
        "schedules.read schedules.write measures.read"
    ),
    # Give and arrange care.
    Role.COORDINATOR: (
        "patients.read patients.write tasks.read tasks.write protocols.read staff.read feeds.read "
        "consents.read consents.write time.write billing.read care_plans.read care_plans.write "
        "directory.read directory.write referrals.read referrals.write threads.read threads.write "
        "contacts.write schedules.read appointments.read appointments.write risks.read "
        "measures.read"
    ),
    Role.NURSE: (
        "patients.read patients.write tasks.read tasks.write protocols.read staff.read "
        "consents.read consents.write glass.break glass.read time.write care_plans.read "
        "care_plans.write reconciliations.write directory.read referrals.read referrals.write "
        "threads.read threads.write contacts.write schedules.read appointments.read "
        "appointments.write risks.read"
    ),
    Role.PHYSICIAN: (
        "patients.read patients.write tasks.read tasks.write protocols.read staff.read "
        "consents.read consents.write holds.write glass.break glass.read time.write billing.read "
        "decisions.write care_plans.read care_plans.write reconciliations.write directory.read "
        "referrals.read referrals.write threads.read threads.write contacts.write schedules.read "
        "appointments.read appointments.write risks.read measures.read"
    ),
    Role.PHARMACIST: (
        "patients.read tasks.read tasks.write protocols.read staff.read glass.break glass.read "
        "time.write care_plans.read care_plans.write reconciliations.write directory.read "
        "referrals.read threads.read threads.write contacts.write schedules.read "
        "appointments.read risks.read"
    ),
    Role.SOCIAL_WORKER: (
        "patients.read tasks.read tasks.write protocols.read staff.read consents.read "
        "consents.write time.write care_plans.read care_plans.write directory.read "
        "directory.write referrals.read referrals.write threads.read threads.write contacts.write "
        "schedules.read appointments.read appointments.write risks.read"
    ),
    Role.COMMUNITY_HEALTH_WORKER: (
        "patients.read tasks.read tasks.write time.write care_plans.read care_plans.write "
        "directory.read referrals.read referrals.write threads.read threads.write contacts.write "
        "schedules.read appointments.read appointments.write risks.read"
    ),
    Role.SCHEDULER: (
        "patients.read tasks.read tasks.write time.write directory.read referrals.read "
        "referrals.write threads.read threads.write contacts.write schedules.read "
        "appointments.read appointments.write schedules.write risks.read"
    ),
    # Counts, and sees no patient.
    Role.ANALYST: "protocols.read directory.read measures.read",
    # Answers for who saw whom, and has tasks of that.
    Role.PRIVACY_OFFICER: (
        "patients.read tasks.read tasks.write staff.read protocols.read audit.read consents.read "
        "agreements.read agreements.write access.explain glass.read glass.review time.write"
    ),
    # Connects the facilities' systems; raw messages name patients.
    Role.INTEGRATION: "feeds.read feeds.write feeds.send messages.read operations.read",
    # Keeps the hub running, and sees no patient.
    Role.OPERATOR: "feeds.read protocols.read operations.read operations.write",
}

PERMISSIONS: Mapping[Role, frozenset[str]] = MappingProxyType(
    {role: frozenset(f"{EVERYBODY} {own}".split()) for role, own in _TABLE.items()}
)
