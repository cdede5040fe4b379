"""The table of roles, spelled out once more: a change of policy has to be made in two places."""

import pytest
from carehub.identity.v1 import identity_service_pb2
from carehub.options.v1 import options_pb2

from services.identity.domain.role import EVERYBODY, PERMISSIONS, Role
from services.identity.domain.token import OWN_READ

EVERYWHERE = {"organizations.read", "facilities.read"}
CONSENTS = {"consents.read", "consents.write"}
WRITES_CARE = {"patients.read", "patients.write", "tasks.read", "tasks.write"}
BREAKS_GLASS = {"glass.break", "glass.read"}
PLANS = {"care_plans.read", "care_plans.write"}
RECONCILES = PLANS | {"reconciliations.write"}
EXPECTED = {
    "network_admin": {
        "organizations.write",
        "facilities.write",
        "staff.read",
        "staff.write",
        "protocols.read",
        "protocols.write",
        "feeds.read",
        "feeds.write",
        "feeds.send",
        "operations.read",
        "operations.write",
        "audit.read",
        "agreements.read",
        "agreements.write",
    },
    "facility_admin": {
        "facilities.write",
        "staff.read",
        "staff.write",
        "feeds.read",
        "agreements.read",
        "access.explain",
    },
    "coordinator": WRITES_CARE | CONSENTS | PLANS | {"protocols.read", "staff.read", "feeds.read"},
    "nurse": WRITES_CARE | CONSENTS | BREAKS_GLASS | RECONCILES | {"protocols.read", "staff.read"},
    "physician": WRITES_CARE
    | CONSENTS
    | BREAKS_GLASS
    | RECONCILES
    | {"protocols.read", "staff.read", "holds.write"},
    "pharmacist": BREAKS_GLASS
    | RECONCILES
    | {"patients.read", "tasks.read", "tasks.write", "protocols.read", "staff.read"},
    "social_worker": CONSENTS
    | PLANS
    | {"patients.read", "tasks.read", "tasks.write", "protocols.read", "staff.read"},
    "community_health_worker": PLANS | {"patients.read", "tasks.read", "tasks.write"},
    "scheduler": {"patients.read", "tasks.read", "tasks.write"},
    "analyst": {"protocols.read"},
    "privacy_officer": {
        "patients.read",
        "tasks.read",
        "tasks.write",
        "staff.read",
        "protocols.read",
        "audit.read",
        "access.explain",
        "glass.read",
        "glass.review",
        "consents.read",
        "agreements.read",
        "agreements.write",
    },
    "integration": {
        "feeds.read",
        "feeds.write",
        "feeds.send",
        "messages.read",
        "operations.read",
    },
    "operator": {"feeds.read", "protocols.read", "operations.read", "operations.write"},
}
PATIENT_DATA = (
    {
        "patients.read",
        "patients.write",
        "tasks.read",
        "tasks.write",
        "messages.read",
        "holds.write",
    }
    | CONSENTS
    | RECONCILES
)


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_may_do_exactly_this(role):
    assert PERMISSIONS[Role(role)] == EXPECTED[role] | EVERYWHERE


def test_every_role_is_in_the_table():
    assert {str(role) for role in PERMISSIONS} == set(EXPECTED) == {str(role) for role in Role}
    assert set(EVERYBODY.split()) == EVERYWHERE


@pytest.mark.parametrize("role", ["network_admin", "facility_admin", "analyst", "operator"])
def test_who_runs_the_network_sees_no_patient(role):
    assert not PERMISSIONS[Role(role)] & PATIENT_DATA


def test_every_permission_of_identity_in_the_contract_is_held_by_somebody():

    service = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
    asked = {m.GetOptions().Extensions[options_pb2.access].permission for m in service.methods}
    assert asked - {"", OWN_READ} <= frozenset().union(*PERMISSIONS.values())
