"""What ORU messages say of results of a laboratory."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from libs.conveyor import outbox
from services.interop.convert import report_to_proto
from services.interop.domain.classify import classify
from services.interop.domain.message import Message, MessageState
from services.interop.domain.trial import explain
from tests.unit.interop.conftest import (
    FACILITY,
    NOW,
    PID,
    SAMPLES,
    anybody,
    message,
    needs_samples,
    report_of,
    verdict_on,
)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fields(name, count, values, defaults):
    out = [name] + [""] * count
    for key, value in {**defaults, **values}.items():
        out[int(key.lstrip("f"))] = value
    return "|".join(out).rstrip("|")


def obr(**values):
    return fields(
        "OBR", 25, values, {"f3": "F-1", "f4": "BMP^Basic panel^L", "f7": "20260901020000"}
    )


def obx(value="6.8", **values):
    defaults = {
        "f2": "NM", "f3": "2823-3^Potassium^LN", "f5": value, "f6": "mmol/L", "f7": "3.5-5.1", "f8": "HH", "f11": "F",
    }  # fmt: skip
    return fields("OBX", 23, values, defaults)


def oru(*segments, **values):
    raw = message(PID, *segments, trigger="R01", **values)
    return raw.replace(b"ADT^R01", b"ORU^R01")


def results(*segments, **values):
    return report_of(oru(*segments, **values)).observations


def test_a_number_with_its_unit_range_flag_and_state():
    report = report_of(
        oru(
            obr(f16="77^QUILL^ADA", f22="20260901023000"), obx(f14="20260901021500", f23="MAIN LAB")
        )
    )
    (said,) = report.observations
    assert (said.number, said.code_system, said.code, said.name) == (
        "F-1",
        "LN",
        "2823-3",
        "Potassium",
    )
    assert (said.value, said.quantity, said.unit) == ("6.8", 6.8, "mmol/L")
    assert (said.reference_range, said.flags, said.status) == ("3.5-5.1", ("HH",), "F")
    assert (said.panel, said.orderer, said.laboratory) == ("Basic panel", "ADA QUILL", "MAIN LAB")
    assert (said.observed_at, said.reported_at) == (at("2026-09-01T07:15"), at("2026-09-01T07:30"))
    assert report.person.identifiers[0].value == "12345"
    assert report.visit is None


@pytest.mark.parametrize(
    ("kind", "sent", "value", "quantity"),
    [
        ("NM", "6.80", "6.80", 6.8),
        ("NM", "-1.5e3", "-1.5e3", -1500.0),
        ("NM", ">100", ">100", 100.0),
        ("NM", "nan", "nan", None),
        ("NM", "9" * 40, "9" * 40, None),
        ("SN", "^6.8", "6.8", 6.8),
        ("SN", ">^100", "> 100", 100.0),
        ("SN", "^1^:^128", "1:128", None),
        ("SN", "^2^-^4", "2-4", None),
        ("SN", "<>^100", "<> 100", None),
        ("SN", "about^100", "about 100", None),
        ("ST", "6.90", "6.90", 6.9),
        ("ST", ">450", ">450", 450.0),
        ("ST", ">= 450", ">= 450", 450.0),
        ("ST", "<0.01", "<0.01", 0.01),
        ("ST", "> high", "> high", None),
        ("ST", ">", ">", None),
        ("ST", "6.9 (hemolyzed)", "6.9 (hemolyzed)", None),
        ("ST", "6.9~7.2", "6.9\n7.2", None),
        ("TX", "6.9", "6.9", None),
        ("ST", "Positive \\T\\ repeated", "Positive & repeated", None),
        ("TX", "First~Second", "First\nSecond", None),
        ("FT", "A\\.br\\B", "A\nB", None),
        ("CE", "POS^Positive^L", "Positive", None),
        ("CWE", "POS~NEG^Negative^L", "POS\nNegative", None),
        ("CWE", "^^^^^^^^Seen by eye", "Seen by eye", None),
        ("DT", "20260901", "2026-09-01", None),
        ("TM", "0815", "08:15", None),
        ("TS", "202609010815", "2026-09-01 08:15", None),
        ("ED", "^^^Base64^QUJD", "", None),
        ("ZZ", "as it is", "as it is", None),
        ("NM", "", "", None),
        ("NM", '""', "", None),
    ],
)
def test_each_type_reads_as_one_would_write_it(kind, sent, value, quantity):
    (said,) = results(obr(), obx(sent, f2=kind))
    assert (said.value, said.quantity) == (value, quantity)


@pytest.mark.parametrize(
    ("kind", "sent", "comparator"),
    [
        ("SN", ">^450", ">"),
        ("SN", "<=^2.8", "<="),
        ("SN", "=^6.8", ""),
        ("SN", "^6.8", ""),
        ("SN", ">^1^:^128", ""),
        ("ST", ">450", ">"),
        ("ST", "<= 2.8", "<="),
        ("ST", "> high", ""),
        ("NM", "<2.8", "<"),
        ("NM", "6.8", ""),
    ],
)
def test_a_bound_is_told_from_the_number_itself(kind, sent, comparator):
    (said,) = results(obr(), obx(sent, f2=kind))
    assert said.comparator == comparator


@pytest.mark.parametrize(
    ("sent", "code", "name", "system"),
    [
        ("K^Potassium^L^2823-3^K SerPl^LN", "2823-3", "Potassium", "LN"),
        ("K^^L^2823-3^K SerPl^LN", "2823-3", "K SerPl", "LN"),
        ("2823-3^Potassium^LN^K^Kalium^L", "2823-3", "Potassium", "LN"),
        ("^^^2823-3^K SerPl^LN", "2823-3", "K SerPl", "LN"),
        ("^^^K^Kalium^99LAB", "K", "Kalium", "99LAB"),
        ("K^Potassium^L^77^Kalium^99LAB", "K", "Potassium", "L"),
        ("K^Potassium^L^^K SerPl^LN", "K", "Potassium", "L"),
        ("K^Potassium^L^77^Kalium^99LAB^^^^2823-3^K SerPl^LN", "2823-3", "Potassium", "LN"),
        ("^Potassium", "Potassium", "Potassium", ""),
        ("K", "K", "K", ""),
    ],
)
def test_loinc_names_the_test_wherever_it_stands(sent, code, name, system):
    (said,) = results(obr(), obx(f3=sent))
    assert (said.code, said.name, said.code_system) == (code, name, system)


def test_several_orders_and_results_each_with_its_remarks():
    told = results(
        "ORC|RE|P-1|F-9", obr(f3=""), obx(), "NTE|1||Called.", "NTE|2||Read back.", obx("140", f3="2951-2^Sodium^LN", f8=""),
        "SPM|1", "NTE|1||Of the specimen.", obr(f3="F-2"), obx("12.1", f3="718-7^Hemoglobin^LN", f8="N", f11="P"),
    )  # fmt: skip
    assert [(each.number, each.code, each.status) for each in told] == [
        ("F-9", "2823-3", "F"), ("F-9", "2951-2", "F"), ("F-2", "718-7", "P"),
    ]  # fmt: skip
    assert [each.note for each in told] == ["Called.\nRead back.", "", ""]


def test_lines_of_one_text_are_one_result_and_numbers_named_alike_stay_apart():
    text = {"f2": "TX", "f3": "REPORT^Report^L", "f8": ""}
    told = results(obr(), obx("Line one", **text), obx("Line two", **text), obx("6.8"), obx("2.1", f8="LL"), obx("5", f8=""))  # fmt: skip
    assert [(each.value, each.sub_id) for each in told] == [
        ("Line one\nLine two", ""), ("6.8", ""), ("2.1", "#2"), ("5", "#3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # What the second line is flagged with is not lost, and the gravest comes first.
        ((("High", "H"), ("Called to 3 West", "HH")), [("High\nCalled to 3 West", None, ("HH", "H"))]),
        ((("Normal", "N"), ("Blasts", "A")), [("Normal\nBlasts", None, ("A",))]),
        ((("Normal", "N"), ("So it is", "N")), [("Normal\nSo it is", None, ("N",))]),
        # The number among the lines is the result's, wherever it stands; two numbers are two results.
        ((("6.9", "HH"), ("Hemolyzed", "")), [("6.9\nHemolyzed", 6.9, ("HH",))]),
        ((("Hemolyzed", ""), (">6.9", "HH")), [("Hemolyzed\n>6.9", 6.9, ("HH",))]),
        ((("6.9", ""), ("Once more", ""), ("7.2", "HH")), [("6.9\nOnce more", 6.9, ()), ("7.2", 7.2, ("HH",))]),
    ],
)  # fmt: skip
def test_lines_of_one_text_lose_neither_flag_nor_number(lines, expected):
    told = results(obr(), *(obx(value, f2="ST", f8=flags) for value, flags in lines))
    assert [(each.value, each.quantity, each.flags) for each in told] == expected


def test_the_number_among_lines_comes_with_its_unit_and_what_is_usual():
    (said,) = results(obr(), obx("Hemolyzed", f2="ST", f6="", f7="", f8=""), obx(">6.9", f2="ST"))
    assert (said.comparator, said.unit, said.reference_range) == (">", "mmol/L", "3.5-5.1")


def test_the_order_speaks_for_results_without_a_status_and_some_say_that_there_is_none():
    assert [each.status for each in results(obr(f25="C"), obx(f11=""))] == ["C"]
    assert results(obr(), obx(f11="N"), obx(f11="O", f3="X^Other^L")) == ()


def test_nothing_is_reported_later_than_its_message_was_made():
    (said,) = results(obr(f22="20260901180000"), obx())
    assert said.reported_at == at("2026-09-01T15:00")
    (said,) = results(obr(), obx())
    assert said.reported_at == at("2026-09-01T15:00")


MANY = [obx(f4=str(n)) for n in range(1000)]


@pytest.mark.parametrize(
    ("segments", "reason", "place"),
    [
        ((), "ORDER_MISSING", "OBR"),
        ((obr(f3=""), obx()), "RESULT_NUMBER_MISSING", "OBR-3"),
        ((obr(), obx(f11="")), "RESULT_STATUS_MISSING", "OBX-11"),
        ((obr(), obx(f11="Q")), "RESULT_STATUS_UNKNOWN", "OBX-11"),
        ((obr(), obx(f3="")), "RESULT_CODE_MISSING", "OBX-3"),
        ((obr(), obx(f14="yesterday")), "TIME_UNREADABLE", "OBX-14"),
        ((obr(f22="20291231"), obx()), "TIME_IN_FUTURE", "OBR-22"),
        ((obr(), *(obx(f4=str(n)) for n in range(1001))), "REPORT_TOO_LONG", "OBX"),
        ((obr(), obx("x" * 300_000, f2="TX")), "REPORT_TOO_LONG", "OBX"),
        ((obr(), obx("腎" * 240_000, f2="TX")), "REPORT_TOO_LONG", "OBX"),
        ((obr(f4="1^" + "x" * 900), *MANY), "REPORT_TOO_LONG", "OBX"),
        ((obr(f16="1^" + "x" * 900), *MANY), "REPORT_TOO_LONG", "OBX"),
        ((obr(), *(obx(f4=str(n), f7="x" * 900) for n in range(1000))), "REPORT_TOO_LONG", "OBX"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_what_is_wrong(segments, reason, place):
    verdict = verdict_on(oru(*segments))
    assert (verdict.state, verdict.reason) == (MessageState.QUARANTINED, reason)
    assert verdict.explanation.startswith(f"{place}: ")
    assert "6.8" not in verdict.explanation
    assert all(problem.mend for problem in verdict.problems)


@pytest.mark.parametrize(
    "segments",
    [
        (obr(f4="1^" + "x" * 500, f16="1^" + "腎" * 50), *MANY[:800]),
        (obr(), obx("腎" * 80_000, f2="TX"), obx("x" * 180_000, f2="TX", f4="2")),
    ],
)
def test_what_is_reported_is_little_enough_to_be_told(segments):
    verdict = verdict_on(oru(*segments))
    assert verdict.report
    told = report_to_proto(verdict.report, stored(verdict)).SerializeToString()
    assert 300_000 < len(told) < outbox.LARGEST


def stored(verdict):
    """The message as it is kept."""
    return Message(
        id=UUID(int=1),
        feed_id=UUID(int=2),
        facility_id=FACILITY,
        sending_application="LAB",
        control_id=verdict.control_id,
        content_hash=verdict.content_hash,
        event_type=verdict.event_type,
        received_at=NOW,
        message_at=NOW,
        state=verdict.state,
    )


def test_no_problem_and_no_note_says_a_value():
    verdict = verdict_on(oru(obr(), obx("Canary", f2="NM"), obx("Canary", f2="ZZ"), obx("Canary", f11="Q"), obx("Canary", f14="Canary")))  # fmt: skip
    said = [*(p.explanation + p.mend for p in verdict.problems), *(n.text for n in verdict.notes)]
    assert said
    assert not any("Canary" in each for each in said)


def test_a_trial_says_it_in_words():
    raw = oru(obr(), obx())
    trial = explain(raw, verdict_on(raw))
    words = [line for segment in trial.segments for line in segment.readings]
    assert "Ordered: Basic panel" in words
    assert "Result: Potassium: 6.8 mmol/L, flag HH, status F" in words
    assert any("1 result" in effect for effect in trial.effects)


@needs_samples
@pytest.mark.parametrize("name", ["LAB-ORU-1", "ORU-R01-01"])
def test_samples_are_read(name):
    raw = (SAMPLES / f"{name}.hl7").read_bytes()
    raw = raw.replace(b"|SomeSystem||", b"|SomeSystem|LAB|").replace(b"|T|2.5", b"|P|2.5")
    verdict = classify(raw, anybody, NOW)
    assert verdict.fault is None
    assert verdict.state in (MessageState.PENDING, MessageState.QUARANTINED)
    if name == "LAB-ORU-1":
        assert len(verdict.report.observations) == 10
        assert {each.status for each in verdict.report.observations} == {"I", "P", "F"}
