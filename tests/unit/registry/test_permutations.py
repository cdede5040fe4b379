"""Whatever order messages come in, and however often: the same visits of the same people."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.report import Report
from tests.unit.registry.streams import (
    continued,
    essence,
    merge_reports,
    one_number,
    person_reports,
    persons,
    record,
    shuffled,
    some_or_lent,
    two_people,
    visit_reports,
)

FEW = settings(max_examples=250, deadline=None)


@FEW
@given(shuffled(st.lists(visit_reports(one_number), max_size=10)))
def test_any_order_of_one_patients_messages_ends_in_the_same_visits(
    orders: tuple[list[Report], list[Report]],
) -> None:
    canonical, any_order = orders
    assert essence(record(any_order)) == essence(record(canonical))


@FEW
@given(
    shuffled(
        st.lists(
            st.one_of(
                visit_reports(some_or_lent), person_reports(persons(some_or_lent)), merge_reports()
            ),
            max_size=12,
        )
    )
)
def test_any_order_of_people_who_share_numbers_ends_in_the_same_record(
    orders: tuple[list[Report], list[Report]],
) -> None:
    canonical, any_order = orders
    assert essence(record(any_order)) == essence(record(canonical))


@FEW
@given(
    st.lists(st.one_of(visit_reports(some_or_lent), merge_reports()), max_size=12),
    st.integers(0, 12),
)
def test_what_is_loaded_and_saved_in_between_makes_no_difference(
    reports: list[Report], cut: int
) -> None:
    in_one = record(reports)
    in_two = continued(record(reports[:cut]), reports[cut:])
    assert essence(in_two) == essence(in_one)


@FEW
@given(st.lists(st.one_of(visit_reports(some_or_lent), merge_reports()), max_size=12))
def test_every_message_has_exactly_one_outcome(reports: list[Report]) -> None:
    registry = record([*reports, *reports])
    handled = registry.changes().handled
    assert sorted(h.message_id for h in handled) == sorted({r.source.message_id for r in reports})
    assert all(bool(h.reason) == (h.outcome != "APPLIED") for h in handled)


@FEW
@given(st.lists(person_reports(two_people), max_size=12))
def test_in_no_order_do_numbers_make_one_person_of_two(reports: list[Report]) -> None:
    registry = record(reports)
    for patient in registry.patients.values():
        assert len({name.given for name in patient.person.names}) <= 1
    parked = [h for h in registry.changes().handled if h.outcome == "PARKED"]
    assert {h.reason for h in parked} <= {"PERSON_CONTRADICTS"}
