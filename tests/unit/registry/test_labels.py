"""Labels where data enters: by value set, by provenance, and inherited."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.labels import (
    INGREDIENT,
    SENT,
    VALUE_SETS,
    Label,
    Provenance,
    inherit,
    label,
)

PROGRAM = Provenance(is_part2_program=True)
LABELING = Provenance(sends_labels=True)
HOSPITAL = Provenance()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("F11.20", Label.SUD),
        ("F10", Label.SUD),
        ("f1920", Label.SUD),
        ("F17.210", Label.NORMAL),
        ("Z71.41", Label.SUD),
        ("Z71.51", Label.SUD),
        ("Z71.3", Label.NORMAL),
        ("F20.0", Label.MENTAL_HEALTH),
        ("F99", Label.MENTAL_HEALTH),
        ("F09", Label.NORMAL),
        ("B20", Label.HIV),
        ("Z21", Label.HIV),
        ("Z20", Label.NORMAL),
        ("T74.11XA", Label.VIOLENCE),
        ("T76", Label.VIOLENCE),
        ("T75", Label.NORMAL),
        ("Y07.01", Label.VIOLENCE),
        ("A54.9", Label.STD),
        ("A64", Label.STD),
        ("A65", Label.NORMAL),
        ("O80", Label.REPRODUCTIVE),
        ("Z30.09", Label.REPRODUCTIVE),
        ("Z40", Label.NORMAL),
        ("I50.9", Label.NORMAL),
        ("E11", Label.NORMAL),
        ("", Label.NORMAL),
    ],
)
def test_codes_are_labeled_by_value_set(code, expected):
    assert label([("ICD10CM", code)], HOSPITAL) == {expected}


def test_a_code_of_another_system_says_something_else():
    assert label([("SNOMED", "F11.20")], HOSPITAL) == {Label.NORMAL}
    assert label([(INGREDIENT, "buprenorphine / naloxone")], HOSPITAL) == {Label.SUD}


def test_a_row_has_every_label_of_its_codes():
    codes = [("ICD10CM", "F11.20"), ("ICD10CM", "I50.9"), ("ICD10CM", "B20")]
    assert label(codes, HOSPITAL) == {Label.SUD, Label.HIV}


def test_part_2_comes_from_the_program_and_never_from_a_diagnosis():
    assert label([("ICD10CM", "F11.20")], HOSPITAL) == {Label.SUD}
    assert label([("ICD10CM", "F11.20")], PROGRAM) == {Label.SUD, Label.PART2}
    assert label([], PROGRAM) == {Label.PART2}
    assert label([], PROGRAM, is_clinical=False) == {Label.PART2}
    assert label([("ICD10CM", "I10")], HOSPITAL, sent=["42CFRPart2"]) == {Label.PART2}


def test_what_the_sender_labels_stays_labeled():
    assert label([], HOSPITAL, sent=["R", "HIV"]) == {Label.HIV}
    assert label([], HOSPITAL, sent=["PSYTHPN"]) == {Label.COUNSELING_NOTES}
    assert label([], HOSPITAL, sent=["N"]) == {Label.NORMAL}
    assert label([("ICD10CM", "B20")], HOSPITAL, sent=["N"]) == {Label.HIV}
    assert label([], HOSPITAL, sent=["DRG"]) == {Label.SUD}
    assert label([], HOSPITAL, sent=["NO"]) == {Label.NORMAL}
    assert "ALC" not in SENT


def test_an_unlabeled_clinical_row_of_a_labeling_feed_stays_at_home():
    assert label([], LABELING) == {Label.WITHHELD}
    assert label([("ICD10CM", "B20")], LABELING) == {Label.WITHHELD}
    assert label([], LABELING, sent=["ALC"]) == {Label.WITHHELD}
    assert label([], LABELING, sent=["N"]) == {Label.NORMAL}
    assert label([], LABELING, sent=["HIV"]) == {Label.HIV}
    assert label([], LABELING, is_clinical=False) == {Label.NORMAL}


@pytest.mark.parametrize("code", ["R", "V", "SMD", "ALL", "OO", "ALC", "?"])
def test_what_is_restricted_in_a_way_that_nobody_can_read_stays_at_home(code):
    assert label([], HOSPITAL, sent=[code]) == {Label.WITHHELD}
    assert label([], HOSPITAL, sent=[code, "SUD"]) == {Label.SUD}


def test_what_is_made_of_rows_is_as_sensitive_as_all_of_them():
    normal, hiv, part2 = ({one} for one in (Label.NORMAL, Label.HIV, Label.PART2))
    rows = [frozenset(row) for row in (normal, hiv, part2)]
    assert inherit(*rows) == {Label.HIV, Label.PART2}
    assert inherit(rows[0], rows[0]) == {Label.NORMAL}
    assert inherit(rows[1], frozenset({Label.WITHHELD})) == {Label.WITHHELD}
    assert inherit() == {Label.WITHHELD}
    assert inherit(rows[0], frozenset()) == {Label.WITHHELD}


def test_every_value_set_names_its_source():
    assert all(values.source for values in VALUE_SETS)
    assert {values.label for values in VALUE_SETS} <= set(Label)


@given(
    st.lists(st.tuples(st.sampled_from(["ICD10CM", INGREDIENT, ""]), st.text(max_size=6))),
    st.builds(Provenance, is_part2_program=st.booleans(), sends_labels=st.booleans()),
    st.sets(st.sampled_from([*SENT, "N", "R", "V", "ALC"])),
    st.booleans(),
)
def test_no_row_is_ever_without_a_label(codes, provenance, sent, is_clinical):
    labels = label(codes, provenance, sent=sent, is_clinical=is_clinical)
    assert labels
    assert len(labels) == 1 or not labels & {Label.NORMAL, Label.WITHHELD}
    assert not provenance.is_part2_program or Label.PART2 in labels
