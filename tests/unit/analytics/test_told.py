"""What is read from what neighbors tell."""

from datetime import UTC, datetime

import pytest
from carehub.access.v1 import access_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2

from libs.chassis.fields import to_timestamp
from libs.chassis.ids import new_id
from services.analytics.convert.told import to_visit

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


@pytest.mark.parametrize(
    ("told", "read"),
    [("07", "07"), ("7", "07"), (" 1 ", "01"), ("20", "20"), ("ama", "AMA"), ("", ""), (" ", "")],
)
def test_a_disposition_is_read_as_its_table_writes_it(told, read):
    assert to_visit(visit(discharge_disposition=told)).disposition == read


@pytest.mark.parametrize(("told", "read"), [("E", "E"), (" c", "C"), ("r ", "R"), ("", "")])
def test_a_kind_of_admission_is_read_as_its_table_writes_it(told, read):
    assert to_visit(visit(admission_type=told)).admission_type == read
