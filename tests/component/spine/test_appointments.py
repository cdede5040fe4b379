"""From an SIU message to an appointment, and to the visit that shows that it took place: the whole way."""

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_service_pb2
from carehub.interop.v1.feed_pb2 import Feed
from carehub.interop.v1.interop_service_pb2 import CreateFeedRequest, SendMessageRequest

from libs.testing.hub import caller_token
from tests.component.scheduling.conftest import BOOKED, CANCELLED, FULFILLED, Scheduling, at

INTEROP = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]
PID = "PID|1||4711^^^MERCY^MR||DOE^JANE||19500102|F"


def siu(trigger, control_id, number="A-1", status="Booked", made="20260904170000", start="20260907090000"):  # fmt: skip
    return (
        f"MSH|^~\\&|SCH|MERCY|CAREHUB|HUB|{made}||SIU^{trigger}^SIU_S12|{control_id}|P|2.5.1\r"
        f"SCH||{number}|||||^Wound check||30|min|^^30^{start}" + "|" * 14 + f"{status}\r{PID}\r"
    )


def adt(trigger, control_id, at):
    return (
        f"MSH|^~\\&|ADT|MERCY|CAREHUB|HUB|{at}||ADT^{trigger}|{control_id}|P|2.5.1\r"
        f"EVN|{trigger}|{at}\r{PID}\rPV1|1|O|CLINIC" + "|" * 16 + f"V-1{'|' * 25}{at}\r"
    )


async def test_from_the_message_to_the_kept_appointment(hub):
    now = at("2026-09-04 18:00")
    async with hub("interop", "registry", "scheduling", now=now) as running:
        clinic = Scheduling(running)
        facility = identity_events_pb2.FacilityChanged(version=1)
        facility.facility.id, facility.facility.time_zone = str(clinic.here), "America/Chicago"
        await running.publish(facility, key=clinic.here)
        await clinic.until_rows("SELECT count(*) FROM facilities", 1)
        token = caller_token(
            permissions=["feeds.read", "feeds.write", "feeds.send"], facilities=[clinic.here]
        )

        async def known():
            async with running.system("interop") as tx:
                rows = await tx._connection.fetch("SELECT 1 FROM facilities")
            return bool(rows)

        await running.until(known, what="the facility at interop")
        feed = await running.call(
            INTEROP, "CreateFeed",
            CreateFeedRequest(feed=Feed(facility_id=str(clinic.here), name="Mercy", sending_facility="MERCY")),
            Feed, token=token,
        )  # fmt: skip

        async def send(text):
            request = SendMessageRequest(feed_id=feed.id, message=text)
            kind = interop_service_pb2.SendMessageResponse
            return await running.call(INTEROP, "SendMessage", request, kind, token=token)

        async def appointments(count):
            async def there():
                found = await clinic.rows("SELECT id, external_number AS n FROM appointments")
                return len(found) == count and {row["n"]: str(row["id"]) for row in found}

            return await running.until(there, what=f"{count} appointments")

        assert (await send(siu("S12", "C1"))).code == "AA"
        assert (await send(siu("S12", "C2", "A-2", start="20260907100000"))).code == "AA"
        ids = await appointments(2)
        first = await clinic.until_state(ids["A-1"], BOOKED)
        assert first.start_time.seconds == int(at("2026-09-07 09:00").timestamp())
        await send(siu("S15", "C3", "A-2", "Booked", made="20260904171500"))
        gone = await clinic.until_state(ids["A-2"], CANCELLED)
        assert (gone.cancel_reason, gone.patient_id) == ("FEED", first.patient_id)
        running.clock.set(at("2026-09-07 10:00"))
        await send(adt("A04", "C4", "20260907085500"))
        kept = await clinic.until_state(ids["A-1"], FULFILLED)
        assert kept.encounter_id
        await send(adt("A11", "C5", "20260907095500"))
        await running.until(
            lambda: _is_missed(clinic, ids["A-1"]), what="the visit to be taken back"
        )


async def _is_missed(clinic, appointment_id):
    rows = await clinic.rows("SELECT state FROM appointments WHERE id = $1", appointment_id)
    return rows[0]["state"] == "NO_SHOW"
