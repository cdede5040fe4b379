"""An appointment is what its messages say, whatever order they come in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.appointment import learn
from services.registry.domain.labels import Label, Provenance
from services.registry.domain.report import (
    AppointmentReport,
    AppointmentSaid,
    Person,
    Source,
)

NOW = datetime(2026, 9, 1, 15, 0, tzinfo=UTC)
HERE, ONE, OTHER = (UUID(int=n) for n in range(1, 4))
MINUTE = timedelta(minutes=1)


def report(trigger="S12", minute=0, content="a", *, provenance=None, sent=(), **said):
    return AppointmentReport(
        source=Source(
            message_id=UUID(int=9), feed_id="f", facility_id=HERE, trigger=trigger, event_at=NOW + minute * MINUTE,
            message_at=NOW + minute * MINUTE, content_hash=content, provenance=provenance or Provenance(), sent=sent,
        ),
        person=Person(),
        appointment=AppointmentSaid(number="A-1", **said),
    )  # fmt: skip


def told(*reports, patients=()):
    known = None
    for index, each in enumerate(reports):
        known = learn(known, each, patients[index] if patients else ONE)
    return known


def test_the_newest_counts_and_what_is_not_said_stays():
    start, other = NOW + timedelta(days=1), NOW + timedelta(days=2)
    booked = report(start_at=start, end_at=start + 30 * MINUTE, status="BOOKED", reason="Wound")
    moved = report("S13", 5, start_at=other, status="BOOKED")
    cancelled = report("S15", 9, status="CANCELLED")
    after = told(booked, moved, cancelled)
    assert (after.start_at, after.end_at, after.status) == (other, None, "CANCELLED")
    assert (after.reason, after.event_at) == ("Wound", NOW + 9 * MINUTE)


def test_of_what_is_told_at_once_the_end_counts():
    booked = report(content="z", status="BOOKED")
    cancelled = report("S15", content="a", status="CANCELLED")
    assert told(booked, cancelled).status == told(cancelled, booked).status == "CANCELLED"


def test_whose_it_is_the_newest_says():
    first, second = report(status="BOOKED"), report("S14", 5, status="BOOKED")
    assert told(second, first, patients=(OTHER, ONE)).patient_id == OTHER


def test_a_change_of_something_else_takes_no_status_back():
    started, changed = report("S14", status="STARTED"), report("S14", 5)
    assert told(started, changed).status == "STARTED"
    assert told(changed).status == "BOOKED"


def test_labels_come_from_its_feed_and_stay():
    program = Provenance(is_part2_program=True)
    assert told(report(provenance=program, status="BOOKED")).labels == (Label.PART2,)
    assert told(report(status="BOOKED")).labels == (Label.NORMAL,)
    assert told(report(sent=("HIV",)), report("S14", 5)).labels == (Label.HIV,)
    labeling = Provenance(sends_labels=True)
    assert told(report(provenance=labeling)).labels == (Label.WITHHELD,)
    assert told(report(provenance=labeling, sent=("N",))).labels == (Label.NORMAL,)


REPORTS = st.lists(
    st.builds(
        report,
        st.sampled_from(["S12", "S13", "S14", "S15", "S17", "S26"]),
        st.integers(0, 4),
        st.sampled_from("abcdefgh"),
        start_at=st.sampled_from([None, NOW, NOW + MINUTE]),
        end_at=st.sampled_from([None, NOW + 30 * MINUTE]),
        status=st.sampled_from(["BOOKED", "CANCELLED", "NOSHOW"]),
        practitioner=st.sampled_from(["", "A", "B"]),
        sent=st.sampled_from([(), ("HIV",), ("R",)]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.source.content_hash,
)


@given(REPORTS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_the_same(reports, chance):
    shuffled = reports * 2
    chance.shuffle(shuffled)
    assert replace(told(*shuffled), version=1) == replace(told(*reports), version=1)
