"""Where mail goes on one machine: an SMTP server that sends nothing on and keeps what it gets."""

import asyncio
import logging
import time
from pathlib import Path
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from libs.local.process import kept_port, make_home, private_folder, write_private

MOST_KEPT = 1_000
LARGEST = 10 * 1024 * 1024
HOST = "127.0.0.1"


class RunningMailSink:
    """A server on 127.0.0.1; each message becomes a file, and the names sort by time."""

    def __init__(
        self,
        server: asyncio.AbstractServer,
        connections: set[asyncio.BaseTransport],
        folder: Path,
        port: int,
    ) -> None:
        self._server = server
        self._connections = connections
        self.folder = folder
        self.host = HOST
        self.port = port

    def messages(self) -> list[Path]:
        """Return the messages that are kept, the oldest first."""
        return sorted(self.folder.glob("*.eml"))

    async def stop(self) -> None:
        """Hang up on everybody: a client that idles would keep the server open."""
        self._server.close()
        for connection in list(self._connections):
            connection.close()
        await self._server.wait_closed()


async def start_mail_sink(home: Path, port: int = 0) -> RunningMailSink:
    """Accept mail for everybody and keep the newest 1,000 messages in home/mail.

    It lives in the running loop. The port is chosen at the first start and kept.
    """
    make_home(home)
    keeper = _Keeper(private_folder(home / "mail"))
    connections: set[asyncio.BaseTransport] = set()
    # Its log names the people who get mail.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    chosen = kept_port(home, "mail", port)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(keeper, connections), HOST, chosen
    )
    return RunningMailSink(server, connections, keeper.folder, chosen)


class _Connection(SMTP):
    def __init__(self, keeper: "_Keeper", connections: set[asyncio.BaseTransport]) -> None:
        super().__init__(
            keeper,
            hostname="localhost",
            ident="CareHub",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(transport)
        self._own = transport
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self._own)
        super().connection_lost(error)


class _Keeper:
    """Writes each message to a file before its sender is told that it was accepted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        await asyncio.to_thread(self._keep, envelope)
        return "250 OK"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        # Who gets it need not be in the message itself.
        lines = [f"X-Envelope-From: {envelope.mail_from or ''}"]
        lines += [f"X-Envelope-To: {recipient}" for recipient in envelope.rcpt_tos]
        head = "".join(f"{line}\r\n" for line in lines).encode(errors="replace")
        name = f"{time.time_ns():020d}-{uuid4().hex[:8]}.eml"
        write_private(self.folder / name, head + content)
        for old in sorted(self.folder.glob("*.eml"))[:-MOST_KEPT]:
            old.unlink(missing_ok=True)
