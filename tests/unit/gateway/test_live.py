"""Who is offered a change: nobody but its own facility, where the patient's word is needed to see it."""

from uuid import uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.analytics.v1 import analytics_events_pb2
from carehub.careplans.v1 import careplans_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from gateway.api.live import Subscriber, change_of
from libs.chassis.caller import Caller, CallerKind

HERE, THERE = uuid4(), uuid4()
KEPT = ("PART2", "COUNSELING_NOTES", "WITHHELD")


def subscriber(*facilities):
    places = frozenset(facilities)
    seen = ("patients.read", "tasks.read", "care_plans.read", "risks.read", "referrals.read")
    held = dict.fromkeys(seen, places)
    return Subscriber(
        Caller(
            subject=uuid4(),
            kind=CallerKind.PERSON,
            name="",
            roles={},
            permissions=held,
            purpose="TREATMENT",
        )
    )


def offered(event):
    change = change_of(event)
    own, foreign = subscriber(HERE), subscriber(THERE)
    own.offer(change)
    foreign.offer(change)
    return bool(own.own), bool(foreign.foreign or foreign.own)


@pytest.mark.parametrize("label", access_pb2.Label.DESCRIPTOR.values_by_name)
def test_what_is_kept_at_home_is_offered_nobody_else(label):
    labels = ["LABEL_NORMAL" if label == "LABEL_UNSPECIFIED" else label]
    row = {
        "id": str(uuid4()),
        "facility_id": str(HERE),
        "patient_id": str(uuid4()),
        "labels": labels,
    }
    for event in (
        registry_events_pb2.EncounterChanged(encounter=row),
        registry_events_pb2.ResultReceived(observation=row),
        tasking_events_pb2.LoopChanged(loop=row),
        tasking_events_pb2.TaskChanged(task=row),
        careplans_events_pb2.CarePlanChanged(care_plan=row),
        careplans_events_pb2.ReconciliationChanged(reconciliation=row),
        careplans_events_pb2.PreferencesChanged(preferences=row),
        analytics_events_pb2.RiskScored(risk=row),
        referrals_events_pb2.ReferralChanged(referral=row),
    ):
        assert offered(event) == (True, label.removeprefix("LABEL_") not in KEPT)


def test_what_a_program_told_of_a_patient_is_offered_to_the_program():
    event = registry_events_pb2.ProgramRecordChanged(
        facility_id=str(HERE), patient={"id": str(uuid4())}
    )
    assert offered(event) == (True, False)


def test_a_referral_is_told_with_its_kind_and_ids_to_whoever_may_read_referrals():
    id, patient = str(uuid4()), str(uuid4())
    event = referrals_events_pb2.ReferralChanged(
        referral={"id": id, "facility_id": str(HERE), "patient_id": patient, "need": "homelessness"}
    )
    change = change_of(event)
    assert (change.kind, change.id, change.patient_id) == ("referral", id, patient)
    assert change.permission == "referrals.read"
