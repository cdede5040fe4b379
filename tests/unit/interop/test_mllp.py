"""Framing: whatever way the bytes are cut, the same frames come out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.interop.domain.mllp import Framer, wrap

LIMIT = 64
PIECES = st.sampled_from(
    [
        b"\x0b",
        b"\x1c\r",
        b"\x1c",
        b"\r",
        b"MSH|^~\\&|",
        b"\x0bMSH|a",
        b"x",
        b"PID|1\r",
        b"y" * 40,
        b"z" * 9000,
    ]
)


def frames_of(chunks, most=LIMIT):
    framer = Framer(most)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return frames, framer


def contents(*chunks, most=1000):
    return [frame.content for frame in frames_of(chunks, most)[0]]


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30), st.data())
def test_any_chunking_gives_the_same_frames(pieces, data):
    stream = b"".join(pieces)
    whole, framer = frames_of([stream])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    cut, other = frames_of(chunks)
    assert [(f.content, f.size, f.is_too_long) for f in cut] == [
        (f.content, f.size, f.is_too_long) for f in whole
    ]
    assert other.is_mid_frame == framer.is_mid_frame
    assert other.discarded == framer.discarded


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=80).filter(lambda b: not set(b) & {0x0B, 0x1C}), max_size=10))
def test_what_is_wrapped_comes_out_again(messages):
    assert contents(b"".join(wrap(message) for message in messages)) == messages


def test_byte_by_byte():
    stream = b"noise" + wrap(b"MSH|1") + b"\r\n" + wrap(b"MSH|2")
    frames, framer = frames_of([bytes([each]) for each in stream])
    assert [frame.content for frame in frames] == [b"MSH|1", b"MSH|2"]
    assert framer.discarded == 7


def test_a_torso_before_a_new_start_is_dropped():
    assert contents(b"\x0bMSH|torso\rPID|1\x0bMSH|whole\r\x1c\r") == [b"MSH|whole\r"]
    assert contents(b"\x0b\x0bMSH|whole\x1c\r") == [b"MSH|whole"]


def test_a_vertical_tab_in_a_text_is_no_start():
    assert contents(wrap(b"MSH|1\rNTE|a\x0bb")) == [b"MSH|1\rNTE|a\x0bb"]


def test_an_end_without_its_carriage_return_ends_where_the_next_frame_starts():
    assert contents(b"\x0bMSH|1\x1c\x0bMSH|2\x1c\r") == [b"MSH|1", b"MSH|2"]


def test_an_end_byte_alone_ends_nothing():
    assert contents(b"\x0bMSH|a\x1cb\x1c\r") == [b"MSH|a\x1cb"]


def test_a_frame_that_is_too_long_is_read_to_its_end_and_kept_only_in_part():
    framer = Framer(100)
    out = framer.feed(b"\x0bMSH|")
    for _ in range(1000):
        out += framer.feed(b"x" * 1000)
        assert len(framer._buffer) < 10_000
    out += framer.feed(b"\x1c\r" + wrap(b"MSH|2"))
    assert [(f.is_too_long, f.size) for f in out] == [(True, 1_000_004), (False, 5)]
    assert out[0].content.startswith(b"MSH|xxx")
