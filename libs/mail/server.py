"""Hand letters to a mail server, and count whether it took them."""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib
from prometheus_client import Counter

LETTERS = Counter(
    "carehub_letters", "Tries to hand a letter to the mail server.", ["service", "outcome"]
)
_TAKEN, _NOT_TAKEN, _ADDRESS_REFUSED = "taken", "not_taken", "address_refused"
# RFC 5321, 4.2.1: the same request will have the same answer.
_FOR_GOOD = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """SERVICE_SMTP_HOST and so on: the mail server of a service, and who its letters are from. Without a host there is none."""

    smtp_host: str = ""
    smtp_port: int = 25
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = "carehub@localhost"


class NotSent(Exception):
    """The mail server did not take a letter. It is tried again."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server, as one service uses it."""

    service: str
    settings: MailSettings
    timeout: float = 10.0  # seconds

    def __post_init__(self) -> None:
        for outcome in (_TAKEN, _NOT_TAKEN, _ADDRESS_REFUSED):
            # There from the start: no rate of a count that is not there yet.
            LETTERS.labels(self.service, outcome)

    @property
    def is_there(self) -> bool:
        return bool(self.settings.smtp_host)

    async def send(self, write: Callable[[str], EmailMessage]) -> None:
        """Hand the letter that `write` makes, told who it is from, to the server, or raise NotSent.

        An address that no letter can be written to is tried and given up like one that the server refuses.
        """
        try:
            await aiosmtplib.send(
                write(self.settings.mail_from),
                hostname=self.settings.smtp_host,
                port=self.settings.smtp_port,
                username=self.settings.smtp_user or None,
                password=self.settings.smtp_password or None,
                start_tls=self.settings.smtp_starttls,
                timeout=self.timeout,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            LETTERS.labels(self.service, _outcome_of(error)).inc()
            # The text of an answer can repeat the address: its type is all that a log may have.
            raise NotSent(type(error).__name__) from error
        LETTERS.labels(self.service, _TAKEN).inc()


def _outcome_of(error: Exception) -> str:
    """One wrong address is tried as often as ten right ones, and tells nothing of the server."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=refused):
            is_for_good = all(each.code >= _FOR_GOOD for each in refused)
            return _ADDRESS_REFUSED if is_for_good else _NOT_TAKEN
        case ValueError():
            return _ADDRESS_REFUSED
    return _NOT_TAKEN
