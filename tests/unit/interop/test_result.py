"""What ORU messages say of results of a laboratory."""

from datetime import UTC, datetime

import pytest

from services.interop.domain.classify import classify
from services.interop.domain.message import MessageState
from services.interop.domain.trial import explain
from tests.unit.interop.conftest import (
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
        ("NM", ">100", ">100", None),
        ("NM", "nan", "nan", None),
        ("NM", "9" * 40, "9" * 40, None),
        ("SN", "^6.8", "6.8", 6.8),
        ("SN", ">^100", "> 100", 100.0),
        ("SN", "^1^:^128", "1:128", None),
        ("SN", "^2^-^4", "2-4", None),
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


def test_the_order_speaks_for_results_without_a_status_and_some_say_that_there_is_none():
    assert [each.status for each in results(obr(f25="C"), obx(f11=""))] == ["C"]
    assert results(obr(), obx(f11="N"), obx(f11="O", f3="X^Other^L")) == ()


def test_nothing_is_reported_later_than_its_message_was_made():
    (said,) = results(obr(f22="20260901180000"), obx())
    assert said.reported_at == at("2026-09-01T15:00")
    (said,) = results(obr(), obx())
    assert said.reported_at == at("2026-09-01T15:00")


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
    ],
)
def test_what_cannot_be_read_is_set_aside_with_what_is_wrong(segments, reason, place):
    verdict = verdict_on(oru(*segments))
    assert (verdict.state, verdict.reason) == (MessageState.QUARANTINED, reason)
    assert verdict.explanation.startswith(f"{place}: ")
    assert "6.8" not in verdict.explanation
    assert all(problem.mend for problem in verdict.problems)


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
