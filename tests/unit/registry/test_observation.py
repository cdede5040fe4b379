"""A result is what its messages say, whatever order they come in; of one that was posted to several, one has it."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.critical import Criticality, judge
from services.registry.domain.labels import VERSION, Label, Provenance
from services.registry.domain.observation import ObservationState
from services.registry.domain.relabeling import relabel_results
from services.registry.domain.report import (
    Merge,
    MergeReport,
    ObservationSaid,
    Outcome,
    Person,
    ResultReport,
)
from tests.unit.registry.streams import (
    at,
    continued,
    jane,
    number,
    record,
    shuffled,
    source,
)

POTASSIUM = {
    "number": "F-1",
    "code": "2823-3",
    "code_system": "LN",
    "name": "Potassium",
    "unit": "mmol/L",
}
NOBODY = UUID(int=0)
OTHER = jane(number("2"), names=(), birth_on="1950-01-01", telecoms=())


def report(
    status="F", hours=1, value=6.8, *, person=None, content="", sent=(), provenance=None, **said
):
    content = content or f"{status} {hours} {value} {said} {person} {sent} {provenance}"
    flags = said.pop("flags", ("HH",) if value and value > 6 else ())
    return ResultReport(
        source=source("R01", hours, content, provenance=provenance or Provenance(), sent=sent),
        person=person or jane(number("1")),
        observations=(
            ObservationSaid(
                **POTASSIUM | said,
                value=str(value or ""),
                quantity=value,
                flags=flags,
                status=status,
                reported_at=at(hours),
            ),
        ),
    )


def rows(*reports):
    registry = record(reports)
    numbers = {p.id: p.person.identifiers[0].value for p in registry.patients.values()}
    found = registry.changes().observations
    return {numbers[row.patient_id]: replace(row, patient_id=NOBODY) for row in found}


def one(*reports):
    (row,) = rows(*reports).values()
    return row


def test_a_preliminary_one_becomes_final_then_corrected_then_is_taken_back():
    told = (report("P", 1, 5.0), report("F", 2), report("C", 3, 5.1), report("W", 4, None))
    assert one(*told[:1]).state is ObservationState.PRELIMINARY
    assert (one(*told[:2]).state, one(*told[:2]).criticality) == (
        ObservationState.FINAL,
        Criticality.HIGH,
    )
    assert (one(*told[:3]).state, one(*told[:3]).criticality) == (ObservationState.CORRECTED, None)
    # What it said stays to be seen: a withdrawal does not say it anew.
    assert (one(*told).state, one(*told).content.value) == (
        ObservationState.ENTERED_IN_ERROR,
        "5.1",
    )


def test_every_order_of_them_ends_the_same():
    told = (report("P", 1, 5.0), report("F", 2), report("C", 3, 5.1), report("W", 4, None))
    last = one(*told)
    assert all(one(*order) == last for order in permutations(told))


def test_what_comes_late_changes_nothing_and_what_repeats_neither():
    final = report("F", 2)
    registry = record([report("C", 3, 5.1)])
    before = registry.results.rows.copy()
    assert registry.apply(final).reason == "NOTHING_NEW"
    assert registry.results.rows == before
    assert registry.apply(final) is None
    again = replace(final, source=source("R01", 2, "another control id"))
    assert registry.apply(again).outcome is Outcome.NO_OP


def test_a_status_without_a_value_leaves_the_value():
    after = one(report("P", 1, 6.8), report("U", 2, None))
    assert (after.state, after.content.quantity) == (ObservationState.FINAL, 6.8)
    assert one(report("X", 1, None)).state is ObservationState.CANCELLED


def test_one_that_is_told_of_somebody_else_was_posted_to_the_first_in_error():
    found = rows(report("F", 1), report("F", 2, person=OTHER))
    assert found["1"].state is ObservationState.ENTERED_IN_ERROR
    assert found["2"].state is ObservationState.FINAL
    assert found["1"].id != found["2"].id
    # It was the first one's after all: what was taken back of the second leaves it with the first.
    back = rows(report("F", 1), report("F", 2, person=OTHER), report("W", 3, None, person=OTHER))
    assert back["1"].state is ObservationState.FINAL
    assert back["2"].state is ObservationState.ENTERED_IN_ERROR


def test_a_merge_takes_results_along():
    merge = Merge(survivor=Person(identifiers=(number("1"),)), retired=(number("2"),))
    joined = MergeReport(source=source("A40", 3, "joined"), merges=(merge,))
    told = [report("F", 1), report("F", 2, person=OTHER, number="F-2"), joined]
    registry = record(told)
    owners = {row.patient_id for row in registry.changes().observations}
    assert len(owners) == 1
    corrected = continued(registry, [report("C", 4, 4.4, person=OTHER, number="F-2")])
    assert len(corrected.results.rows) == 2


STEPS = st.builds(
    report,
    st.sampled_from("IPFCUXDW"),
    st.integers(1, 3),
    st.sampled_from([None, 2.1, 5.0, 6.8]),
    person=st.sampled_from([jane(number("1")), OTHER]),
    sent=st.sampled_from([(), ("HIV",), ("N",)]),
)


@settings(max_examples=250, deadline=None)
@given(shuffled(st.lists(STEPS, max_size=8)))
def test_any_order_and_repetition_ends_in_the_same_results(orders):
    first, second = orders
    assert rows(*first) == rows(*second)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=8), st.integers(0, 8))
def test_what_is_loaded_and_saved_in_between_makes_no_difference(told, cut):
    in_one = record(told).results.rows.values()
    in_two = continued(record(told[:cut]), told[cut:]).results.rows.values()
    known = [
        {r.id: replace(r, version=1, patient_id=NOBODY) for r in rows} for rows in (in_one, in_two)
    ]
    assert known[0] == known[1]


def test_labels_come_from_the_code_the_sender_and_the_feed_and_stay():
    assert one(report()).labels == (Label.NORMAL,)
    assert one(report(code="25836-8")).labels == (Label.HIV,)
    assert one(report(sent=("HIV",)), report("C", 2, 5.0)).labels == (Label.HIV,)
    assert one(report(provenance=Provenance(is_part2_program=True))).labels == (Label.PART2,)
    assert one(report(provenance=Provenance(sends_labels=True))).labels == (Label.WITHHELD,)
    # A code of no system is no diagnosis.
    assert one(report(code="F10", code_system="")).labels == (Label.NORMAL,)


def test_what_a_minor_decides_alone_about_says_so():
    teenager = jane(number("1"), birth_on="2011-04-30")
    assert one(report(code="25836-8", person=teenager)).labels == (
        Label.HIV,
        Label.MINOR_CONFIDENTIAL,
    )
    assert one(report(person=teenager)).labels == (Label.NORMAL,)


def test_newer_value_sets_add_labels_and_take_none_away():
    def relabel(labels, code="25836-8", born_on=""):
        row = replace(one(report(code=code)), labels=labels, label_version=0)
        (after,) = relabel_results([row], {row.patient_id: born_on})
        assert (after.version, after.label_version) == (row.version + 1, VERSION)
        return after.labels

    assert relabel((Label.NORMAL,)) == (Label.HIV,)
    assert relabel((Label.NORMAL,), born_on="2011-04-30") == (Label.HIV, Label.MINOR_CONFIDENTIAL)
    assert relabel((Label.PART2,), code="2823-3") == (Label.PART2,)
    assert relabel((Label.WITHHELD,)) == (Label.WITHHELD,)
    assert relabel((Label.HIV, Label.MINOR_CONFIDENTIAL)) == (Label.HIV,)


@pytest.mark.parametrize(
    ("code", "quantity", "unit", "flags", "expected"),
    [
        ("2823-3", 6.2, "mmol/L", (), None),
        ("2823-3", 6.3, "mmol/L", (), Criticality.HIGH),
        ("2823-3", 2.8, "mEq/L", (), None),
        ("2823-3", 2.7, "mEq/L", (), Criticality.LOW),
        ("2823-3", 6.3, "mg/dL", (), None),
        ("2823-3", 6.3, "", (), None),
        ("2951-2", 119, "mmol/L", (), Criticality.LOW),
        ("2345-7", 451, "mg/dL", (), Criticality.HIGH),
        ("17861-6", 6.4, "mg/dL", (), Criticality.LOW),
        ("718-7", 6.9, "g/dL", (), Criticality.LOW),
        ("777-3", 19, "10*3/uL", (), Criticality.LOW),
        ("6690-2", 50.1, "10*9/L", (), Criticality.HIGH),
        ("6301-6", 5.1, "", (), Criticality.HIGH),
        ("2524-7", 4.1, "mmol/L", (), Criticality.HIGH),
        ("2823-3", 6.8, "mmol/L", ("AA",), Criticality.HIGH),
        ("X", None, "", ("AA",), Criticality.ABNORMAL),
        ("X", 1, "", ("LL",), Criticality.LOW),
        ("X", 1, "", ("H", "A", "N"), None),
        ("2823-3", None, "mmol/L", (), None),
    ],
)
def test_what_is_critical(code, quantity, unit, flags, expected):
    assert judge("LN", code, quantity, unit, flags) is expected
    if not flags:
        assert judge("L", code, quantity, unit, flags) is None


@pytest.mark.parametrize(
    ("code", "comparator", "quantity", "expected"),
    [
        ("2345-7", ">", 450, Criticality.HIGH),
        ("2345-7", ">", 600, Criticality.HIGH),
        ("2345-7", ">=", 450, None),
        ("2345-7", ">=", 451, Criticality.HIGH),
        ("2345-7", "<", 45, Criticality.LOW),
        ("2345-7", "<=", 45, None),
        ("2345-7", "<=", 44, Criticality.LOW),
        # All that is known is on which side it lies: it may be ordinary.
        ("2345-7", ">", 449, None),
        ("2345-7", ">", 20, None),
        ("2345-7", "<", 600, None),
    ],
)
def test_of_a_bound_all_that_lies_beyond_has_to_be_critical(code, comparator, quantity, expected):
    assert judge("LN", code, quantity, "mg/dL", (), comparator) is expected
    said = {"code": code, "unit": "mg/dL", "flags": (), "comparator": comparator}
    assert one(report(value=quantity, **said)).criticality is expected


def test_the_facts_of_an_instant_are_kept_to_the_instant():
    assert one(report("F", 1, observed_at=at(1) - timedelta(hours=1))).listed_at == at(0)
