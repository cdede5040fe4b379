"""The tokenizer against the standard's rules, and against hl7apy on real files."""

from collections import Counter

import pytest
from hl7apy.parser import parse_message

from services.interop.domain import hl7
from tests.unit.interop.conftest import SAMPLES, needs_samples


def read(*lines, charset=""):
    text = "\r".join(["MSH|^~\\&|APP|FAC|||20260901||ADT^A01|1|P|2.5", *lines])
    return hl7.read(text.encode("utf-8"), charset)


def test_header_fields_are_counted_from_the_separator():
    header = read().header
    assert header.raw(1) == "|"
    assert header.raw(2) == "^~\\&"
    assert (header.text(3), header.text(9), header.text(12)) == ("APP", "ADT", "2.5")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_ends_a_segment(end):
    raw = end.join(["MSH|^~\\&|APP|FAC", "PID|1||12", "PV1|1|I", ""]).encode()
    message = hl7.read(raw)
    assert [s.name for s in message.every_segment()] == ["MSH", "PID", "PV1"]
    assert message.first("PID").line == 2


def test_a_byte_order_mark_and_blanks_before_the_header_are_nothing():
    assert hl7.read(b"\xef\xbb\xbf\r\n MSH|^~\\&|APP").header.text(3) == "APP"


def test_the_header_defines_the_delimiters():
    message = hl7.read(b"MSH#*~\\&#APP#FAC\rPID#1##12*34~56*x&y")
    pid = message.first("PID")
    assert pid.split(pid.repetitions(3)[1]) == ["56", "x"]
    assert pid.text(3) == "12"


def test_a_delimiter_that_is_left_out_does_not_split():
    pid = hl7.read(b"MSH|^~|APP|FAC\rPID|a&b^c~d\\F\\e").first("PID")
    assert pid.parts(1) == ["a&b", "c"]
    assert pid.repetitions(1)[1] == "d\\F\\e"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a\\F\\b", "a|b"),
        ("a\\S\\b", "a^b"),
        ("a\\T\\b", "a&b"),
        ("a\\R\\b", "a~b"),
        ("a\\E\\b", "a\\b"),
        ("\\E\\F\\E\\", "\\F\\"),
        ("one\\.br\\two", "one\ntwo"),
        ("\\H\\bold\\N\\", "bold"),
        ("caf\\XC3A9\\", "café"),
        ("\\X4A4B\\", "JK"),
        ("\\X4\\", "\\X4\\"),
        ("\\Z99\\", "\\Z99\\"),
        ("C:\\temp", "C:\\temp"),
        ("\\X00\\", "\\X00\\"),
    ],
)
def test_escapes_are_decoded_and_unknown_ones_stay(sent, meant):
    assert read(f"PID|{sent}").first("PID").text(1) == meant


def test_escapes_are_decoded_after_splitting():
    pid = read("PID|a\\S\\b^c\\R\\d~e").first("PID")
    assert pid.parts(1) == ["a^b", "c~d"]
    assert len(pid.repetitions(1)) == 2


def test_empty_says_nothing_and_two_quotes_delete():
    pid = read('PID|1||""').first("PID")
    assert (pid.text(2), pid.is_deleted(2)) == ("", False)
    assert (pid.text(3), pid.is_deleted(3), pid.repetitions(3)) == ("", True, [])
    assert (pid.text(99), pid.is_deleted(99), pid.parts(99)) == ("", False, [])


@pytest.mark.parametrize(
    ("declared", "quirk", "octets", "meant"),
    [
        ("UNICODE UTF-8", "", "é".encode(), "é"),
        ("8859/1", "", b"\xe9", "é"),
        ("8859/1", "utf-8", "é".encode(), "Ã©"),
        ("", "", "é".encode(), "é"),
        ("", "", b"\xe9", "é"),
        ("", "latin-1", "é".encode(), "Ã©"),
        ("ASCII", "", b"\xe9", "é"),
        ("UNICODE UTF-8", "latin-1", b"\xe9", "é"),
    ],
)
def test_the_character_set_is_the_header_s_then_the_feed_s_then_a_guess(
    declared, quirk, octets, meant
):
    header = f"MSH|^~\\&|A|B|||||ADT^A01|1|P|2.5||||||{declared}".encode()
    assert hl7.read(header + b"\rPID|" + octets, quirk).first("PID").text(1) == meant


def test_a_wrong_character_set_is_not_guessed_away():
    with pytest.raises(hl7.WrongCharset):
        hl7.read(b"MSH|^~\\&|A|B|||||ADT^A01|1|P|2.5||||||UNICODE UTF-8\rPID|\xe9")


def test_a_short_header_does_not_take_its_character_set_from_the_next_segment():
    raw = b"MSH|^~\\&|A|B\rPID" + b"|" * 14 + b"UNICODE UTF-8|\xe9"
    assert hl7.read(raw).first("PID").text(15) == "é"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"MSH",
        b"MSH|",
        b"MSH|^~\\&",
        b"PID|1",
        b"MSH^^~\\&^",
        b"MSHA^~\\&A",
        b"MSH|^^\\&|",
        b"\xff",
    ],
)
def test_what_has_no_header_is_unreadable(raw):
    with pytest.raises(hl7.Unreadable):
        hl7.read(raw)
    with pytest.raises(hl7.Unreadable):
        hl7.read_header(raw)


def test_our_own_values_are_escaped_so_that_they_read_back():
    value = "a|b^c&d~e\\f"
    assert read(f"PID|{hl7.escape(value)}").first("PID").text(1) == value
    assert hl7.escape("one\rtwo") == "one two"


def test_text_is_encoded_in_the_character_set_that_it_names():
    text = "MSH|^~\\&|A|B|||||ADT^A01|1|P|2.5||||||8859/1\rPID|é"
    assert hl7.encode(text).endswith(b"\xe9")
    assert hl7.read(hl7.encode(text)).first("PID").text(1) == "é"
    assert hl7.encode("PID|é") == "PID|é".encode()


@needs_samples
@pytest.mark.parametrize("file", sorted(SAMPLES.glob("ADT*.hl7")), ids=lambda file: file.stem)
def test_fields_are_those_that_hl7apy_reads(file):
    raw = file.read_bytes()
    ours = hl7.read(raw)
    text = "\r".join(line for line in ours.lines if line[:3] in {"MSH", "EVN", "PID", "PV1", "DG1"})
    theirs = parse_message(text, find_groups=False)
    compared = 0
    seen = Counter()
    for segment in theirs.children:
        mine = ours.segments(segment.name)[seen[segment.name]]
        seen[segment.name] += 1
        for field in segment.children:
            if field.name is None:  # more fields than hl7apy knows of
                continue
            number = int(field.name.rpartition("_")[2])
            said = _plain(field.to_er7())
            if said in ("", '""') or (segment.name == "MSH" and number < 3):
                continue
            assert said in map(_plain, mine.repetitions(number)), field.name
            compared += 1
    assert compared > 10


def _plain(repetition):
    """Without what hl7apy drops: delimiters after which nothing comes, and blanks around."""
    return "^".join(part.rstrip("&") for part in repetition.strip().split("^")).rstrip("^").strip()
