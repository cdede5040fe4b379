"""The mail server: the one outside party that tasking talks to."""

from dataclasses import dataclass
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import aiosmtplib

from libs.telemetry.metrics import LETTERS
from services.tasking.domain.notification import Letter

SUBJECT_LATE = "CareHub: a task is late"
SUBJECT_REVIEW = "CareHub: a loop needs a look"

_TAKEN, _NOT_TAKEN = (LETTERS.labels("tasking", outcome) for outcome in ("taken", "not_taken"))


class NotSent(Exception):
    """The mail server did not take a letter. It is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters go out, and what the links in them begin with. Without a host nothing is sent."""

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
    """The letter as mail: whose work, where, until when, and a link by id. Nothing about the patient.

    Its Message-ID is the notification's id, so that a letter which went out twice can be recognized.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.email
    message["Subject"] = SUBJECT_LATE if letter.task_id else SUBJECT_REVIEW
    message["Message-ID"] = f"<{letter.id}@carehub>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_lines(letter, web_url)) + "\n")
    return message


def _lines(letter: Letter, web_url: str) -> list[str]:
    where = f"Facility: {letter.facility_name}"
    if letter.task_id is None or letter.due_at is None:
        return [
            "A loop has had no open step for a while. Look whether it still waits for something.",
            "",
            where,
            f"{web_url}/loops/{letter.loop_id}",
        ]
    due = letter.due_at.astimezone(ZoneInfo(letter.time_zone))
    return [
        f"A task needs somebody. It has reached level {letter.level} of its escalation.",
        "",
        f"Role: {letter.role.replace('_', ' ')}",
        f"Due: {due:%a} {due.day} {due:%b %Y %H:%M} ({letter.time_zone})",
        where,
        f"{web_url}/tasks/{letter.task_id}",
    ]
