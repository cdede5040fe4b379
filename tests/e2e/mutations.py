"""HL7 v2 messages damaged in every way that a line, a program or a joker damages them. Seeded: the same again and again."""

import random
from collections.abc import Callable, Iterator, Sequence

from tests.e2e.region import END, START

_HOSTILE = (
    b"", b'""', b"\x00", b"-1", b"20261399", b"99999999999999999999", b"0000", b"\\X00\\", b"\\Zq\\", b"\\",
    b"\\F\\\\S\\\\T\\", b"\xff\xfe\xfd", b"\xc3", "🫀 Ñandú".encode(), b"' OR 1=1 --", b"\x1b$B", b"^^^^", b"~~~",
    b"&&&", b"A" * 300, b"20260229", b"19000101000000.0000-2400", b"\r", b"\n", b"MSH|^~\\&|",
)  # fmt: skip
_Mutation = Callable[[random.Random, bytes], bytes]


def _truncated(rng: random.Random, message: bytes) -> bytes:
    return message[: rng.randrange(len(message))]


def _flipped(rng: random.Random, message: bytes) -> bytes:
    out = bytearray(message)
    for _ in range(rng.choice((1, 2, 8, 64))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _delimiters(rng: random.Random, message: bytes) -> bytes:
    """Other delimiters, told or not, or ones that cannot be."""
    at = rng.choice((3, 4, 5, 6, 7))
    new = rng.choice((b"|", b"^", b"\r", b"M", b" ", b"\xff", b"", b"#", b"\\"))
    told = message[:at] + new + message[at + 1 :]
    old = message[at : at + 1]
    return told.replace(old, new) if old and rng.random() < 0.3 else told


def _segments(rng: random.Random, message: bytes) -> bytes:
    """Segments shuffled, doubled, dropped or cut to their name."""
    lines = message.split(b"\r")
    for _ in range(rng.choice((1, 2, 5))):
        at = rng.randrange(len(lines))
        match rng.randrange(4):
            case 0:
                rng.shuffle(lines)
            case 1:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 2 if len(lines) > 1:
                del lines[at]
            case _:
                lines[at] = lines[at][: rng.choice((0, 2, 3, 4))]
    return b"\r".join(lines)


def _hostile_fields(rng: random.Random, message: bytes) -> bytes:
    fields = message.split(b"|")
    for _ in range(rng.choice((1, 3, 10))):
        fields[rng.randrange(len(fields))] = rng.choice(_HOSTILE)
    return b"|".join(fields)


def _huge(rng: random.Random, message: bytes) -> bytes:
    fields = message.split(b"|")
    filling = rng.choice((b"A", b"~", b"&", b"^", b"\\", b"|", b"\\T\\", b"\rOBX|", b"\x00"))
    fields[rng.randrange(len(fields))] = filling * rng.choice((500, 5_000, 60_000))
    return b"|".join(fields)


def _framing(rng: random.Random, message: bytes) -> bytes:
    """Bytes of MLLP where they do not belong."""
    at = rng.randrange(len(message))
    stray = rng.choice(
        (b"\x0b", b"\x1c", b"\x1c\r", b"\x0b\x0b", b"\x1c\x1c\r", b"\x1c\x0b", b"\x0bMSH")
    )
    return message[:at] + stray + message[at:]


def _line_ends(rng: random.Random, message: bytes) -> bytes:
    return message.replace(b"\r", rng.choice((b"\n", b"\r\n", b"\r\r", b"\n\r", b" ", b"\x85")))


def _charset(rng: random.Random, message: bytes) -> bytes:
    header, end, rest = message.partition(b"\r")
    fields = header.split(b"|") + [b""] * 18
    fields[17] = rng.choice(
        (b"ASCII", b"8859/1", b"UNICODE UTF-8", b"UNICODE UTF-16", b"ISO IR87", b"?")
    )
    rest = rest.replace(b"e", rng.choice((b"\xe9", "é".encode(), b"\x00e")))
    return b"|".join(fields[:18]) + end + rest


MUTATIONS: tuple[_Mutation, ...] = (
    _truncated, _flipped, _delimiters, _segments, _hostile_fields, _huge, _framing, _line_ends, _charset,
)  # fmt: skip


def frames(rng: random.Random, messages: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Damaged messages as they go over the wire; now and then their frame is damaged too."""
    for number in range(count):
        message = rng.choice(messages)
        for mutate in rng.choices(MUTATIONS, k=rng.choice((1, 1, 1, 2, 3))):
            message = mutate(rng, message) or b"MSH"
        start = b"" if rng.random() < 0.01 else START
        end = rng.choice((b"", b"\x1c", b"\r")) if rng.random() < 0.02 else END
        noise = rng.randbytes(rng.randrange(40)) if number % 97 == 0 else b""
        yield noise + start + message + end
