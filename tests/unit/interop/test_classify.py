"""The one decision: AE, AR, or AA and what the message is stored as; and that nothing raises."""

import random
import time

import pytest

from services.interop.domain.acknowledge import ack_code, acknowledge
from services.interop.domain.classify import classify, classify_for
from services.interop.domain.feed import FeedState, Quirks
from services.interop.domain.message import MessageState
from services.interop.domain.trial import explain
from tests.unit.interop.conftest import (
    EVN,
    NOW,
    PID,
    PV1,
    SAMPLES,
    anybody,
    message,
    needs_samples,
    sender,
    verdict_on,
)

WHOLE = (EVN, PID, PV1)


def nobody(_facility, _application):
    return None


def answer_to(raw, **fields):
    verdict = verdict_on(raw, **fields)
    return acknowledge(verdict, NOW, "ACK1").decode().split("\r")[:-1]


@pytest.mark.parametrize(
    ("raw", "code", "error", "reason"),
    [
        (b"", "AE", 100, "HEADER_UNREADABLE"),
        (b"PID|1||12345", "AE", 100, "HEADER_UNREADABLE"),
        (message(*WHOLE, control_id=""), "AE", 101, "CONTROL_ID_MISSING"),
        (message(*WHOLE, control_id="x" * 201), "AE", 104, "HEADER_TOO_LONG"),
        (message(*WHOLE).replace(b"MERCY", b""), "AE", 101, "SENDING_FACILITY_MISSING"),
        (message(*WHOLE).replace(b"MERCY", b"OTHER"), "AE", 204, "SENDER_NOT_THE_FEED"),
        (message(*WHOLE, tail="T|2.5.1"), "AR", 202, "PROCESSING_ID_NOT_ACCEPTED"),
        (message(*WHOLE, tail="|2.5.1"), "AR", 202, "PROCESSING_ID_NOT_ACCEPTED"),
        (message(*WHOLE, tail="P|3.0"), "AR", 203, "VERSION_NOT_ACCEPTED"),
    ],
)
def test_what_is_refused(raw, code, error, reason):
    verdict = verdict_on(raw)
    assert (verdict.code, verdict.error_code, verdict.reason) == (code, error, reason)
    assert verdict.state is None


def test_a_sender_that_no_feed_knows_is_refused():
    assert classify(message(*WHOLE), nobody, NOW).reason == "SENDER_UNKNOWN"


def test_a_paused_feed_asks_to_send_again():
    verdict = verdict_on(message(*WHOLE), state=FeedState.PAUSED)
    assert (verdict.code, verdict.error_code, verdict.reason) == ("AR", 207, "FEED_PAUSED")


def test_a_feed_whose_clock_is_unknown_asks_to_send_again():
    assert verdict_on(message(*WHOLE), zone="").reason == "FACILITY_NOT_READY"
    quirks = Quirks(time_zone="America/Chicago")
    assert verdict_on(message(*WHOLE), zone="", quirks=quirks).state is MessageState.PENDING


def test_the_sending_application_matters_where_the_feed_names_one():
    assert verdict_on(message(*WHOLE), sending_application="LAB").code == "AE"
    assert verdict_on(message(*WHOLE), sending_application="ADT").code == "AA"


def test_processing_ids_and_versions_that_a_feed_accepts():
    quirks = Quirks(processing_ids=("T",))
    assert verdict_on(message(*WHOLE, tail="T|2.3"), quirks=quirks).state is MessageState.PENDING
    assert verdict_on(message(*WHOLE, tail="P")).state is MessageState.PENDING


def test_a_stored_message_is_read_anew_though_its_feed_is_paused():
    paused = sender(state=FeedState.PAUSED)
    verdict = classify_for(paused, message(*WHOLE, tail="T|3"), NOW, is_stored=True)
    assert verdict.state is MessageState.PENDING


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ("ADT^A60", 201),
        ("ADT^A17", 201),
        ("ORU^R30", 201),
        ("ORM^O01", 200),
        ("SIU^S23", 201),
        ("ADT^S12", 201),
    ],
)
def test_what_is_not_followed_is_kept_with_a_warning(event, error):
    verdict = verdict_on(message(*WHOLE).replace(b"ADT^A01", event.encode()))
    assert (verdict.state, verdict.reason) == (MessageState.IGNORED, "EVENT_NOT_FOLLOWED")
    assert (verdict.code, verdict.error_code, verdict.event_type) == ("AA", error, event)


def test_the_trigger_is_that_of_the_event_segment_where_the_header_has_none():
    raw = message("EVN|A01|20260901", PID, PV1).replace(b"ADT^A01", b"ADT")
    assert verdict_on(raw).event_type == "ADT^A01"
    unknown = message(*WHOLE).replace(b"ADT^A01", b"")
    assert verdict_on(unknown).reason == "EVENT_MISSING"


def test_a_wrong_character_set_is_set_aside_and_mended_by_a_quirk():
    raw = message(
        EVN, "PID|1||7||MU\xd1OZ".replace("\xd1", "~N"), PV1, tail="P|2.5||||||UNICODE UTF-8"
    )
    raw = raw.replace(b"~N", b"\xd1")
    assert verdict_on(raw).reason == "CHARSET_MISMATCH"
    mended = verdict_on(raw, quirks=Quirks(charset="latin-1"))
    assert mended.report.person.names[0].family == "MUÑOZ"


def test_the_answer_turns_sender_and_receiver_around():
    msh, msa = answer_to(message(*WHOLE))
    assert msh == "MSH|^~\\&|CAREHUB|HUB|ADT|MERCY|20260901150000+0000||ACK^A01^ACK|ACK1|P|2.5.1"
    assert msa == "MSA|AA|C1"


def test_a_warning_says_where_without_saying_what():
    _, msa, err = answer_to(message(EVN, "PID|1||7||DOE||SECRETDAY", PV1))
    assert msa == "MSA|AA|C1|PID-7: not a date"
    assert err == "ERR|||102^Data type error^HL70357|W||||PID-7: not a date"


def test_a_refusal_is_an_error():
    *_, err = answer_to(message(*WHOLE, tail="D|2.5"))
    assert err.startswith("ERR|||202^Unsupported processing id^HL70357|E||||MSH-11: ")


def test_header_fields_come_back_in_our_delimiters_and_escaped():
    raw = b"MSH#*~\\&#A*|&x#MERCY#TO\\F\\ME#HUB#2026##ADT*A01#C^1#P#2.5\r"
    msh, msa, _ = answer_to(raw)
    assert msh.split("|")[2:6] == ["TO#ME", "HUB", "A^\\F\\&x", "MERCY"]
    assert msa.startswith("MSA|AA|C\\S\\1|")


@pytest.mark.parametrize(
    ("asked", "stored", "refused"),
    [
        ("", "AA", "AR"),
        ("AL", "CA", "CR"),
        ("NE", "AA", "AR"),
        ("ER", "AA", "CR"),
        ("SU", "CA", "AR"),
    ],
)
def test_a_commit_acknowledgement_is_given_to_who_asks(asked, stored, refused):
    assert ack_code(verdict_on(message(*WHOLE, tail=f"P|2.5|||{asked}|AL"))) == stored
    assert ack_code(verdict_on(message(*WHOLE, tail=f"T|2.5|||{asked}|AL"))) == refused


def test_even_nothing_gets_an_answer():
    msh, msa, err = answer_to(b"\x00\x01\x02")
    assert msh.startswith("MSH|^~\\&|||||2026")
    assert msa.startswith("MSA|AE||MSH: ")
    assert err.startswith("ERR|||100^")


@needs_samples
@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.hl7")), ids=lambda file: file.stem)
def test_every_sample_file_has_a_justified_answer(file):
    verdict = classify(file.read_bytes(), anybody, NOW)
    expected = {
        "LAB-ORU-1": "SENDING_FACILITY_MISSING",
        "ADT04-251": "PROCESSING_ID_NOT_ACCEPTED",
        "ORU-R01-01": "PROCESSING_ID_NOT_ACCEPTED",
    }
    others = {"A29", "A41", "A45", "A47", "A60"}
    kind, trigger = file.stem[:4], file.stem[4:7]
    followed = kind == "SIU-" or (kind.startswith("ADT") and trigger not in others)
    otherwise = "" if followed else "EVENT_NOT_FOLLOWED"
    assert verdict.reason == expected.get(file.stem, otherwise)
    assert verdict.fault is None


MUTATIONS = (
    lambda r, b: b[: r.randrange(len(b) + 1)],
    lambda r, b: b[r.randrange(len(b)) :],
    lambda r, b: _at(r, b, bytes([r.randrange(256)])),
    lambda r, b: _at(
        r, b, r.choice([b"\x00", b"\x0b", b"\x1c", b"\r", b"\xff\xfe", b"|", b"^" * 300])
    ),
    lambda r, b: _at(
        r, b, r.choice([b"\\X", b"\\XZZ\\", b"\\X00\\", b"\\F", b'""', b"\\E\\" * 50])
    ),
    lambda r, b: b.replace(r.choice([b"|", b"^", b"~", b"&"]), r.choice([b"|", b"^", b"#", b""])),
    lambda r, b: b"\r".join(r.sample(b.split(b"\r"), len(b.split(b"\r")))),
    lambda r, b: b.replace(b"|P|", r.choice([b"|T|", b"||", b"|P^T|"])),
    lambda r, b: b.replace(b"2", r.choice([b"9", b"-", b"\xd9\xa2"])),
    lambda r, b: _at(r, b, b"'; DROP TABLE messages; --<script>=cmd|' /C calc'!A0 %s%n"),
    lambda r, b: b.replace(b"\r", b"\r" * 3000)[:200_000],
    lambda r, b: _at(r, b, b"~1" * r.randrange(5000)),
)


def _at(rng, raw, inserted):
    place = rng.randrange(len(raw) + 1)
    return raw[:place] + inserted + raw[place + rng.randrange(3) :]


@needs_samples
def test_mutated_samples_never_raise_and_always_get_an_answer():
    """As many as fit into two seconds; the seed is in the message of a failure."""
    samples = [file.read_bytes() for file in sorted(SAMPLES.glob("*.hl7"))]
    ends, seed = time.monotonic() + 2, 0
    while time.monotonic() < ends or seed < 300:
        seed += 1
        rng = random.Random(seed)
        raw = rng.choice(samples)
        for _ in range(rng.randint(1, 4)):
            raw = rng.choice(MUTATIONS)(rng, raw) or b"x"
        verdict = classify(raw, anybody, NOW)
        assert verdict.fault is None, f"seed {seed}: {verdict.fault!r}"
        lines = acknowledge(verdict, NOW, "1").decode(errors="replace").split("\r")
        assert lines[1].startswith(("MSA|A", "MSA|C")), f"seed {seed}"
        assert all(line[:3] in {"MSH", "MSA", "ERR", ""} for line in lines), f"seed {seed}"
        if seed % 5 == 0:
            explain(raw, verdict)
    assert seed >= 300


def test_a_character_set_that_is_unknown_is_not_guessed():
    named = message(EVN, PID, PV1, tail="P|2.5.1||||||KOI8-X").replace(
        b"DOE", "Ивановë".encode("koi8-r", "replace")
    )
    verdict = verdict_on(named)
    assert (verdict.state, verdict.reason) == (MessageState.QUARANTINED, "CHARSET_UNKNOWN")
    assert verdict_on(named, quirks=Quirks(charset="latin-1")).report
    plain = message(EVN, PID, PV1, tail="P|2.5.1||||||KOI8-X")
    assert verdict_on(plain).report


@pytest.mark.parametrize("name", ["8859/5", "ISO-8859-5", "ISO8859-5", "WINDOWS-1251"])
def test_the_character_sets_of_the_table_are_read(name):
    codec = "cp1251" if name.startswith("W") else "iso8859-5"
    named = message(EVN, PID, PV1, tail=f"P|2.5.1||||||{name}").replace(
        b"DOE", "Иванов".encode(codec)
    )
    assert verdict_on(named).report.person.names[0].family == "Иванов"


def test_a_refusal_repeats_nothing_that_could_be_somebodys_name():
    raw = message(*WHOLE).replace(b"|ADT|MERCY|", b"|ADT|OKAFOR JANE 19800430|")
    assert "OKAFOR" not in classify(raw, nobody, NOW).explanation
    raw = message(*WHOLE).replace(b"|ADT|MERCY|", b"|EPIC-1|ST.MARY_2|")
    assert '"ST.MARY_2" sending as "EPIC-1"' in classify(raw, nobody, NOW).explanation
