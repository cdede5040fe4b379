"""Who has looked at a patient, by person and day: of one's own facilities, or of all for a privacy officer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from carehub.audit.v1 import audit_pb2

from libs.chassis.pages import encode_cursor
from libs.chassis.wire import CallFailed
from libs.ledger.looks import day_of
from libs.testing.hub import caller_token
from tests.component.ledger.test_entries import HERE, SERVICE, THERE, Told, nurse

PAT = uuid4()
# Late in the evening in Chicago, and the next day in UTC.
EVENING = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


def officer():
    return caller_token(
        permissions=["patients.read", "audit.read"], facilities=[HERE], roles=["privacy_officer"]
    )


async def looks(h, token="", **fields):
    request = audit_pb2.ListLooksRequest(**({"patient_id": str(PAT)} | fields))
    kind = audit_pb2.ListLooksResponse
    return await h.call(SERVICE, "ListLooks", request, kind, token=token or nurse())


def places(page):
    """Without what the reading itself leaves, which is of today."""
    return [
        (f"{day_of(one):%d}", one.person_id, one.count)
        for one in page.looks
        if day_of(one).day in {20, 21, 22}
    ]


async def test_what_a_person_did_on_a_day_is_one_row_of_the_newest_day_first(hub):
    async with hub("interop", now=EVENING + timedelta(days=3)) as h:
        told, lee = Told(EVENING), uuid4()
        mine = {"patients": [PAT], "subject": lee}
        told(**mine)
        told(
            **mine,
            purpose="EMERGENCY",
            method="/carehub.interop.v1.InteropService/ReplayMessage",
            roles=["nurse", "integration"],
        )
        told.at = EVENING + timedelta(days=1)
        told(**mine)
        told(patients=[uuid4()], subject=lee)
        told(**mine, outcome="NOT_FOUND")
        await told.write(h)
        page = await looks(h)
        assert places(page) == [("22", str(lee), 1), ("21", str(lee), 2)]
        (first,) = [one for one in page.looks if one.count == 2]
        assert list(first.purposes) == ["EMERGENCY", "TREATMENT"]
        assert list(first.roles) == ["integration", "nurse"]
        assert [one.rpartition("/")[2] for one in first.methods] == ["GetMessage", "ReplayMessage"]
        assert list(first.facility_ids) == [str(HERE)]
        assert first.first_time.ToDatetime(UTC) < first.last_time.ToDatetime(UTC)
        assert places(await looks(h, time_zone="America/Chicago"))[-1][0] == "20"
        with pytest.raises(CallFailed, check=lambda e: e.reason == "TIME_ZONE_UNKNOWN"):
            await looks(h, time_zone="Mars/Olympus")


async def test_others_are_shown_to_a_privacy_officer_only_and_asking_is_in_it(hub):
    async with hub("interop", now=EVENING + timedelta(days=3)) as h:
        told = Told(EVENING)
        here, there = uuid4(), uuid4()
        told(patients=[PAT], subject=here)
        told(patients=[PAT], subject=there, facilities=[THERE])
        told(patients=[PAT], subject=None, facilities=[HERE])
        await told.write(h)
        assert {person for _, person, _ in places(await looks(h))} == {str(here)}
        assert {person for _, person, _ in places(await looks(h, officer()))} == {
            str(here),
            str(there),
        }
        again = await looks(h)
        assert any(one.endswith("/ListLooks") for look in again.looks for one in look.methods)
        without = caller_token(permissions=["audit.read"], facilities=[HERE])
        with pytest.raises(CallFailed, check=lambda e: e.reason == "PERMISSION_MISSING"):
            await looks(h, without)


async def test_pages_go_on_where_they_ended(hub):
    async with hub("interop", now=EVENING + timedelta(days=3)) as h:
        told, people = Told(EVENING), [uuid4() for _ in range(6)]
        for day in range(2):
            told.at = EVENING + timedelta(days=day)
            for subject in people:
                told(patients=[PAT], subject=subject)
        await told.write(h)
        found, token = [], ""
        while True:
            page = await looks(h, officer(), page_size=5, page_token=token)
            found += places(page)
            token = page.next_page_token
            if not token:
                break
        assert found == sorted(found, reverse=True)
        assert len({(day, person) for day, person, _ in found}) == len(found) == 12
        asked = audit_pb2.ListLooksRequest(patient_id=str(PAT))
        made_up = encode_cursor(["2026-07-01", "seven"], asked)
        for token in ("x", made_up):
            with pytest.raises(CallFailed, check=lambda e: e.reason == "PAGE_TOKEN_INVALID"):
                await looks(h, officer(), page_size=5, page_token=token)
