"""What careplans tells of preferences: kept in whichever order it comes, and true for what is sent."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import careplans_events_pb2
from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.registry.v1 import registry_events_pb2

from libs.chassis.fields import to_timestamp
from libs.conveyor.inbox import Delivery
from services.messaging.consumers.patients import follow_patients
from services.messaging.consumers.preferences import follow_preferences
from services.messaging.store import ContactStore, WishStore
from tests.component.careplans.conftest import Careplans
from tests.component.messaging.conftest import Messaging, at

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
SEED = 20260904


def preferences(id, version, patient, facility, when, *, label="NORMAL", **said):
    event = careplans_events_pb2.PreferencesChanged(version=version)
    told = event.preferences
    told.id, told.patient_id, told.facility_id = str(id), str(patient), str(facility)
    told.update_time.CopyFrom(to_timestamp(when))
    told.labels.append(access_pb2.Label.Value(f"LABEL_{label}"))
    for name, value in said.items():
        setattr(told, name, value)
    return event


def merged(survivor, retired):
    return registry_events_pb2.PatientsMerged(survivor_id=str(survivor), retired_id=str(retired), version=9)  # fmt: skip


async def hear(hub, event):
    """As the conveyor brings it, by itself."""
    is_merge = isinstance(event, registry_events_pb2.PatientsMerged)
    key = event.retired_id if is_merge else event.preferences.id
    one = Delivery(id=uuid4(), event=event, key=key, version=event.version, facility_id=None)
    async with hub.system("messaging") as tx:
        await (follow_patients if is_merge else follow_preferences)(tx, [one])


class Told:
    """What careplans and registry tell of two records that become one: facilities write, and one row becomes sensitive."""

    def __init__(self, rng):
        self.rng, self.events, self.at = rng, [], BEGIN
        self.retired, self.survivor = uuid4(), uuid4()
        self.here, self.there = uuid4(), uuid4()
        self.rows = {}
        for _ in range(rng.randrange(1, 6)):
            self.write(rng.choice([self.retired, self.survivor]), rng.choice([self.here, self.there]))  # fmt: skip
        if rng.random() < 0.8:
            self.merge()
        for _ in range(rng.randrange(3)):
            self.write(self.survivor, rng.choice([self.here, self.there]))
        if rng.random() < 0.3:
            self.write(self.survivor, self.here, label="PART2")

    def write(self, patient, facility, label="NORMAL"):
        self.at += timedelta(hours=self.rng.randrange(1, 9))
        known = self.rows.get((patient, facility))
        id, version = (known[0], known[1] + 1) if known else (uuid4(), 1)
        self.tell((id, version, patient, facility, self.at, f"l-{len(self.events)}", label))

    def tell(self, row):
        id, version, patient, facility, when, language, label = self.rows[row[2], row[3]] = row
        self.events.append(
            preferences(id, version, patient, facility, when, label=label, language=language)
        )

    def merge(self):
        """As careplans does it: of two that one facility wrote down the newer stays, and nobody is told of the other."""
        self.events.append(merged(self.survivor, self.retired))
        for facility in (self.here, self.there):
            row, other = self.rows.pop((self.retired, facility), None), self.rows.get((self.survivor, facility))  # fmt: skip
            if row and (other is None or other[4] < row[4]):
                id, version, _, _, *said = row
                self.tell((id, version + 1, self.survivor, facility, *said))

    def expected(self):
        """The language of each record's wish: the one that was written down last, of those that are ordinary."""
        out = {}
        for _, _, patient, _, when, language, label in self.rows.values():
            if label == "NORMAL":
                out[patient] = max(out.get(patient, (BEGIN, "")), (when, language))
        return {patient: language for patient, (_, language) in out.items()}


async def test_in_any_order_and_twice_the_same_wish_counts(hub):
    rng = random.Random(SEED)
    async with hub("messaging") as running:
        for number in range(25):
            story = Told(rng)
            heard = [*story.events, *rng.choices(story.events, k=3)]
            rng.shuffle(heard)
            for event in heard:
                await hear(running, event)
            async with running.system("messaging") as tx:
                found = await WishStore(tx).of([story.retired, story.survivor])
            languages = {patient: wish.language for patient, wish in found.items()}
            assert languages == story.expected(), (SEED, number)


async def test_what_becomes_sensitive_is_dropped_and_does_not_come_back(messaging):
    async with messaging() as m:
        patient, id = await m.patient(language="en"), uuid4()
        plain = preferences(id, 1, patient, m.here, BEGIN, language="es", best_from="09:00", best_until="12:00")  # fmt: skip
        await m.hub.publish(plain, key=id, version=1)
        await m.until_rows("SELECT count(*) FROM wishes WHERE patient_id = $1", 1, patient)
        contact = await m.call("GetContact", rpc.GetContactRequest(patient_id=str(patient)))
        assert (contact.language, contact.wishes.best_from) == ("es", "09:00")
        program = preferences(id, 2, patient, m.here, BEGIN, label="PART2", language="es")
        await m.hub.publish(program, key=id, version=2)
        await m.until_rows("SELECT count(*) FROM wishes WHERE version = 2", 1)
        await hear(m.hub, plain)
        [row] = await m.rows("SELECT * FROM wishes")
        assert {row["patient_id"].int, row["facility_id"].int} == {0}
        assert (row["language"], row["best_from"]) == ("", "")
        contact = await m.call("GetContact", rpc.GetContactRequest(patient_id=str(patient)))
        assert (contact.language, contact.HasField("wishes")) == ("en", False)


async def test_what_people_write_here_comes_before_the_wish_and_emptied_the_wish_counts(messaging):
    async with messaging() as m:
        patient, id = await m.patient(language="fr"), uuid4()
        await m.hub.publish(preferences(id, 1, patient, m.here, BEGIN, language="es"), key=id)
        await m.until_rows("SELECT count(*) FROM wishes", 1)

        async def change(**fields):
            request = rpc.UpdateContactRequest()
            request.contact.id = str(patient)
            request.update_mask.paths.extend(fields)
            for name, value in fields.items():
                setattr(request.contact, name, value)
            return await m.call("UpdateContact", request)

        # Whoever changes something else does not write the wish down as their own.
        assert (await change(is_shared_phone=True)).language == "es"
        await m.until_rows("SELECT count(*) FROM contacts WHERE language = ''", 1)
        assert (await change(language="en")).language == "en"
        after = await change(language="")
        assert (after.language, after.wishes.language) == ("es", "es")


async def test_people_see_of_wishes_what_careplans_would_show_them(messaging):
    async with messaging() as m:
        patient, id = await m.patient(language="en", facilities=[m.here, m.there]), uuid4()
        await m.hub.publish(preferences(id, 1, patient, m.here, BEGIN, language="es"), key=id)
        await m.until_rows("SELECT count(*) FROM wishes", 1)
        request = rpc.GetContactRequest(patient_id=str(patient))
        assert (await m.call("GetContact", request)).wishes.language == "es"
        elsewhere = await m.call("GetContact", request, m.token(m.other, m.there))
        assert (elsewhere.language, elsewhere.HasField("wishes")) == ("en", False)


async def test_what_somebody_wished_when_their_care_plan_was_made_holds_for_their_reminder(hub):
    settings = {"MESSAGING_TELEPHONE": "local", "MESSAGING_UNKNOWN_CONSENT": "allow"}
    async with hub("careplans", "messaging", env=settings, now=at("2026-09-07 10:00")) as running:
        m, c = Messaging(running), Careplans(running)
        c.here = m.here
        await m.people()
        await c.until_rows("SELECT count(*) FROM facilities", 2)
        patient, later = await m.patient(language="en"), await m.patient(phone="")
        told = careplans_events_pb2.PreferencesChanged().preferences
        told.patient_id, told.facility_id, told.language = str(patient), str(m.here), "es"
        told.best_from, told.best_until = "13:30", "16:00"
        await c.call("UpdatePreferences", c.token(), preferences=told)
        await m.until_rows("SELECT count(*) FROM wishes WHERE patient_id = $1", 1, patient)
        await m.appointment(patient, at("2026-09-10 09:30"))
        running.clock.set(at("2026-09-07 10:11"))

        async def due(kind):
            found = (await m.messages(patient))[kind].due_time.ToDatetime(tzinfo=UTC)
            return at("2026-09-07 14:00") <= found < at("2026-09-07 14:11")

        await running.until(lambda: due("appointment-booked"), what="due in her hours")
        assert (await m.messages(patient))["appointment-booked"].state == 1
        # The same person, who has another record: their wish goes with them, and so does what waits.
        await running.publish(merged(later, patient), key=patient, version=9)
        await m.patient(later, 2, phone="+12175550177", language="en")
        await m.until_rows("SELECT count(*) FROM wishes WHERE patient_id = $1", 1, later)
        await m.until_rows("SELECT count(*) FROM messages WHERE patient_id = $1", 3, later)
        running.clock.set(at("2026-09-07 14:22"))
        [message] = await m.received(later, 1)
        assert "Prairie Clinic: su visita" in message.text


async def test_who_has_a_telephone_for_calls_alone_gets_no_text_and_has_refused_none(messaging):
    async with messaging() as m:
        patient, id = await m.patient(), uuid4()
        event = preferences(id, 1, patient, m.here, BEGIN, telephone=2)
        await m.hub.publish(event, key=id)
        await m.until_rows("SELECT count(*) FROM wishes", 1)
        await m.appointment(patient, at("2026-09-14 09:30"))
        m.later(minutes=11)
        sent = await m.state(patient, "appointment-booked", "SENT")
        assert sent.channel == "voice"
        contact = await m.call("GetContact", rpc.GetContactRequest(patient_id=str(patient)))
        assert contact.wishes.has_no_texts
        assert {each.state for each in contact.consents} == {1}


async def test_what_people_write_while_records_are_merged_is_the_survivors(messaging):
    async with messaging() as m:
        retired, survivor = await m.patient(), await m.patient(language="en")
        change = rpc.UpdateContactRequest()
        change.contact.id, change.contact.language = str(retired), "vi"
        change.update_mask.paths.append("language")
        words = rpc.SendMessageRequest(
            patient_id=str(retired), facility_id=str(m.here), text="Call us, please."
        )
        held = asyncio.Event()

        async def meanwhile(method, request):
            await held.wait()
            return await m.call(method, request)

        # Begun outside of the transaction, in which nobody may call.
        asked = [
            asyncio.create_task(meanwhile("UpdateContact", change)),
            asyncio.create_task(meanwhile("SendMessage", words)),
        ]
        async with m.hub.system("messaging") as tx:
            await ContactStore(tx).alone_with([retired, survivor])
            held.set()
            await m.until_rows("SELECT count(*) FROM pg_locks WHERE NOT granted", len(asked))
            event = merged(survivor, retired)
            await follow_patients(tx, [Delivery(id=uuid4(), event=event, key=event.retired_id, version=9, facility_id=None)])  # fmt: skip
        contact, message = await asyncio.gather(*asked)
        assert (contact.id, contact.language) == (str(survivor), "vi")
        assert message.patient_id == str(survivor)
