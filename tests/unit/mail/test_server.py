"""Letters handed to a mail server: from whom they are, and what is counted of those that it does not get."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from prometheus_client import REGISTRY

from libs.local.mail import start_mail_sink
from libs.local.process import free_port
from libs.mail.server import MailServer, MailSettings, NotSent


@pytest.fixture
async def sink(tmp_path):
    running = await start_mail_sink(tmp_path)
    yield running
    await running.stop()


def server_at(port: int) -> MailServer:
    settings = MailSettings(smtp_host="127.0.0.1", smtp_port=port, mail_from="hub@example.org")
    return MailServer("tests", settings)


def letter_to(address: str) -> Callable[[str], EmailMessage]:
    def write(sender: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, address, "A task is late"
        letter.set_content("Look.\n")
        return letter

    return write


def counted(outcome: str) -> float:
    labels = {"service": "tests", "outcome": outcome}
    return REGISTRY.get_sample_value("carehub_letters_total", labels) or 0.0


async def test_a_letter_is_handed_over_and_says_who_it_is_from(sink):
    before = counted("taken")
    await server_at(sink.port).send(letter_to("ann@example.org"))
    [file] = sink.messages()
    letter = message_from_bytes(file.read_bytes())
    assert (letter["From"], letter["To"]) == ("hub@example.org", "ann@example.org")
    assert counted("taken") == before + 1


async def test_a_server_that_is_away_did_not_take_it():
    before = counted("not_taken")
    with pytest.raises(NotSent):
        await server_at(free_port()).send(letter_to("ann@example.org"))
    assert counted("not_taken") == before + 1


@pytest.mark.parametrize(
    ("code", "outcome"), [(550, "address_refused"), (450, "not_taken")], ids=["for good", "for now"]
)
async def test_a_refused_address_is_counted_apart_if_it_is_refused_for_good(code, outcome):
    before = counted(outcome)
    async with refusing(code) as port:
        with pytest.raises(NotSent, match="SMTPRecipientsRefused"):
            await server_at(port).send(letter_to("nobody@example.org"))
    assert counted(outcome) == before + 1


@asynccontextmanager
async def refusing(code: int) -> AsyncIterator[int]:
    """A server that answers so to every recipient."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            is_recipient = line.upper().startswith(b"RCPT")
            writer.write(b"%d no\r\n" % code if is_recipient else b"250 yes\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_an_address_that_no_letter_can_be_written_to_is_a_try_like_any_other(sink):
    """Otherwise the job that sends would fail of it, again and again, and never give it up."""
    before = counted("address_refused")
    with pytest.raises(NotSent, match="ValueError"):
        await server_at(sink.port).send(letter_to("ann@example.org\nlee@example.org"))
    assert counted("address_refused") == before + 1
    assert sink.messages() == []
