"""From registry's events to grants, and whom they let see whom."""

import random
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import identity_events_pb2 as events
from carehub.identity.v1 import identity_service_pb2 as rpc
from carehub.registry.v1.encounter_pb2 import Encounter
from carehub.registry.v1.patient_pb2 import Patient
from carehub.registry.v1.registry_events_pb2 import EncounterChanged, PatientChanged

from libs.chassis.inbox import Delivery
from libs.chassis.wire import CallFailed
from services.identity.consumers import follow_record


class Network:
    """Two facilities, and what registry says about their patients."""

    def __init__(self, identity):
        self.identity = identity
        self.here, self.there = uuid4(), uuid4()
        self.nurse_here = identity.token("nurse", self.here)
        self.nurse_there = identity.token("nurse", self.there)

    async def registered(self, patient, *facilities, version=1, state=Patient.STATE_ACTIVE):
        places = [str(facility) for facility in facilities]
        message = Patient(id=str(patient), facility_ids=places, state=state)
        event = PatientChanged(patient=message, version=version)
        await self.identity.hub.publish(event, key=patient, version=version)

    async def treated(self, visit, patient, facility, version=1, state=Encounter.STATE_IN_PROGRESS):
        encounter = Encounter(
            id=str(visit), patient_id=str(patient), facility_id=str(facility), state=state
        )
        event = EncounterChanged(encounter=encounter, version=version)
        await self.identity.hub.publish(event, key=visit, version=version)

    async def visible(self, token, *patients):
        request = rpc.FilterVisibleRequest(patient_ids=[str(patient) for patient in patients])
        answer = await self.identity.call("FilterVisible", request, token)
        return [UUID(text) for text in answer.patient_ids]

    async def until_visible(self, token, patients, *, are):
        async def settled():
            return await self.visible(token, *patients) == list(are)

        await self.identity.hub.until(settled, what=f"{len(are)} visible patients")


async def test_a_facility_sees_whom_it_knows_or_treats_in_the_order_asked(identity):
    async with identity() as i:
        network = Network(i)
        pat, sam, kim, nobody = (uuid4() for _ in range(4))
        await network.registered(pat, network.here)
        await network.treated(uuid4(), sam, network.here)
        await network.registered(kim, network.there)
        asked = [kim, sam, nobody, pat, sam]
        await network.until_visible(network.nurse_here, asked, are=[sam, pat, sam])
        await network.until_visible(network.nurse_there, asked, are=[kim])
        both = i.token("nurse", network.here, network.there)
        assert await network.visible(both, *asked) == [kim, sam, pat, sam]
        assert await network.visible(network.nurse_here) == []


async def test_a_visit_taken_back_and_a_merge_end_what_they_gave(identity):
    async with identity() as i:
        network = Network(i)
        pat, sam, visit = uuid4(), uuid4(), uuid4()
        await network.registered(pat, network.there)
        await network.treated(visit, pat, network.here)
        await network.until_visible(network.nurse_here, [pat], are=[pat])
        await network.treated(visit, pat, network.here, 2, Encounter.STATE_CANCELLED)
        await network.until_visible(network.nurse_here, [pat], are=[])

        await network.treated(visit, pat, network.here, 3)
        await network.until_visible(network.nurse_here, [pat], are=[pat])
        # The merge is heard before the visit has moved to the survivor, then the visit.
        await network.registered(pat, network.there, version=2, state=Patient.STATE_MERGED)
        await network.until_visible(network.nurse_here, [pat], are=[])
        await network.until_visible(network.nurse_there, [pat], are=[])
        await network.registered(sam, network.there)
        await network.treated(visit, sam, network.here, 4)
        await network.until_visible(network.nurse_here, [pat, sam], are=[sam])
        await network.until_visible(network.nurse_there, [pat, sam], are=[sam])

        versions = {}
        for key, version, event in await i.told(events.GrantChanged):
            assert version == versions.get(key, 0) + 1 == event.version
            assert event.grant_id == key
            assert event.is_active == (version % 2 == 1)
            versions[key] = version


async def test_old_news_changes_nothing(identity):
    async with identity() as i:
        network = Network(i)
        pat, sam = uuid4(), uuid4()
        await network.registered(pat, network.here, network.there, version=5)
        await network.until_visible(network.nurse_there, [pat], are=[pat])
        await network.registered(pat, network.here, version=4)
        await network.registered(pat, network.there, network.here, version=6)
        await network.registered(sam, network.there)
        await network.until_visible(network.nurse_there, [pat, sam], are=[pat, sam])
        told = await i.told(events.GrantChanged)
        assert len([1 for _, _, event in told if event.patient_id == str(pat)]) == 2


async def test_what_cannot_be_read_is_parked_and_stops_nobody(identity):
    async with identity() as i:
        network = Network(i)
        pat = uuid4()
        await i.hub.publish(PatientChanged(patient=Patient(id="x"), version=1), key="x")
        await network.registered(pat, network.here)
        await network.until_visible(network.nurse_here, [pat], are=[pat])
        async with i.hub.system("identity") as tx:
            rows = await tx._connection.fetch("SELECT reason FROM parked")
        assert [row["reason"] for row in rows] == ["ID_INVALID"]


async def test_people_never_see_facts_nor_grants_of_other_facilities(identity):
    async with identity() as i:
        network = Network(i)
        pat = uuid4()
        await network.registered(pat, network.there)
        await network.until_visible(network.nurse_there, [pat], are=[pat])
        database = i.hub.host.runtimes["identity"].database
        async with database.person(uuid4(), [network.here], "READ", 5.0) as tx:
            assert await tx._connection.fetch("SELECT id FROM grants") == []
            with pytest.raises(Exception, match="permission denied"):
                await tx._connection.fetch("SELECT id FROM access_facts")


async def test_a_thousand_are_filtered_and_no_more(identity):
    async with identity() as i:
        network = Network(i)
        assert await network.visible(network.nurse_here, *(uuid4() for _ in range(1000))) == []
        with pytest.raises(CallFailed, check=lambda e: e.reason == "TOO_MANY_PATIENTS"):
            await network.visible(network.nurse_here, *(uuid4() for _ in range(1001)))
        request = rpc.FilterVisibleRequest(patient_ids=["1 OR 1=1"])
        with pytest.raises(CallFailed, check=lambda e: e.reason == "ID_INVALID"):
            await i.call("FilterVisible", request, network.nurse_here)
        with pytest.raises(CallFailed, check=lambda e: e.code == "PERMISSION_DENIED"):
            await network.visible(i.admin, uuid4())


def _delivery(event, key, version):
    return Delivery(id=uuid4(), event=event, key=key, version=version, facility_id=None)


def _history(chance):
    """Everything that registry says about a few patients and visits, one version after the other."""
    patients = [UUID(int=n) for n in range(1, 4)]
    places = [UUID(int=n) for n in range(11, 14)]
    told = []
    for patient in patients:
        for version in range(1, 4):
            known = [str(place) for place in chance.sample(places, chance.randint(0, 3))]
            state = chance.choice(
                [Patient.STATE_ACTIVE, Patient.STATE_ACTIVE, Patient.STATE_MERGED]
            )
            message = Patient(id=str(patient), facility_ids=known, state=state)
            told.append(_delivery(PatientChanged(patient=message, version=version), "", version))
    for visit in (UUID(int=n) for n in range(101, 104)):
        place = str(chance.choice(places))
        for version in range(1, 4):
            encounter = Encounter(
                id=str(visit),
                patient_id=str(chance.choice(patients)),
                facility_id=place,
                state=chance.choice([Encounter.STATE_FINISHED, Encounter.STATE_CANCELLED]),
            )
            told.append(
                _delivery(EncounterChanged(encounter=encounter, version=version), "", version)
            )
    return told


async def _hear(identity, told, batch):
    for start in range(0, len(told), batch):
        async with identity.hub.system("identity") as tx:
            await follow_record(tx, told[start : start + batch])


async def _active(identity):
    async with identity.hub.system("identity") as tx:
        rows = await tx._connection.fetch("SELECT id FROM grants WHERE is_active ORDER BY id")
        await tx._connection.execute("DELETE FROM grants; DELETE FROM access_facts")
    return [row["id"] for row in rows]


async def test_any_order_with_repetitions_ends_in_the_same_grants(identity):
    async with identity() as i:
        for seed in range(30):
            chance = random.Random(seed)
            told = _history(chance)
            await _hear(i, told, 1)
            in_order = await _active(i)
            shuffled = told + chance.sample(told, 6)
            chance.shuffle(shuffled)
            await _hear(i, shuffled, chance.randint(1, 8))
            assert await _active(i) == in_order, f"seed {seed}"
