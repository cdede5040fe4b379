"""A cause can turn out to be sensitive later: then everything that came of it is, and what has not left names no place."""

from carehub.access.v1 import access_pb2
from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from prometheus_client import REGISTRY

from tests.component.messaging.conftest import at
from tests.component.messaging.test_messages import FIRST
from tests.component.messaging.test_replies import asked
from tests.component.messaging.test_threads import start

ROWS = ("messages", "replies", "threads", "telephone")


async def labels_of(m, table):
    return {tuple(row["labels"]) for row in await m.rows(f"SELECT labels FROM {table}")}


async def test_a_visit_that_turns_out_to_be_sensitive_is_reminded_of_without_a_place(messaging):
    async with messaging() as m:
        patient = await m.patient(language="en")
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        await m.appointment(patient, at("2026-09-14 09:30"), id=visit, version=2, label="PART2")
        m.hub.clock.move(FIRST)
        [message] = await m.received(patient, 1)
        assert message.text.startswith("You have a visit on Monday")
        assert await labels_of(m, "messages") == {("PART2",)}


async def test_what_left_and_what_came_of_it_is_as_sensitive_as_its_cause_has_become(messaging):
    async with messaging() as m:
        patient = await asked(m)
        [loop] = [row["id"] for row in await m.rows("SELECT id FROM transitions")]
        await m.answer("who is this")
        await m.answer("START")
        await m.received(patient, 3)
        for table in ROWS:
            assert await labels_of(m, table) == {("NORMAL",)}, table
        await m.discharged(patient, at("2026-09-04 09:40"), loop=loop, version=2, label="PART2")
        for table in ROWS:
            assert await labels_of(m, table) == {("PART2",)}, table
        for kind in (events.MessageSent, events.ReplyReceived, events.ThreadChanged):
            last = (await m.told(kind))[-1]
            assert list(last.labels) == [access_pb2.LABEL_PART2], kind
            assert last.version > 1
        assert len(await m.told(events.ReplyReceived)) == 2  # START is told to nobody


async def test_a_thread_of_people_becomes_as_sensitive_as_its_loop_and_never_less(messaging):
    async with messaging() as m:
        patient, left = await m.patient(), m.hub.clock()
        loop = await m.discharged(patient, left)
        about = await start(m, patient, loop_id=str(loop))
        closed = await start(m, patient, loop_id=str(loop))
        await m.call("AcceptThread", rpc.AcceptThreadRequest(thread_id=closed.id))
        await m.call("CloseThread", rpc.CloseThreadRequest(thread_id=closed.id))
        of_no_loop = await start(m, patient)
        said = await start(m, patient, loop_id=str(loop), labels=[access_pb2.LABEL_HIV])

        async def become(version, label, *expected):
            await m.discharged(patient, left, loop=loop, version=version, label=label)
            ids = [each.id for each in (about, closed, said, of_no_loop)]
            rows = {
                str(row["id"]): sorted(row["labels"])
                for row in await m.rows("SELECT id, labels FROM threads")
            }
            assert [rows[id] for id in ids] == [*expected, ["NORMAL"]]

        await become(2, "SUD", ["SUD"], ["SUD"], ["HIV", "SUD"])
        told = [list(each.labels) for each in await m.told(events.ThreadChanged)]
        assert told.count([access_pb2.LABEL_SUD]) == 2
        await become(3, "NORMAL", ["SUD"], ["SUD"], ["HIV", "SUD"])
        await become(4, "WITHHELD", ["WITHHELD"], ["WITHHELD"], ["WITHHELD"])
        await become(5, "NORMAL", ["WITHHELD"], ["WITHHELD"], ["WITHHELD"])


async def test_a_thread_about_two_replies_is_as_sensitive_as_both(messaging):
    async with messaging(now="2026-09-04 10:00") as m:
        patient = await asked(m)
        await m.answer("who is this")
        await m.received(patient, 2)
        m.hub.clock.set(at("2026-09-05 09:00"))
        visit = await m.appointment(patient, at("2026-09-20 09:30"))
        m.hub.clock.move(FIRST)
        await m.received(patient, 3)
        await m.appointment(patient, at("2026-09-20 09:30"), id=visit, version=2, state="NO_SHOW")
        m.hub.clock.move(FIRST)
        await m.received(patient, 4)
        await m.answer("why do you ask")
        assert await labels_of(m, "threads") == {("NORMAL",)}
        await m.appointment(
            patient, at("2026-09-20 09:30"), id=visit, version=3, state="NO_SHOW", label="HIV"
        )
        assert await labels_of(m, "threads") == {("HIV",)}
        assert await labels_of(m, "replies") == {("NORMAL",), ("HIV",)}
        await m.appointment(patient, at("2026-09-20 09:30"), id=visit, version=4, state="NO_SHOW")
        assert await labels_of(m, "threads") == {("NORMAL",)}


async def test_the_thread_about_silence_is_as_sensitive_as_the_last_question(messaging):
    async with messaging() as m:
        patient = await asked(m)
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        for day, count in (("2026-09-05 08:11", 2), ("2026-09-11 10:11", 3), ("2026-09-13 10:11", 4)):  # fmt: skip
            m.hub.clock.set(at(day))
            await m.received(patient, count)
        m.later(hours=25)
        await m.until_rows("SELECT count(*) FROM threads WHERE reason = 'UNANSWERED'", 1)
        await m.appointment(patient, at("2026-09-14 09:30"), id=visit, version=2, label="SUD")
        assert await labels_of(m, "threads") == {("SUD",)}


def counted(channel, outcome):
    labels = {"channel": channel, "outcome": outcome}
    return REGISTRY.get_sample_value("carehub_notifications_total", labels) or 0.0


async def test_what_became_of_a_message_is_counted_once_however_often_it_is_labeled(messaging):
    async with messaging() as m:
        sent, withdrawn = counted("sms", "sent"), counted("none", "changed")

        async def become(count):
            async def is_counted():
                return counted("none", "changed") - withdrawn >= count

            await m.hub.until(is_counted, what=f"{count} withdrawals are counted")
            assert counted("none", "changed") - withdrawn == count

        patient = await asked(m)  # and the clock stands still from here on
        [loop] = [row["id"] for row in await m.rows("SELECT id FROM transitions")]
        visit = await m.appointment(patient, at("2026-09-14 09:30"))
        [(planned,)] = await m.rows(
            "SELECT count(*) FROM messages WHERE appointment_id = $1", visit
        )
        for version, label in enumerate(("NORMAL", "SUD", "HIV"), 2):
            told = {"id": visit, "version": version, "state": "CANCELLED", "label": label}
            await m.appointment(patient, at("2026-09-14 09:30"), **told)
        await m.discharged(patient, at("2026-09-04 09:40"), loop=loop, version=2, label="SUD")
        assert await labels_of(m, "messages") == {("HIV",), ("SUD",)}
        # What is told after it is counted after it.
        other = await m.appointment(patient, at("2026-09-21 09:30"))
        await m.appointment(patient, at("2026-09-21 09:30"), id=other, version=2, state="CANCELLED")
        await become(2 * planned)
        assert counted("sms", "sent") - sent == 1
