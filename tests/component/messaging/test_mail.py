"""E-mail to patients: handed to a mail server outside of the transaction, at least once, without words in the subject."""

import asyncio
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP
from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc

from libs.local.mail import start_mail_sink
from libs.local.process import free_port
from tests.component.messaging.conftest import at
from tests.component.messaging.test_messages import FIRST


@pytest.fixture
async def sink(tmp_path):
    running = await start_mail_sink(tmp_path)
    yield running
    await running.stop()


class SlowServer:
    """A mail server that has the letter and does not say so until it is let."""

    def __init__(self):
        self.recipients, self._may_answer = [], asyncio.Event()

    async def handle_DATA(self, _server, _session, envelope):
        self.recipients += envelope.rcpt_tos
        await self._may_answer.wait()
        return "250 OK"

    def answer(self):
        self._may_answer.set()

    async def has_one(self):
        return bool(self.recipients)


@pytest.fixture
async def slow():
    slow = SlowServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(slow, loop=loop), "127.0.0.1", 0)
    [socket] = server.sockets
    slow.env = {
        "MESSAGING_SMTP_HOST": "127.0.0.1", "MESSAGING_SMTP_PORT": str(socket.getsockname()[1])
    }  # fmt: skip
    yield slow
    slow.answer()
    server.close()


async def prefers_mail(m, address, **fields):
    patient = await m.patient(language="es", **fields)
    request = rpc.UpdateContactRequest()
    request.contact.id, request.contact.email = str(patient), address
    request.contact.preferred_channel = "email"
    await m.call("UpdateContact", request)
    return patient


async def by_mail(m):
    """A patient who would rather have e-mail, and is told what happens next."""
    patient = await prefers_mail(m, "rosa@example.org")
    await m.discharged(patient, at("2026-09-04 09:40"))
    m.hub.clock.move(FIRST)
    return patient


async def test_who_prefers_mail_gets_mail(messaging, sink):
    async with messaging(MESSAGING_SMTP_HOST=sink.host, MESSAGING_SMTP_PORT=str(sink.port)) as m:
        patient = await by_mail(m)
        message = await m.state(patient, "discharge-next", "SENT")
        [file] = sink.messages()
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert mail["To"] == "rosa@example.org"
        assert mail["Subject"] == "Un mensaje de su equipo de salud"
        assert mail["Message-ID"] == f"<{message.id}@carehub>"
        assert "le llamará en los próximos 2 días" in mail.get_content()
        [sent] = await m.told(events.MessageSent)
        assert sent.channel == "email"


async def test_a_mail_server_that_is_away_is_tried_again(messaging):
    away = {"MESSAGING_SMTP_HOST": "127.0.0.1", "MESSAGING_SMTP_PORT": str(free_port())}
    async with messaging(**away) as m:
        patient = await by_mail(m)
        # Sooner than the lease of whoever tries it ends.
        put_off = "SELECT count(*) FROM messages WHERE state = 'READY' AND tries = $1 AND next_try_at < $2"
        soon = timedelta(seconds=100)
        await m.until_rows(put_off, 1, 1, m.hub.clock() + soon)
        m.hub.clock.move(timedelta(minutes=1))
        await m.until_rows(put_off, 1, 2, m.hub.clock() + soon)
        assert await m.told(events.MessageSent) == []
        assert (await m.messages(patient))["discharge-next"].channel == "email"


async def test_no_letter_waits_for_another_between_the_look_and_its_leaving(messaging, slow):
    async with messaging(**slow.env) as m:
        patients = {
            "a@example.org": await prefers_mail(m, "a@example.org", phone=""),
            "b@example.org": await prefers_mail(m, "b@example.org", phone=""),
        }
        for patient in patients.values():
            await m.discharged(patient, at("2026-09-04 09:40"))
        m.hub.clock.move(FIRST)
        await m.until_rows("SELECT count(*) FROM messages WHERE state = 'READY'", 2)
        await m.hub.until(slow.has_one, what="one letter is with the server")
        [first] = slow.recipients
        [second] = patients.keys() - {first}
        request = rpc.UpdateContactRequest()
        request.contact.id = str(patients[second])
        request.contact.consents.add(channel="email", state=3)
        await m.call("UpdateContact", request)
        slow.answer()
        await m.state(patients[first], "discharge-next", "SENT")
        message = await m.state(patients[second], "discharge-next", "WITHDRAWN")
        assert message.reason == "NO_CONSENT"
        assert slow.recipients == [first]


async def test_what_went_out_is_told_as_sent_whatever_was_decided_meanwhile(messaging, slow):
    async with messaging(**slow.env) as m:
        patient = await prefers_mail(m, "a@example.org")
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        m.hub.clock.move(FIRST)
        await m.hub.until(slow.has_one, what="the letter is with the server")
        await m.appointment(patient, at("2026-09-14 09:30"), id=visit, version=2, state="CANCELLED")
        await m.state(patient, "appointment-booked", "WITHDRAWN")
        slow.answer()
        message = await m.state(patient, "appointment-booked", "SENT")
        assert "lunes 14 de septiembre" in message.text
        assert (message.reason, message.channel) == ("", "email")
        counted = "SELECT count(*) FROM messages WHERE counted_on = '2026-09-04' AND state = 'SENT'"
        await m.until_rows(counted, 1)
        [sent] = await m.told(events.MessageSent)
        assert sent.appointment_id == str(visit)
