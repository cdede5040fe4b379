"""What is read from what neighbors tell."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from carehub.access.v1 import access_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from carehub.tasking.v1 import loop_pb2, tasking_events_pb2

from libs.chassis.fields import to_timestamp
from libs.chassis.ids import new_id
from services.analytics.convert.told import to_critical_result, to_discharge, to_visit

AT = datetime(2026, 3, 2, 18, tzinfo=UTC)


def visit(**fields):
    event = registry_events_pb2.EncounterChanged(version=1)
    told = event.encounter
    told.id, told.patient_id, told.facility_id = (str(new_id()) for _ in range(3))
    told.state = encounter_pb2.Encounter.STATE_FINISHED
    told.admit_time.CopyFrom(to_timestamp(AT))
    told.labels.append(access_pb2.LABEL_NORMAL)
    for name, value in fields.items():
        setattr(told, name, value)
    return event


@pytest.mark.parametrize("state", encounter_pb2.Encounter.State.keys())
def test_a_visit_without_a_beginning_is_read_as_taken_back(state):
    number = encounter_pb2.Encounter.State.Value(state)
    begun, never = visit(state=number), visit(state=number)
    never.encounter.ClearField("admit_time")
    assert to_visit(never).is_taken_back
    assert to_visit(begun).is_taken_back == (state not in ("STATE_IN_PROGRESS", "STATE_FINISHED"))


@pytest.mark.parametrize(
    ("told", "read"),
    [("07", "07"), ("7", "07"), (" 1 ", "01"), ("20", "20"), ("ama", "AMA"), ("", ""), (" ", "")],
)
def test_a_disposition_is_read_as_its_table_writes_it(told, read):
    assert to_visit(visit(discharge_disposition=told)).disposition == read


@pytest.mark.parametrize(("told", "read"), [("E", "E"), (" c", "C"), ("r ", "R"), ("", "")])
def test_a_kind_of_admission_is_read_as_its_table_writes_it(told, read):
    assert to_visit(visit(admission_type=told)).admission_type == read


def loop(*evidence):
    """A transition loop with what shows its contact: (kind, outcome, days after the discharge, what shows it)."""
    event = tasking_events_pb2.LoopChanged(version=1)
    told = event.loop
    told.id, told.patient_id, told.facility_id, told.encounter_id = (str(new_id()) for _ in range(4))  # fmt: skip
    told.protocol = "discharge-transition"
    told.anchor_time.CopyFrom(to_timestamp(AT))
    for kind, outcome, days, source_id in evidence:
        told.evidence.add(
            kind=kind, step="contact", outcome=outcome, source_id=str(source_id),
            time=to_timestamp(AT + timedelta(days=days)),
        )  # fmt: skip
    told.evidence.add(kind="TASK_OUTCOME", step="visit", outcome="done", source_id=str(new_id()), time=to_timestamp(AT))  # fmt: skip
    return event


TRIED, REACHED, DECLINED, UNABLE, SEEN, UNNAMED = (new_id() for _ in range(6))
EVIDENCE = {
    TRIED: ("CONTACT_ATTEMPTS", "", 2, TRIED),
    REACHED: ("TASK_OUTCOME", "reached", 5, REACHED),
    DECLINED: ("TASK_OUTCOME", "declined", 1, DECLINED),
    UNABLE: ("TASK_OUTCOME", "unable", 29, UNABLE),
    SEEN: ("ENCOUNTER", "", 3, SEEN),
    UNNAMED: ("TASK_OUTCOME", "", 4, UNNAMED),
}


@pytest.mark.parametrize(
    ("shown", "counted"),
    [
        ((TRIED, REACHED), TRIED),  # reached on day 5 takes nothing from the attempts of day 2
        ((REACHED,), REACHED),
        ((TRIED, UNABLE), TRIED),
        ((TRIED, DECLINED), TRIED),
        ((DECLINED,), None),
        ((UNABLE,), None),
        ((SEEN, DECLINED), SEEN),
        ((UNNAMED,), UNNAMED),
        ((), None),
    ],
)
def test_a_contact_is_the_earliest_that_reached_somebody_or_stands_for_it(shown, counted):
    for order in permutations(shown):
        read = to_discharge(loop(*(EVIDENCE[each] for each in order)))
        at = counted and AT + timedelta(days=EVIDENCE[counted][2])
        assert (read.contact_evidence_id, read.contacted_at) == (counted, at)


def alarm(*evidence, state="OPEN", reason=""):
    """The loop of a critical result with what was shown: (step, outcome, minutes after it was verified, what shows it)."""
    event = tasking_events_pb2.LoopChanged(version=3)
    told = event.loop
    told.id, told.patient_id, told.facility_id, told.result_id = (str(new_id()) for _ in range(4))
    told.protocol, told.close_reason = "critical-result", reason
    told.state = loop_pb2.Loop.State.Value(f"STATE_{state}")
    told.open_time.CopyFrom(to_timestamp(AT))
    for step, outcome, minutes, source_id in evidence:
        told.evidence.add(
            kind="TASK_OUTCOME", step=step, outcome=outcome, source_id=str(source_id),
            time=to_timestamp(AT + timedelta(minutes=minutes)),
        )  # fmt: skip
    return event


def test_only_a_read_back_of_the_acknowledgement_is_one():
    called, acknowledged, told_again, closed = (new_id() for _ in range(4))
    shown = [
        ("call_patient", "done", 5, called),
        ("acknowledge", "read_back", 20, acknowledged),
        ("tell_change", "read_back", 50, told_again),
        ("", "", 50, closed),
    ]
    for order in permutations(shown):
        read = to_critical_result(alarm(*order, state="CLOSED", reason="CHANGE_TOLD"))
        assert read.read_back_at == AT + timedelta(minutes=20)
        assert read.read_back_evidence_id == acknowledged
        assert (read.verified_at, read.close_reason) == (AT, "CHANGE_TOLD")
    nobody = to_critical_result(alarm(shown[0], ("acknowledge", "", 9, new_id())))
    assert (nobody.read_back_at, nobody.read_back_evidence_id) == (None, None)


def test_why_a_loop_ended_is_nothing_while_it_is_open_again():
    assert to_critical_result(alarm(reason="READ_BACK")).close_reason == ""


def test_loops_are_read_as_what_they_are_about():
    assert to_discharge(alarm()) is None
    assert to_critical_result(loop()) is None
    without = alarm()
    without.loop.result_id = ""
    assert to_critical_result(without) is None
    assert to_critical_result(alarm()).labels == ("WITHHELD",)  # nobody said how sensitive it is
