"""A cause can turn out to be sensitive later: then everything that came of it is, and what has not left names no place.

What people write at a program under 42 CFR Part 2 is the program's, from the first and from before.
"""

import asyncio
from uuid import UUID, uuid4

from carehub.access.v1 import access_pb2
from carehub.messaging.v1 import messaging_events_pb2 as events
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from prometheus_client import REGISTRY

from services.messaging.store import ContactStore
from tests.component.messaging.conftest import at
from tests.component.messaging.test_messages import FIRST
from tests.component.messaging.test_replies import asked
from tests.component.messaging.test_threads import may_see, refused, start

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


def names(labels):
    return [access_pb2.Label.Name(each).removeprefix("LABEL_") for each in labels]


async def write(m, patient, token=None, **fields):
    request = rpc.SendMessageRequest(
        **{"patient_id": str(patient), "facility_id": str(m.here), "text": "Call us."} | fields
    )
    return await m.call("SendMessage", request, token)


async def seen(m, patient, token=None):
    """The messages and threads of a patient that somebody is shown, by their ids."""
    messages = rpc.ListMessagesRequest(patient_id=str(patient))
    threads = rpc.ListThreadsRequest(patient_id=str(patient))
    listed = (await m.call("ListMessages", messages, token)).messages
    return {each.id for each in (*listed, *(await m.call("ListThreads", threads, token)).threads)}


async def test_what_people_write_at_a_program_is_shown_to_the_program_alone(messaging):
    async with messaging() as m:
        patient, river = await m.patient(facilities=[m.here, m.there]), m.token(m.other, m.there)
        await may_see(m, patient, m.there)
        await m.feed(m.here)
        written, thread = await write(m, patient), await start(m, patient)
        assert [names(each.labels) for each in (written, thread)] == [["PART2"], ["PART2"]]
        assert names((await m.told(events.PatientMessageChanged))[-1].labels) == ["PART2"]
        assert names((await m.told(events.ThreadChanged))[-1].labels) == ["PART2"]
        assert await seen(m, patient) == {written.id, thread.id}
        assert await seen(m, patient, river) == set()
        get = rpc.GetThreadRequest(thread_id=thread.id)
        await refused(m.call("GetThread", get, river), "THREAD_NOT_FOUND")
        # What the hospital writes is as it was, and the program is shown it as before.
        await may_see(m, patient, m.there, m.here, version=2)
        theirs = {"facility_id": str(m.there)}
        of_hospital = await write(m, patient, river, **theirs), await start(m, patient, river, **theirs)  # fmt: skip
        assert [names(each.labels) for each in of_hospital] == [["NORMAL"], ["NORMAL"]]
        ids = {each.id for each in of_hospital}
        assert await seen(m, patient, river) == ids
        assert await seen(m, patient) == {written.id, thread.id} | ids


async def test_a_hospital_with_a_program_of_its_own_is_no_program(messaging):
    async with messaging() as m:
        patient = await m.patient()
        await m.feed(m.there)
        await m.feed(m.here, is_program=False)
        await m.feed(m.here, m.there)
        assert names((await write(m, patient)).labels) == ["NORMAL"]
        assert names((await start(m, patient)).labels) == ["NORMAL"]


async def test_what_people_say_of_labels_only_adds(messaging):
    async with messaging() as m:
        patient, left = await m.patient(), m.hub.clock()
        loop = str(await m.discharged(patient, left, label="PART2"))
        of_any = str(await m.discharged(patient, left))

        async def labels(*said, **fields):
            said = [access_pb2.Label.Value(f"LABEL_{each}") for each in said]
            return names((await start(m, patient, labels=said, **fields)).labels)

        assert await labels("NORMAL", loop_id=loop) == ["PART2"]
        assert await labels("HIV", loop_id=loop) == ["HIV", "PART2"]
        assert await labels("HIV", loop_id=of_any) == ["HIV"]
        assert await labels("NORMAL", loop_id=of_any) == ["NORMAL"]
        # Of a loop that nobody here can read nobody knows what it is.
        assert await labels("NORMAL", loop_id=str(uuid4())) == ["WITHHELD"]
        await m.feed(m.here)
        assert await labels("NORMAL") == ["PART2"]
        assert await labels("HIV", loop_id=of_any) == ["HIV", "PART2"]
        assert await labels("WITHHELD") == ["WITHHELD"]


async def labels_at(m, table, facility, labels):
    """Once everything there has these labels and no other; how many rows that are."""
    other = f"SELECT count(*) FROM {table} WHERE facility_id = $1 AND labels <> $2"
    await m.until_rows(other, 0, facility, labels)
    return (await m.rows(f"SELECT count(*) FROM {table} WHERE facility_id = $1", facility))[0][0]


async def test_what_people_wrote_before_is_labeled_when_a_program_is_told_of(messaging):
    async with messaging() as m:
        patient = await m.patient(facilities=[m.here, m.there], language="en")
        await may_see(m, patient, m.there, m.here)
        left, river = await write(m, patient), m.token(m.other, m.there)
        await m.received(patient, 1)
        await m.answer("who is this")
        await m.received(patient, 2)
        said = await start(m, patient, labels=[access_pb2.LABEL_HIV])
        withheld = await start(m, patient, loop_id=str(uuid4()))
        theirs = await start(m, patient, river, facility_id=str(m.there))
        other = await m.patient(phone="+12175550149")
        m.hub.clock.set(at("2026-09-04 22:00"))
        assert (await write(m, other)).waits_for == "QUIET_HOURS"
        visit = await m.appointment(other, at("2026-09-14 09:30"))  # is as scheduling says
        assert {left.id, said.id, theirs.id} - await seen(m, patient, river) == {said.id}
        feed = await m.feed(m.here, is_program=False)
        of_people = "messages WHERE appointment_id IS NULL AND facility_id = $1 AND labels"
        await m.feed(m.here, id=feed, version=2)
        await m.until_rows(f"SELECT count(*) FROM {of_people} <> '{{PART2}}'", 0, m.here)
        await m.until_rows("SELECT count(*) FROM timers WHERE kind = 'program'", 0)
        assert (await m.rows(f"SELECT count(*) FROM {of_people} = '{{PART2}}'", m.here))[0][0] == 3
        for table in ("replies", "telephone"):
            assert await labels_of(m, table) == {("PART2",)}, table
        rows = await m.rows("SELECT id, reason, labels FROM threads")
        assert {(row["reason"], *row["labels"]) for row in rows} == {
            ("REPLY", "PART2"), ("PEOPLE", "HIV", "PART2"), ("PEOPLE", "WITHHELD"), ("PEOPLE", "NORMAL"),
        }  # fmt: skip
        labels = {str(row["id"]): row["labels"] for row in rows}
        assert (labels[theirs.id], labels[withheld.id]) == (["NORMAL"], ["WITHHELD"])
        reminders = await m.rows("SELECT DISTINCT labels FROM messages WHERE appointment_id = $1", visit)  # fmt: skip
        assert [row["labels"] for row in reminders] == [["NORMAL"]]
        assert await seen(m, patient, river) == {theirs.id}
        for kind in (events.MessageSent, events.ReplyReceived, events.ThreadChanged):
            assert "PART2" in names((await m.told(kind))[-1].labels), kind
        # Told again, nothing is another one.
        versions = await m.rows("SELECT id, version FROM messages UNION SELECT id, version FROM threads ORDER BY id")  # fmt: skip
        await m.feed(m.here, id=feed, version=3)
        await m.until_rows("SELECT count(*) FROM timers WHERE kind = 'program'", 0)
        assert await m.rows("SELECT id, version FROM messages UNION SELECT id, version FROM threads ORDER BY id") == versions  # fmt: skip
        assert names((await m.call("GetThread", rpc.GetThreadRequest(thread_id=said.id))).labels) == ["HIV", "PART2"]  # fmt: skip


async def test_however_much_people_wrote_all_of_it_is_labeled(messaging):
    async with messaging() as m:
        thread = await start(m, await m.patient())
        await m.rows(
            """INSERT INTO threads SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*
            FROM threads t, generate_series(1, 250) WHERE t.id = $1""",
            UUID(thread.id),
        )
        feed = await m.feed(m.here)
        assert await labels_at(m, "threads", m.here, ["PART2"]) == 251
        # Told again, it looks again: a process of the version before may have written meanwhile.
        await m.rows("UPDATE threads SET labels = '{NORMAL}' WHERE id = $1", UUID(thread.id))
        await m.feed(m.here, id=feed, version=2)
        assert await labels_at(m, "threads", m.here, ["PART2"]) == 251


async def test_what_is_written_while_a_program_is_told_of_is_the_programs(messaging):
    async with messaging() as m:
        patient, is_held, is_writing = await m.patient(), asyncio.Event(), asyncio.Event()

        async def after(event, work, *which):
            await event.wait()
            return await work(*which)

        # Begun outside of the transaction, in which nobody may call.
        written = asyncio.create_task(after(is_held, write, m, patient))
        told = asyncio.create_task(after(is_writing, m.feed, m.here))
        async with m.hub.system("messaging") as tx:
            await ContactStore(tx).alone_with([patient])
            is_held.set()
            await m.until_rows("SELECT count(*) FROM pg_locks WHERE NOT granted", 1)
            is_writing.set()
            await m.until_rows("SELECT count(*) FROM pg_locks WHERE NOT granted", 2)
        assert names((await written).labels) == ["NORMAL"]
        await told
        assert await labels_at(m, "messages", m.here, ["PART2"]) == 1
