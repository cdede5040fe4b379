"""A pasted list, read into medicines; and what no list may have."""

import pytest

from libs.chassis.errors import InvalidArgument
from services.careplans.domain.medicine import (
    MOST_LINES,
    MOST_TEXT,
    Medicine,
    check_medicines,
    parse_medicines,
)

LINES = [
    ("Furosemide 20 mg once a day", "Furosemide", "20 mg", "once a day"),
    ("  - Lisinopril 10mg daily  ", "Lisinopril", "10mg", "daily"),
    ("3) Metoprolol succinate ER 50 mg PO BID", "Metoprolol succinate ER", "50 mg", "PO BID"),
    ("Sacubitril/valsartan 24/26 mg twice a day", "Sacubitril/valsartan", "24/26 mg", "twice a day"),
    ("Aspirin\t81 mg\tdaily", "Aspirin", "81 mg", "daily"),
    ("Aspirin; 81 mg; daily", "Aspirin", "81 mg", "daily"),
    ("Aspirin | 81 mg | daily", "Aspirin", "81 mg", "daily"),
    ("Aspirin, 81 mg, daily", "Aspirin", "81 mg", "daily"),
    ("Warfarin daily", "Warfarin", "", "daily"),
    ("Warfarin", "Warfarin", "", ""),
    ("Vitamin D3 1,000 units daily", "Vitamin D3", "1,000 units", "daily"),
    ("Levothyroxine 1/2 tablet every morning", "Levothyroxine", "1/2 tablet", "every morning"),
    ("Albuterol 2 puffs every 4-6 hours as needed", "Albuterol", "2 puffs", "every 4-6 hours as needed"),
    ("Amoxicillin 250 mg/5 ml three times a day", "Amoxicillin", "250 mg/5 ml", "three times a day"),
    ("Ibuprofen 400 mg when in pain", "Ibuprofen", "400 mg", "when in pain"),
    ("20 mg", "20 mg", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "name", "dose", "frequency"), LINES)
def test_a_line_is_read(line, name, dose, frequency):
    assert parse_medicines(line) == (Medicine(name=name, dose=dose, frequency=frequency),)


@pytest.mark.parametrize("line", [each[0] for each in LINES])
def test_no_word_of_a_line_is_lost(line):
    (medicine,) = parse_medicines(line)
    kept = f"{medicine.name} {medicine.dose} {medicine.frequency}"
    words = [w.strip(",;|-") for w in line.split() if not w.rstrip(".)").isdigit() or w.isdigit()]
    assert [w for w in words if w and w not in kept] == []


def test_empty_lines_are_none():
    assert parse_medicines("\n  \nAspirin 81 mg daily\n\n") == (
        Medicine(name="Aspirin", dose="81 mg", frequency="daily"),
    )
    assert parse_medicines("  ") == ()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Medicine(name="  "), "MEDICINE_NAMELESS"),
        (Medicine(name="x" * 201), "MEDICINE_TOO_LONG"),
        (Medicine(name="Aspirin", dose="x" * 101), "MEDICINE_TOO_LONG"),
        (Medicine(name="Aspirin", rxnorm="12a"), "RXNORM_INVALID"),
    ],
)
def test_what_no_list_may_have(told, reason):
    with pytest.raises(InvalidArgument) as caught:
        check_medicines([told])
    assert caught.value.reason == reason


def test_a_list_has_an_end():
    with pytest.raises(InvalidArgument):
        check_medicines([Medicine(name="Aspirin")] * (MOST_LINES + 1))
    with pytest.raises(InvalidArgument):
        parse_medicines("x" * (MOST_TEXT + 1))
