"""What the watch of the run would see, and what it takes for a coincidence."""

from collections import Counter, defaultdict
from uuid import UUID, uuid4

import pytest

from tests.watch.health import COLUMNS, OUTPUTS, phrases, sought
from tests.watch.tally import Tally
from tests.watch.watch import Answer, Said, count, search, with_patient_data

FACTS = """{"names": {"k": {"value": {"family": "O'Brien-Quist", "given": ["Ida", "Marisol"]}, "stamp": "2026"}},
 "single": {"sex": {"value": "FEMALE"}, "birth_date": {"value": "1980-04-30"}},
 "telecoms": {"k": {"value": {"value": "+1 (602) 555-0103"}}},
 "addresses": {"k": {"value": {"lines": ["12 Xylograph Lane"], "city": "Springfield"}}}}"""
RAW = b"MSH|^~\\&|EHR|MERCY\rPID|1||QV77^^^MERCY^MR||VANTERPOOL^JO||19330719\rNTE|1||Was seen to stumble\r"


@pytest.mark.parametrize(
    "text",
    [
        "patient OBRIEN-QUIST o'brien-quist",
        "Marisol",
        "born 1980-04-30",
        "born=19800430",
        "(602) 555-0103",
        "to 6025550103",
        "/v1/patients?street=12%20Xylograph%20Lane",
        "carehub.registry.PatientChanged.VANTERPOOL",
        'labels{mrn="QV77"}',
        "1933-07-19",
        "he was seen to fall",
    ],
)
def test_it_sees(text):
    tally = Tally()
    told = [("registry.patients.facts", FACTS), ("interop.messages.raw", RAW)]
    search(tally, sought(told), [Said("a test", "logs", text)])
    assert tally.found
    assert not tally.is_good


@pytest.mark.parametrize(
    "text", ["", "Ida", "JO", "FEMALE", "Springfield", "1980-04-31", "seen to", "MERCY", "2026"]
)
def test_it_takes_for_a_coincidence(text):
    tally = Tally()
    told = [("registry.patients.facts", FACTS), ("interop.messages.raw", RAW)]
    search(tally, sought(told), [Said("a test", "logs", text)])
    assert tally.found == []


def test_every_service_is_watched():
    from services.__main__ import SERVICES

    assert set(COLUMNS) == set(OUTPUTS) == set(SERVICES)


PATIENT, OTHER = uuid4(), uuid4()


def counted(answers, rows):
    """(answers with patient data, rows, findings) of answers to one call, given the patients of its rows."""
    tally, call = Tally(), ("/a/Get", "1")
    given = [Answer("a test", "a", *call, " ".join(map(str, ids)).encode()) for ids in answers]
    kept = defaultdict[tuple[str, str], list[set[UUID]]](list, {call: [set(row) for row in rows]})
    told = with_patient_data(given, {PATIENT, OTHER}, {"vanterpool"})
    count(tally, told, kept, Counter({call: len(answers)}))
    return tally.answers, tally.rows, len(tally.found)


@pytest.mark.parametrize(
    ("answers", "rows", "expected"),
    [
        ([[PATIENT]], [[PATIENT]], (1, 1, 0)),
        ([[PATIENT]], [[PATIENT, OTHER]], (1, 1, 0)),
        ([[uuid4()]], [], (0, 0, 0)),
        ([["Vanterpool"]], [[]], (1, 1, 0)),
        ([["Vanterpool"]], [], (1, 0, 1)),
        ([[PATIENT]], [], (1, 0, 1)),
        ([[PATIENT]], [[]], (1, 0, 1)),
        ([[PATIENT, OTHER]], [[PATIENT]], (1, 0, 1)),
        ([[PATIENT], [PATIENT]], [[PATIENT]], (2, 1, 1)),
        ([[PATIENT], [PATIENT, OTHER]], [[PATIENT, OTHER], [PATIENT]], (2, 2, 0)),
        ([[PATIENT]], [[PATIENT], [PATIENT]], (1, 2, 1)),
    ],
)
def test_each_answer_with_patient_data_has_a_row_of_its_own(answers, rows, expected):
    assert counted(answers, rows) == expected


def test_a_text_is_read_by_its_words():
    assert phrases("Jo_Ann%20Smith, 7") == {"jo", "ann", "smith", "7", "jo ann", "ann smith", "smith 7", "jo ann smith", "ann smith 7"}  # fmt: skip
