"""The page that says what leaves knows every event, and which of them carry health data."""

import re
from pathlib import Path

from google.protobuf.descriptor import Descriptor

from tests.contract.test_contracts import EVENTS

PAGE = (Path(__file__).parents[2] / "docs/access/leaving.md").read_text()
# What says something about a patient besides ids.
TELLING = {
    "carehub.registry.v1.Patient",
    "carehub.registry.v1.Encounter",
    "carehub.registry.v1.AppointmentTold",
    "carehub.registry.v1.Observation",
    "carehub.scheduling.v1.Appointment",
    "carehub.tasking.v1.Loop",
    "carehub.tasking.v1.Task",
    "carehub.tasking.v1.TimeEntry",
    "carehub.tasking.v1.MedicalDecision",
    "carehub.analytics.v1.RiskScore",
    "carehub.careplans.v1.CarePlan",
    "carehub.careplans.v1.Reconciliation",
    "carehub.careplans.v1.Preferences",
    "carehub.referrals.v1.Referral",  # what somebody needs, and who was asked
    "carehub.messaging.v1.MessageSent",  # which text it was: a visit was missed
    "carehub.messaging.v1.Reply",
    "carehub.messaging.v1.PatientMessageChanged",  # its labels
    "carehub.messaging.v1.ThreadChanged",  # words of danger open one, and its labels
    "carehub.access.v1.Grant",  # which labels a consent releases
    "carehub.identity.v1.BreakGlass",  # which records an emergency opened
    "carehub.interop.v1.ReportedPerson",
    "carehub.interop.v1.ReportedVisit",
    "carehub.interop.v1.ReportedIdentifier",
    "carehub.interop.v1.ReportedObservation",
}


def held(kind: Descriptor, seen: frozenset[str] = frozenset()) -> set[str]:
    """The messages inside a message, itself too."""
    if kind.full_name in seen:
        return set()
    inner = {field.message_type for field in kind.fields if field.message_type}
    return {kind.full_name}.union(*(held(one, seen | {kind.full_name}) for one in inner))


def named(beginning: str) -> set[str]:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(beginning)]
    return set(re.findall(r"`(\w+)`", line)) & set(EVENTS)


def test_the_events_with_health_data_are_the_ones_of_the_page():
    telling = {name for name, event in EVENTS.items() if held(event) & TELLING}
    assert named("Health data in the payload") == telling
    assert named("Ids, reasons and numbers") == set(EVENTS) - telling


def test_what_is_taken_for_telling_is_there():
    assert set().union(*map(held, EVENTS.values())) >= TELLING
