"""E-mail to patients: handed to a mail server outside of the transaction, at least once, without words in the subject."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
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


async def by_mail(m):
    """A patient who would rather have e-mail, and is told what happens next."""
    patient = await m.patient(language="es")
    request = rpc.UpdateContactRequest()
    request.contact.id, request.contact.email = str(patient), "rosa@example.org"
    request.contact.preferred_channel = "email"
    await m.call("UpdateContact", request)
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
        tries = "SELECT count(*) FROM messages WHERE state = 'READY' AND tries >= $1"
        await m.until_rows(tries, 1, 1)
        m.hub.clock.move(timedelta(minutes=1))
        await m.until_rows(tries, 1, 2)
        assert await m.told(events.MessageSent) == []
        assert (await m.messages(patient))["discharge-next"].channel == "email"
