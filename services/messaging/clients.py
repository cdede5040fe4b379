"""The mail server: the one outside party that messaging talks to."""

from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID

import aiosmtplib

from libs.telemetry.metrics import LETTERS

SUBJECT = {"en": "A message from your care team", "es": "Un mensaje de su equipo de salud"}

_TAKEN, _NOT_TAKEN = (LETTERS.labels("messaging", outcome) for outcome in ("taken", "not_taken"))


class NotSent(Exception):
    """The mail server did not take a message. It is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where e-mail to patients goes out. Without a host there is no such channel."""

    host: str
    port: int
    is_starttls: bool
    user: str
    password: str
    sender: str
    timeout: float = 10.0

    async def send(self, message_id: UUID, address: str, language: str, text: str) -> None:
        """Hand one message to the server, or raise NotSent."""
        try:
            await aiosmtplib.send(
                write(message_id, self.sender, address, language, text),
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


def write(message_id: UUID, sender: str, address: str, language: str, text: str) -> EmailMessage:
    """A message as mail. Its Message-ID is the message's id, so that one which went out twice can be recognized."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = address
    mail["Subject"] = SUBJECT.get(language, SUBJECT["en"])
    mail["Message-ID"] = f"<{message_id}@carehub>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{text}\n")
    return mail
