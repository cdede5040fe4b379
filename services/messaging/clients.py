"""The mail server: the one outside party that messaging talks to."""

from dataclasses import dataclass
from email.message import EmailMessage
from uuid import UUID

from libs.mail.server import MailServer

SUBJECT = {"en": "A message from your care team", "es": "Un mensaje de su equipo de salud"}


@dataclass(frozen=True, slots=True)
class Mail:
    """By which server e-mail to patients goes out. Without one there is no such channel."""

    server: MailServer

    async def send(self, message_id: UUID, address: str, language: str, text: str) -> None:
        """Hand one message to the server, or raise NotSent."""
        await self.server.send(lambda sender: write(message_id, sender, address, language, text))


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
