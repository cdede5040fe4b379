"""What registry tells of a visit always says whether it counts for who knows a patient."""

from itertools import product
from uuid import uuid4

from carehub.access.v1 import access_pb2
from carehub.registry.v1 import encounter_pb2, registry_events_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.convert.told import to_seen

Encounter = encounter_pb2.Encounter
# Also a word that only a later version knows.
LATER = 99
KINDS, STATES = ([*words.values(), LATER] for words in (Encounter.Class, Encounter.State))
LABELS = [*access_pb2.Label.values(), LATER]
VISITS = {Encounter.CLASS_OUTPATIENT, Encounter.CLASS_RECURRING}
TOOK_PLACE = {Encounter.STATE_IN_PROGRESS, Encounter.STATE_FINISHED}


def visit(kind, state, labels, admitted):
    event = registry_events_pb2.EncounterChanged(version=7)
    told = event.encounter
    told.id, told.patient_id, told.facility_id = (str(uuid4()) for _ in range(3))
    setattr(told, "class", kind)
    told.state = state
    told.labels.extend(labels)
    if admitted is not None:
        told.admit_time.CopyFrom(Timestamp(seconds=admitted))
    return event


@given(
    labels=st.lists(st.sampled_from(LABELS), max_size=3),
    admitted=st.one_of(st.none(), st.integers(0, 2_000_000_000)),
)
def test_whatever_is_told_of_a_visit_it_is_known_whether_it_counts(labels, admitted):
    for kind, state in product(KINDS, STATES):
        event = visit(kind, state, labels, admitted)
        seen = to_seen(event)
        assert (str(seen.encounter_id), seen.version) == (event.encounter.id, 7)
        assert (seen.began_at is None) == (admitted is None)
        is_ordinary = set(labels) == {access_pb2.LABEL_NORMAL}
        took_place = state in TOOK_PLACE and admitted is not None
        assert seen.counts == (kind in VISITS and took_place and is_ordinary)
