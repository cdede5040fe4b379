"""MLLP framing without a socket: bytes in, frames out, whatever way the bytes were cut."""

from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c\x0d"
# A frame after a frame whose carriage return the sender forgot.
BARE_END = b"\x1c\x0b"

# Of a frame that is too long this much is kept: enough for the header, to answer with.
_KEPT_HEAD = 8 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """What stood between a start and an end; only the head of it if it was too long."""

    content: bytes
    size: int
    is_too_long: bool = False


def wrap(content: bytes) -> bytes:
    return START + content + END


class Framer:
    """Cuts a stream into frames. Never raises, and never holds more than `most` bytes and a chunk.

    Bytes outside frames are discarded and counted. Where a sender starts anew inside a frame (a
    start byte followed by MSH) the torso before it, which was never acknowledged, is discarded too:
    two halves of messages must not be read as one.
    """

    __slots__ = ("_buffer", "_in_frame", "_most", "_scanned", "_skipped", "discarded")

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._in_frame = False
        # How far the buffer was searched for an end.
        self._scanned = 0
        # Bytes of a frame that is too long, beyond those in the buffer.
        self._skipped = 0
        self.discarded = 0

    @property
    def is_mid_frame(self) -> bool:
        return self._in_frame

    @property
    def pending_size(self) -> int:
        """How long the unfinished frame is so far."""
        return self._skipped + len(self._buffer)

    def feed(self, chunk: bytes) -> list[Frame]:
        self._buffer += chunk
        frames: list[Frame] = []
        while self._find_start():
            frame = self._find_end()
            if frame is None:
                break
            frames.append(frame)
        return frames

    def _find_start(self) -> bool:
        if self._in_frame:
            return True
        at = self._buffer.find(START)
        if at < 0:
            # A carriage return after an end is part of that end's leniency, not noise, but it
            # cannot be told from noise cut into another chunk: all of it counts.
            self.discarded += len(self._buffer)
            self._buffer.clear()
            return False
        self.discarded += at
        del self._buffer[: at + 1]
        self._in_frame, self._scanned, self._skipped = True, 0, 0
        return True

    def _find_end(self) -> Frame | None:
        end, length = self._next_end()
        if end < 0:
            # The last byte may be the first half of an end.
            self._scanned = max(len(self._buffer) - 1, 0)
            self._drop_excess()
            return None
        content = bytes(self._buffer[:end])
        size = self._skipped + end
        del self._buffer[: end + length]
        self._in_frame = False
        if size > self._most:
            return Frame(content[:_KEPT_HEAD], size, is_too_long=True)
        return self._without_torso(content)

    def _next_end(self) -> tuple[int, int]:
        """Where the frame ends and how many bytes its end has; a bare end leaves the next start."""
        end = self._buffer.find(END, self._scanned)
        stop = end if end >= 0 else len(self._buffer)
        bare = self._buffer.find(BARE_END, self._scanned, stop)
        return (bare, 1) if bare >= 0 else (end, 2)

    def _drop_excess(self) -> None:
        """Keep the head of a frame that is too long, and the last byte, which may begin an end."""
        if self.pending_size <= self._most or len(self._buffer) <= _KEPT_HEAD + 1:
            return
        dropped = len(self._buffer) - _KEPT_HEAD - 1
        del self._buffer[_KEPT_HEAD:-1]
        self._skipped += dropped
        self._scanned = len(self._buffer) - 1

    def _without_torso(self, content: bytes) -> Frame:
        anew = max(content.rfind(b"\x0bMSH"), content.rfind(b"\x0b\xef\xbb\xbfMSH"))
        if anew < 0:
            return Frame(content, len(content))
        self.discarded += anew + 1
        return Frame(content[anew + 1 :], len(content) - anew - 1)
