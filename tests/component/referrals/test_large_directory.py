"""A directory of a whole state: whoever serves a place is found in it, wherever in it they stand."""

import random
from contextlib import asynccontextmanager
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.calendars.calendar import calendar_for
from services.referrals.deciding import best_next, search
from services.referrals.domain.consent import Consent, Details, Form
from services.referrals.domain.directory import CapacityStatus, Hours, Organization, Service
from services.referrals.domain.labels import Label
from services.referrals.domain.matching import Wanted, ranked
from services.referrals.domain.referral import Referral
from services.referrals.store import DirectoryStore
from tests.component.referrals.conftest import RIDE, at, organization, ride_service

NOW = at("2026-09-08 09:00")
CHICAGO = calendar_for("America/Chicago", "us-federal")
POSTAL_CODES = ("62701", "62558", "60601", "99999")
# What lower case makes of some of them depends on the language of the database.
COUNTIES = (
    "Sangamon County", "SANGAMON COUNTY", "Doña Ana County", "DOÑA ANA COUNTY", "Weißer County", "WEISSER COUNTY",
    "İdil County", "De Kalb  County",
)  # fmt: skip
MANY, THE_ONE = 1500, "The right one"
AREAS = ("99999, 99998", "Far County", "the whole valley")


def area(extent):
    return [{"id": str(uuid4()), "extent": extent, "extent_type": "text"}]


@pytest.fixture
def state_wide(referrals):
    """1,500 ride services of elsewhere, of a county and of an area that is not understood; the one of here has the highest id."""

    @asynccontextmanager
    async def running():
        async with referrals() as r:
            for first in range(100, 100 + MANY, 500):
                several = [
                    ride_service(n, f"Ride {n}", service_areas=area(AREAS[n % len(AREAS)]))
                    for n in range(first, first + 500)
                ]
                await r.directory(organization(*several, number=first))
            right = ride_service(100 + MANY, THE_ONE, drivers=3)
            await r.directory(organization(right, number=9))
            yield r

    return running


@pytest.mark.parametrize("place", [{"postal_code": "62701"}, {"county": "far"}, {}])
async def test_a_search_finds_whoever_serves_the_place_among_all_services_of_a_need(
    state_wide, place
):
    async with state_wide() as r:
        if "county" in place:
            there = ride_service(100 + MANY, THE_ONE, service_areas=area("FAR COUNTY"))
            await r.directory(organization(there, number=9))
        # That one alone said that it takes people: nobody fits better, wherever.
        said = rpc.SetCapacityRequest(service_id=r.service(100 + MANY), status=1)
        await r.call("SetCapacity", said)
        asked = {"need": RIDE, "facility_id": str(r.here), "language": "es"}
        answer = await r.call("SearchServices", rpc.SearchServicesRequest(**asked, **place))
        assert answer.matches[0].service.name == THE_ONE
        assert answer.has_more


async def test_whoever_is_asked_next_is_the_best_of_all_services_of_a_need(state_wide):
    async with state_wide() as r:
        details = r.details(postal_code="62701-0140")
        by_hand = await r.sent(1, 1, details=details)
        ask = rpc.AskNextRequest(referral_id=by_hand.id)
        assert (await r.call("AskNext", ask)).service_name == THE_ONE
        by_itself = await r.sent(1, 1, 100 + MANY, auto_next=True, details=details)
        answer = rpc.RecordAnswerRequest
        await r.call("RecordAnswer", answer(referral_id=by_itself.id, answer=answer.ANSWER_NO))
        following = [each for each in await r.listed() if each.follows_id == by_itself.id]
        assert [each.service_name for each in following] == [THE_ONE]


def some(chance, of, most=2):
    return tuple(sorted(chance.sample(of, chance.randint(0, most))))


def any_service(chance, number):
    said_at = chance.choice([None, NOW - timedelta(hours=chance.randint(0, 100))])
    return Service(
        id=UUID(int=chance.getrandbits(127) + 1),
        organization_id=UUID(int=7),
        name=chance.choice(("a", "B", "É", "Z", "ride", "Ride")) + str(number % 40),
        status=chance.choice(("active", "active", "active", "inactive")),
        needs=chance.choice(((RIDE,), (RIDE, "stress"), ("stress",))),
        postal_codes=some(chance, POSTAL_CODES) if chance.random() < 0.6 else (),
        counties=some(chance, COUNTIES) if chance.random() < 0.6 else (),
        languages=some(chance, ("en", "es")),
        is_wheelchair_accessible=chance.random() < 0.5,
        minimum_age=chance.choice((0, 60)),
        maximum_age=chance.choice((0, 64)),
        hours=chance.choice(((), (Hours(days=("TU",), opens_at="08:00", closes_at="18:00"),))),
        drivers=chance.choice((0, 1)),
        assured_on=chance.choice((None, date(2026, 8, 1), date(2026, 1, 1), date(2025, 1, 1))),
        capacity=chance.choice(list(CapacityStatus)) if said_at else CapacityStatus.UNVERIFIED,
        capacity_at=said_at,
        capacity_until=said_at and said_at + timedelta(hours=72),
        body={},
    )


def anything_wanted(chance):
    return Wanted(
        need=RIDE,
        postal_code=chance.choice(("", *POSTAL_CODES, "00000")),
        county=chance.choice(("", *COUNTIES, "sangamon", "doña ana", "weisser", "Nowhere")),
        start_at=chance.choice((None, NOW + timedelta(hours=2), NOW + timedelta(days=1))),
        language=chance.choice(("", "es")),
        needs_wheelchair=chance.random() < 0.3,
        age=chance.choice((0, 50, 70)),
    )


def referral_for(chance, wanted, facility_id, services):
    """One whose consent names some of them."""
    named = tuple(each.id for each in chance.sample(services, chance.choice((0, 3, 30))))
    who = {"recorded_by": UUID(int=3), "recorded_at": NOW}
    consent = Consent(id=uuid4(), form=Form.VERBAL, given_at=NOW, service_ids=named, **who)
    details = Details(
        postal_code=wanted.postal_code,
        start_at=wanted.start_at,
        language=wanted.language,
        needs_wheelchair=wanted.needs_wheelchair,
    )
    return Referral(
        id=uuid4(), facility_id=facility_id, patient_id=uuid4(), need=wanted.need, service_id=uuid4(), service_name="One",
        labels=(Label.NORMAL,), details=details, consent=consent, created_at=NOW, created_by=UUID(int=3),
    )  # fmt: skip


async def test_what_is_found_is_what_ranking_the_whole_directory_finds(referrals):
    """Any directory, anything that is wanted: the first of all services, in their order, and the same one asked next."""
    chance = random.Random(20260908)
    services = [any_service(chance, number) for number in range(1200)]
    async with referrals() as r, r.hub.system("referrals") as tx:
        directory = DirectoryStore(tx)
        neighbors = Organization(id=UUID(int=7), name="Any", description="", body={})
        await directory.save_organizations([neighbors])
        await directory.save(services)
        ids = [*(each.id for each in services), *(UUID(r.service(n)) for n in (1, 2, 3))]
        everyone = [s for s in (await directory.services(ids)).values() if RIDE in s.needs]
        for _ in range(40):
            wanted, most = anything_wanted(chance), chance.choice((1, 51, 600, 2000))

            def all_ranked(wanted):
                return ranked(everyone, wanted, taken={}, calendar=CHICAGO, at=tx.at)

            found = await search(tx, wanted, r.here, most)
            assert found == all_ranked(wanted)[:most], wanted
            before = referral_for(chance, wanted, r.here, services)
            asked = Wanted(
                need=RIDE,
                postal_code=wanted.postal_code,
                start_at=wanted.start_at,
                language=wanted.language,
                needs_wheelchair=wanted.needs_wheelchair,
            )
            fits = [m.service.id for m in all_ranked(asked) if m.fits]
            named = [id for id in fits if before.consent.names(id)]
            best = await best_next(tx, before, must_be_named=False)
            assert best == next(iter([*named, *fits]), None), wanted
            assert await best_next(tx, before, must_be_named=True) == next(iter(named), None)
