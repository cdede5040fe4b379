"""The mail server: the one outside party that interop talks to."""

from dataclasses import dataclass
from email.message import EmailMessage

from libs.mail.server import MailServer
from services.interop.domain.silence import Letter


@dataclass(frozen=True, slots=True)
class Mail:
    """By which server letters about silences go out, and what the links in them begin with."""

    server: MailServer
    web_url: str

    async def send(self, letter: Letter) -> None:
        """Hand one letter to the server, or raise NotSent."""
        await self.server.send(lambda sender: write(letter, sender, self.web_url))


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
