"""The local mail sink: what is accepted is kept, and not for ever."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from libs.local import mail
from libs.local.letters import kept_letters
from libs.local.mail import start_mail_sink


def reminder(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "hub@example.org", "a@example.org", subject
    message.set_content("Su cita es mañana.\n.\nLa línea de arriba es un punto.")
    return message


async def test_an_accepted_message_is_a_private_file(home: Path) -> None:
    sink = await start_mail_sink(home)
    await aiosmtplib.send(
        reminder("Recordatorio"),
        hostname=sink.host,
        port=sink.port,
        recipients=["a@example.org", "hidden@example.org"],
    )
    (file,) = sink.messages()
    stored = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert stored["Subject"] == "Recordatorio"
    assert stored.get_all("X-Envelope-To") == ["a@example.org", "hidden@example.org"]
    assert "mañana.\n.\nLa" in stored.get_content().replace("\r\n", "\n")
    assert file.stat().st_mode & 0o777 == 0o600
    await sink.stop()


async def test_only_the_newest_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MOST_KEPT", 2)
    sink = await start_mail_sink(home)
    for subject in ("one", "two", "three"):
        await aiosmtplib.send(reminder(subject), hostname=sink.host, port=sink.port)
    subjects = [message_from_bytes(file.read_bytes())["Subject"] for file in sink.messages()]
    assert subjects == ["two", "three"]
    await sink.stop()


def test_what_makes_room_while_it_is_read_is_passed_over(home: Path) -> None:
    (home / "mail").mkdir(parents=True)
    for name in ("1.eml", "2.eml", "3.eml"):
        (home / "mail" / name).write_text(name)
    reading = kept_letters(home)
    assert next(reading)[1] == b"1.eml"
    (home / "mail" / "2.eml").unlink()
    assert [content for _, content in reading] == [b"3.eml"]


async def test_it_stops_with_a_client_that_idles_and_comes_back_at_the_same_port(
    home: Path,
) -> None:
    sink = await start_mail_sink(home)
    reader, writer = await asyncio.open_connection(sink.host, sink.port)
    assert (await reader.readline()).startswith(b"220 ")
    async with asyncio.timeout(30):
        await sink.stop()
    assert await reader.read() == b""
    writer.close()
    again = await start_mail_sink(home)
    assert again.port == sink.port
    await again.stop()
