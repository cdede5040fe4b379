"""What SIU messages say of an appointment."""

from datetime import UTC, datetime

import pytest

from services.interop.domain.classify import classify
from services.interop.domain.message import MessageState
from services.interop.domain.trial import explain
from tests.unit.interop.conftest import (
    NOW,
    PID,
    PV1,
    SAMPLES,
    anybody,
    message,
    needs_samples,
    report_of,
    verdict_on,
)

AIL = "AIL|1|A|CLINIC^3^B^|||20260910090000|||20|min"
AIP = "AIP|1|A|77^QUILL^ADA^^JR"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def sch(**fields):
    out = ["SCH"] + [""] * 26
    for key, value in {"f2": "A-1", "f25": "Booked"}.items():
        fields.setdefault(key, value)
    for key, value in fields.items():
        out[int(key.lstrip("f"))] = value
    return "|".join(out).rstrip("|")


def siu(*segments, trigger="S12", **fields):
    raw = message(*segments, PID, trigger=trigger, **fields)
    return raw.replace(f"ADT^{trigger}".encode(), f"SIU^{trigger}".encode())


def appointment_of(*segments, **fields):
    return report_of(siu(*segments, **fields)).appointment


TIMED = {"f11": "^^30^20260910090000^20260910093000"}


def test_a_booking():
    told = report_of(siu(sch(f1="P-1", f7="FU^Follow-up", **TIMED), "RGS|1|A", AIL, AIP))
    said = told.appointment
    assert (said.number, said.status, said.reason) == ("A-1", "BOOKED", "Follow-up")
    assert (said.starts_at, said.ends_at) == (at("2026-09-10T14:00"), at("2026-09-10T14:30"))
    assert (said.practitioner, said.location) == ("ADA QUILL JR", "CLINIC^3^B")
    assert told.event_at == at("2026-09-01T15:00")
    assert told.person.identifiers[0].value == "12345"
    assert told.visit is None
    assert appointment_of(sch(f2="", f1="P-1", **TIMED)).number == "P-1"


@pytest.mark.parametrize(
    ("segments", "begins", "ends"),
    [
        ((sch(f11="^^^20260910090000", f9="20", f10="min"),), "14:00", "14:20"),
        ((sch(f11="^^^20260910090000", f9="1", f10="H^hour"),), "14:00", "15:00"),
        ((sch(f11="^^^20260910090000", f9="1200", f10="s"),), "14:00", "14:20"),
        ((sch(f11="^^^20260910090000", f9="a while"),), "14:00", None),
        ((sch(**TIMED), "TQ1|||||||20260910100000|20260910101500"), "15:00", "15:15"),
        ((sch(), "AIS|1|A|CODE|20260910090000|||25|min"), "14:00", "14:25"),
        ((sch(), "AIG|1|A|X|||||20260910090000-0600|||10|min"), "15:00", "15:10"),
        ((sch(), AIL), "14:00", "14:20"),
        ((sch(), "AIP|1|A|X|||20260910090000"), "14:00", None),
        ((sch(f11="^^^20260910090000^20260910080000"),), "14:00", None),
        ((sch(f11="^^^20260910090000^20260918090000"),), "14:00", None),
    ],
)
def test_when_it_is(segments, begins, ends):
    said = appointment_of(*segments)
    assert said.starts_at == at(f"2026-09-10T{begins}")
    assert said.ends_at == (at(f"2026-09-10T{ends}") if ends else None)


@pytest.mark.parametrize(
    ("trigger", "status"),
    [("S13", "BOOKED"), ("S14", "BOOKED"), ("S15", "CANCELLED"), ("S16", "DC"), ("S17", "DELETED"), ("S26", "NOSHOW")],
)  # fmt: skip
def test_its_event_says_what_became_of_it_whatever_the_status_still_says(trigger, status):
    assert appointment_of(sch(**TIMED), trigger=trigger).status == status


@pytest.mark.parametrize(
    ("said", "status"), [("Started", "STARTED"), ("complete", "COMPLETE"), ("", "BOOKED"), ("XX", "BOOKED")]
)  # fmt: skip
def test_otherwise_its_status_does(said, status):
    assert appointment_of(sch(f25=said, **TIMED), trigger="S13").status == status


@pytest.mark.parametrize(("said", "status"), [("Started", "STARTED"), ("", ""), ("XX", "")])
def test_a_change_of_something_else_says_nothing_of_its_status(said, status):
    raw = siu(sch(f25=said, **TIMED), trigger="S14")
    assert report_of(raw).appointment.status == status
    effects = explain(raw, verdict_on(raw)).effects
    assert f"would note that appointment A-1 is {status.lower() or 'as it was'}" in effects


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (siu("RGS|1|A"), "APPOINTMENT_MISSING"),
        (siu(sch(**TIMED), sch(**TIMED)), "APPOINTMENT_NOT_ONE"),
        (siu(sch(f2="", **TIMED)), "APPOINTMENT_NUMBER_MISSING"),
        (siu(sch()), "APPOINTMENT_TIME_MISSING"),
        (siu(sch(f11="^^^tomorrow")), "TIME_UNREADABLE"),
        (siu(sch(**TIMED)).replace(PID.encode(), b""), "PATIENT_MISSING"),
    ],
)
def test_what_cannot_be_read_is_set_aside(raw, reason):
    verdict = verdict_on(raw)
    assert (verdict.state, verdict.reason) == (MessageState.QUARANTINED, reason)


def test_who_cancels_need_not_say_when_it_was():
    assert appointment_of(sch(), trigger="S15").starts_at is None


def test_a_trial_says_it_in_words():
    raw = siu(sch(f7="FU^Follow-up", **TIMED), AIL, AIP, PV1)
    trial = explain(raw, verdict_on(raw))
    words = [word for segment in trial.segments for word in segment.readings]
    assert "Appointment A-1, booked" in words
    assert "Begins 2026-09-10 09:00" in words
    assert "To ADA QUILL JR" in words
    assert "would note that appointment A-1 is booked" in trial.effects


@needs_samples
@pytest.mark.parametrize(
    ("name", "status"),
    [("S12", "BOOKED"), ("S13", "BOOKED"), ("S14", "BOOKED"), ("S15", "CANCELLED"), ("S16", "DC"),
     ("S17", "DELETED"), ("S26", "NOSHOW")],
)  # fmt: skip
def test_the_samples(name, status):
    raw = (SAMPLES / f"SIU-{name}-01.hl7").read_bytes()
    said = classify(raw, anybody, NOW).report.appointment
    assert (said.number, said.status, said.practitioner) == ("36996", status, "Robert GE")
    assert said.starts_at == at("2021-09-24T07:15")
    assert said.ends_at == at("2021-09-24T08:05")
