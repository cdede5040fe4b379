"""Send HL7 v2 files over MLLP and say how each message was acknowledged: the sender behind `carehub send`."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_START = b"\x0b"
_END = b"\x1c\r"
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")
# So many messages may be on their way without an answer.
_AHEAD = 64
_LONGEST_ANSWER = 1024 * 1024
_PATIENCE_SECONDS = 30.0
# With more messages than this a line in between says how far it is.
_PROGRESS_EVERY = 500


class NotAnswered(Exception):
    """The connection ended, or stayed silent for too long, before everything was acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """MSA and what ERR says beside it."""

    control_id: str
    code: str
    text: str

    @property
    def is_accepted(self) -> bool:
        return self.code in {"AA", "CA"}


async def send(
    host: str, port: int, messages: Iterable[bytes], tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Acknowledgement, None]:
    """Send messages over one connection, many at a time, and give their acknowledgements in order.

    Raises OSError if there is no connection to be had, NotAnswered if it does not last.
    """
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=_LONGEST_ANSWER)
    outgoing = list(messages)
    places = asyncio.Semaphore(_AHEAD)
    sending = asyncio.create_task(_send_all(writer, outgoing, places))
    try:
        for _ in outgoing:
            yield _read(await _next_frame(reader))
            places.release()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _send_all(
    writer: asyncio.StreamWriter, messages: Sequence[bytes], places: asyncio.Semaphore
) -> None:
    out = bytearray()
    for message in messages:
        if out and places.locked():
            await _flush(writer, out)
        await places.acquire()
        out += _START + message + _END
    await _flush(writer, out)


async def _flush(writer: asyncio.StreamWriter, out: bytearray) -> None:
    """Write what has gathered at once: a call to the system costs more than a message."""
    writer.write(bytes(out))
    out.clear()
    with contextlib.suppress(OSError):  # the reader will say so
        await writer.drain()


async def _next_frame(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            frame = await reader.readuntil(_END)
    except TimeoutError as error:
        raise NotAnswered(f"no answer within {_PATIENCE_SECONDS:.0f} seconds") from error
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise NotAnswered("the connection ended before the answer") from error
    return frame[: -len(_END)].rpartition(_START)[2]


def _read(answer: bytes) -> Acknowledgement:
    segments = [line.split("|") for line in answer.decode(errors="replace").split("\r")]
    msa = next((fields for fields in segments if fields[0] == "MSA"), [])
    said = [fields[8] for fields in segments if fields[0] == "ERR" and len(fields) > 8]
    return Acknowledgement(
        code=_field(msa, 1),
        control_id=_field(msa, 2),
        text=" ".join(said or [_field(msa, 3)]).replace("\\F\\", "|"),
    )


def _field(fields: Sequence[str], number: int) -> str:
    return fields[number] if number < len(fields) else ""


async def read_messages(path: Path) -> list[bytes]:
    """The messages of a file, or of every file of a folder by name."""
    return [
        message for _, found in await asyncio.to_thread(_read_files, [path]) for message in found
    ]


def _read_files(paths: Iterable[Path]) -> list[tuple[Path, list[bytes]]]:
    files: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else []
        files += inside or ([] if path.is_dir() else [path])
    return [(file, split(file.read_bytes())) for file in files]


def split(content: bytes) -> list[bytes]:
    """The messages of a file: each begins with MSH; envelopes of batches and MLLP bytes are dropped."""
    content = content.removeprefix(b"\xef\xbb\xbf").translate(None, delete=b"\x0b\x1c")
    messages: list[bytearray] = []
    for line in content.replace(b"\r\n", b"\r").replace(b"\n", b"\r").split(b"\r"):
        if line.removeprefix(b"\xef\xbb\xbf").startswith(b"MSH"):
            messages.append(bytearray())
        if messages and line.strip() and not line.startswith(_ENVELOPE):
            messages[-1] += line + b"\r"
    return [bytes(message) for message in messages]


async def run(
    paths: Sequence[Path],
    host: str,
    port: int,
    say: Callable[[str], None],
    tls: ssl.SSLContext | None = None,
) -> int:
    """Send files and folders; 0 if every message was accepted, else 1."""
    files = await asyncio.to_thread(_read_files, paths)
    for file, found in files:
        if not found:
            say(f"{file}: no message in it (none of its lines begins with MSH)")
    todo = [(file, message) for file, found in files for message in found]
    if not todo:
        say("nothing to send")
        return 1
    return await _Run(say, todo).send(host, port, tls)


class _Run:
    """One run of the command: what was said so far."""

    def __init__(self, say: Callable[[str], None], todo: Sequence[tuple[Path, bytes]]) -> None:
        self._say = say
        self._todo = todo
        self._codes: dict[str, int] = {}
        self._refused = 0

    async def send(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        trouble = ""
        try:
            await self._send(host, port, tls)
        except NotAnswered as error:
            trouble = str(error)
        except OSError as error:
            trouble = f"no connection to {host}:{port} ({error.strerror or type(error).__name__})"
        answered = sum(self._codes.values())
        counts = ", ".join(f"{count} {code}" for code, count in sorted(self._codes.items()))
        if trouble:
            self._say(trouble)
        self._say(f"{answered} of {len(self._todo)} acknowledged{': ' if counts else ''}{counts}")
        return 1 if trouble or self._refused else 0

    async def _send(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        files = iter(file for file, _ in self._todo)
        answers = send(host, port, (message for _, message in self._todo), tls)
        async with contextlib.aclosing(answers):
            async for answer in answers:
                self._note(next(files), answer)

    def _note(self, file: Path, answer: Acknowledgement) -> None:
        code = answer.code or "no code"
        self._codes[code] = self._codes.get(code, 0) + 1
        self._refused += not answer.is_accepted
        self._say(f"{file}  {answer.control_id}  {code}  {answer.text}".rstrip())
        done = sum(self._codes.values())
        if done % _PROGRESS_EVERY == 0:
            self._say(f"{done} of {len(self._todo)} so far")
