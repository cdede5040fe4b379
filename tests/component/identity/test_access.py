"""From registry's events to who may see whom, and what is told of it."""

import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.identity.v1 import identity_events_pb2 as events
from carehub.identity.v1 import identity_service_pb2 as rpc
from carehub.registry.v1.encounter_pb2 import Encounter
from carehub.registry.v1.patient_pb2 import Patient
from carehub.registry.v1.registry_events_pb2 import EncounterChanged, PatientChanged

from libs.chassis.wire import CallFailed
from libs.conveyor.inbox import Delivery
from services.identity import consumers
from services.identity.app import bootstrap
from services.identity.consumers import follow_record
from services.identity.events import decide_everybody_anew


class Network:
    """Two facilities of two organizations, and what registry says about their patients."""

    def __init__(self, identity, here=None, there=None):
        self.identity = identity
        self.here, self.there = here or uuid4(), there or uuid4()
        self.nurse_here = identity.token("nurse", self.here)
        self.nurse_there = identity.token("nurse", self.there)

    @classmethod
    async def joined(cls, identity, *, agreed=True):
        """Both are in the directory, and their organizations have agreed to share."""
        if agreed:
            someone = {"account": "root", "name": "Root", "email": ""}
            async with identity.hub.system("identity") as tx:
                await bootstrap(tx, id=identity.admin_id, **someone)
        places = [UUID((await identity.create_facility()).id) for _ in range(2)]
        return cls(identity, *places)

    async def told(self, patient):
        """What was told of a patient: (version, what each grantee is granted, by reason)."""
        changes = [e for _, _, e in await self.identity.told(events.AccessChanged)]
        return [
            (e.version, sorted((g.grantee_id, g.reason) for g in e.access.grants))
            for e in changes
            if e.access.patient_id == str(patient)
        ]

    async def until_told(self, patient, *granted):
        wanted = sorted((str(place), reason) for place, reason in granted)

        async def settled():
            told = await self.told(patient)
            return told and told[-1][1] == wanted

        await self.identity.hub.until(settled, what=f"access {granted}")

    async def registered(
        self, patient, *facilities, version=1, state=Patient.STATE_ACTIVE, into=""
    ):
        places = [str(facility) for facility in facilities]
        message = Patient(
            id=str(patient), facility_ids=places, state=state, merged_into_id=str(into)
        )
        event = PatientChanged(patient=message, version=version)
        await self.identity.hub.publish(event, key=patient, version=version)

    async def treated(
        self, visit, patient, facility, version=1, state=Encounter.STATE_IN_PROGRESS, at=None
    ):
        encounter = Encounter(
            id=str(visit), patient_id=str(patient), facility_id=str(facility), state=state
        )
        if at:
            encounter.state = Encounter.STATE_PLANNED
            encounter.admit_time.FromDatetime(at)
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
        assert (
            await network.told(pat) == []
        )  # neither is in the directory: nobody is shown anything


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


async def test_who_treats_sees_what_others_know_as_long_as_both_have_agreed(identity):
    async with identity() as i:
        network = await Network.joined(i)
        pat, visit = uuid4(), uuid4()
        here, there = network.here, network.there
        await network.registered(pat, here)
        await network.treated(visit, pat, there)
        await network.until_told(pat, (here, "REGISTERED"), (there, "TREATED"))
        await network.treated(visit, pat, there, 2, Encounter.STATE_CANCELLED)
        await network.until_told(pat, (here, "REGISTERED"))
        await network.registered(pat, here, version=2, state=Patient.STATE_MERGED)
        await network.until_told(pat)
        versions = [version for version, _ in await network.told(pat)]
        assert versions == list(range(1, len(versions) + 1))


async def test_without_an_agreement_nothing_crosses_the_line_of_an_organization(identity):
    async with identity() as i:
        network = await Network.joined(i, agreed=False)
        pat, sam = uuid4(), uuid4()
        await network.registered(pat, network.here, network.there)
        await network.treated(uuid4(), pat, network.here)
        await network.registered(sam, network.here)
        await network.until_visible(network.nurse_here, [pat, sam], are=[pat, sam])
        assert await network.told(pat) == []


async def test_nothing_is_told_of_whom_one_place_alone_knows_and_identity_beats(identity):
    async with identity() as i:
        network = await Network.joined(i)
        pat = uuid4()
        await network.registered(pat, network.here)
        await network.treated(uuid4(), pat, network.here)
        await network.until_visible(network.nurse_here, [pat], are=[pat])
        assert await network.told(pat) == []
        assert await i.told(events.AccessBeat)


async def test_time_alone_ends_and_begins_what_a_visit_shows(identity):
    async with identity() as i:
        network = await Network.joined(i)
        pat, clock = uuid4(), i.hub.clock
        planned = clock() + timedelta(days=20)
        await network.registered(pat, network.here, network.there)
        known = (network.here, "REGISTERED"), (network.there, "REGISTERED")
        await network.treated(uuid4(), pat, network.here, at=planned)
        await network.until_told(pat, *known)
        clock.set(planned - timedelta(days=13))
        await network.until_told(pat, *known, (network.here, "TREATED"))
        clock.set(planned + timedelta(days=366))
        await network.until_told(pat, *known)


async def test_a_facility_that_joins_later_is_decided_about_then(identity):
    async with identity() as i:
        network = await Network.joined(i)
        pat, late = uuid4(), uuid4()
        await network.registered(pat, network.here, late)
        await network.treated(uuid4(), pat, network.here)
        await network.until_visible(network.nurse_here, [pat], are=[pat])
        assert await network.told(pat) == []
        await i.create_facility(id=str(late))
        granted = (network.here, "REGISTERED"), (network.here, "TREATED"), (late, "REGISTERED")
        await network.until_told(pat, *granted)


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
        network = await Network.joined(i)
        pat = uuid4()
        await network.registered(pat, network.here, network.there)
        await network.treated(uuid4(), pat, network.there)
        granted = (network.here, "REGISTERED"), (network.there, "REGISTERED")
        await network.until_told(pat, *granted, (network.there, "TREATED"))
        database = i.hub.host.runtimes["identity"].database
        async with database.person(uuid4(), [network.here], "READ", 5.0) as tx:
            seen = await tx._connection.fetch("SELECT grantee_id FROM grants")
            assert [row["grantee_id"] for row in seen] == [network.here]
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


async def _decided(identity):
    """What is decided now; then everything is forgotten."""
    async with identity.hub.system("identity") as tx:
        rows = await tx._connection.fetch("SELECT * FROM grants ORDER BY patient_id, number")
        await tx._connection.execute(
            "DELETE FROM grants; DELETE FROM access_versions; DELETE FROM access_facts"
        )
    return [tuple(row) for row in rows]


async def test_any_order_with_repetitions_ends_in_the_same_access(identity):
    async with identity() as i:
        await Network.joined(i)
        for number in range(11, 14):
            await i.create_facility(id=str(UUID(int=number)))
        shown = 0
        for seed in range(30):
            chance = random.Random(seed)
            told = _history(chance)
            await _hear(i, told, 1)
            in_order = await _decided(i)
            shown += len(in_order)
            shuffled = told + chance.sample(told, 6)
            chance.shuffle(shuffled)
            await _hear(i, shuffled, chance.randint(1, 8))
            assert await _decided(i) == in_order, f"seed {seed}"
        assert shown > 50


async def test_everybody_is_decided_anew_in_turns(identity, monkeypatch):
    """As after an upgrade: what was decided is gone, the facts are there."""
    monkeypatch.setattr(consumers, "AT_ONCE", 3)
    async with identity() as i:
        network = await Network.joined(i)
        patients = [uuid4() for _ in range(10)]
        for patient in patients:
            await network.registered(patient, network.here, network.there)
        for patient in patients:
            await network.until_told(
                patient, (network.here, "REGISTERED"), (network.there, "REGISTERED")
            )
        async with i.hub.system("identity") as tx:
            await tx._connection.execute("DELETE FROM grants; DELETE FROM access_versions")
            await decide_everybody_anew(tx)

        async def all_told_twice():
            return all([len(await network.told(patient)) == 2 for patient in patients])

        await i.hub.until(all_told_twice, what="every access told again")
