"""The mail server: the one outside party that tasking talks to."""

from dataclasses import dataclass
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from libs.mail.server import MailServer
from services.tasking.domain.notification import Letter

SUBJECT_LATE = "CareHub: a task is late"
SUBJECT_REVIEW = "CareHub: a loop needs a look"


@dataclass(frozen=True, slots=True)
class Mail:
    """By which server letters about late tasks go out, and what the links in them begin with."""

    server: MailServer
    web_url: str

    async def send(self, letter: Letter) -> None:
        """Hand one letter to the server, or raise NotSent."""
        await self.server.send(lambda sender: write(letter, sender, self.web_url))


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
