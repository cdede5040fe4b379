"""The mail server: the one outside party that interop talks to."""

from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from libs.telemetry.metrics import LETTERS
from services.interop.domain.silence import Letter

_TAKEN, _NOT_TAKEN = (LETTERS.labels("interop", outcome) for outcome in ("taken", "not_taken"))


class NotSent(Exception):
    """The mail server did not take a letter. It is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters go out, and what the links in them begin with."""

    host: str
    port: int
    is_starttls: bool
    user: str
    password: str
    sender: str
    web_url: str
    timeout: float = 10.0

    async def send(self, letter: Letter) -> None:
        """Hand one letter to the server, or raise NotSent."""
        try:
            await aiosmtplib.send(
                write(letter, self.sender, self.web_url),
                hostname=self.host,
                port=self.port,
                username=self.user or None,
                password=self.password or None,
                start_tls=self.is_starttls,
                timeout=self.timeout,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            _NOT_TAKEN.inc()
            # The text of an answer can repeat the address: its type is all that a log may have.
            raise NotSent(type(error).__name__) from error
        _TAKEN.inc()


def write(letter: Letter, sender: str, web_url: str) -> EmailMessage:
    """The letter as mail. Its Message-ID is the notice's, so that a letter which went out twice can be recognized."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.email
    message["Subject"] = "CareHub: a feed is silent"
    began = int(letter.began_at.timestamp())
    message["Message-ID"] = f"<{letter.feed_id}.{began}.{letter.staff_id}@carehub>"
    message["Auto-Submitted"] = "auto-generated"
    last = letter.last_message_at
    since = f"Its last message came at {last:%Y-%m-%d %H:%M} UTC." if last else "It never sent."
    lines = (
        f"The feed {letter.feed_name} is silent for longer than is normal for it.",
        since,
        "Clocks of open loops keep running. Call its contact, or mute the alarm with a reason.",
        "",
        f"{web_url}/feeds?feed={letter.feed_id}",
    )
    message.set_content("\n".join(lines) + "\n")
    return message
