"""The head of a request has bounds, in bytes and in time: uvicorn takes as many as come, for as long as they come."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A token may have 8 KiB, and a URL; a browser brings all its cookies along.
LARGEST_HEAD = 64 * 1024
HEAD_TAKES = 10.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n"
    b"\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection as uvicorn has it, which ends when its client does not come to the point.

    Counted is what came since a head was complete or a body went on, so that trailers and what is around chunks have
    their bound, too. The clock runs from the first moment, and from then on whenever something comes while no answer is
    under way. Rest between requests is uvicorn's to end.
    """

    _counted = 0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        while data and not self.transport.is_closing():
            room = LARGEST_HEAD - self._counted
            piece, data = data[:room], data[room:]
            self._counted += len(piece)
            super().data_received(piece)
            if self._counted >= LARGEST_HEAD and not self.transport.is_closing():
                self._refuse()
        if self._clock is None and not self._is_answering():
            self._start_clock()

    def on_headers_complete(self) -> None:
        self._counted = 0
        self._stop_clock()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._counted = 0
        super().on_body(body)

    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # none before the first head

    def _refuse(self) -> None:
        if not self._is_answering():
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(HEAD_TAKES, self.transport.close)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
