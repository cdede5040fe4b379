"""Who fits a need, of a directory of any size: everybody who may serve the place is ranked, and nobody's rank is cut off."""

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from libs.chassis.database import Transaction
from services.referrals.domain.directory import Service
from services.referrals.domain.facility import Facility
from services.referrals.domain.matching import Match, Wanted, ranked
from services.referrals.domain.referral import Referral
from services.referrals.store import DirectoryStore, NeighborStore, ReferralStore


async def search(tx: Transaction, wanted: Wanted, facility_id: UUID, most: int) -> list[Match]:
    """The best for a need, then those that do not fit, and those of elsewhere if there is room: as if all had been ranked."""
    found: list[Match] = []
    async for portion in _rankings(tx, wanted, facility_id):
        found = sorted([*found, *portion], key=lambda match: match.order)[:most]
    elsewhere = await DirectoryStore(tx).elsewhere(wanted, most - len(found))
    facility = await NeighborStore(tx).facility(facility_id)
    more = await _ranking(tx, elsewhere, wanted, facility)
    return sorted([*found, *more], key=lambda match: match.order)


async def best_next(tx: Transaction, before: Referral, *, must_be_named: bool) -> UUID | None:
    """The best match that was not asked yet and that the patient has not forbidden. Those whom the consent names go before."""
    consent, best = before.consent, list[Match]()

    def is_named(match: Match) -> bool:
        return consent is not None and consent.names(match.service.id)

    asked = await ReferralStore(tx).asked(before.id)
    async for portion in _rankings(tx, _wanted(before), before.facility_id):
        fits = [m for m in portion if m.fits and m.service.id not in asked]
        barred = await NeighborStore(tx).barred(before, [m.service for m in fits])
        left = [m for m in fits if barred.isdisjoint({m.service.id, m.service.organization_id})]
        candidates = [m for m in [*best, *left] if is_named(m) or not must_be_named]
        best = sorted(candidates, key=lambda m: (not is_named(m), m.order))[:1]
    return best[0].service.id if best else None


def _wanted(referral: Referral) -> Wanted:
    details = referral.details
    return Wanted(
        need=referral.need,
        postal_code=details.postal_code[:5],
        start_at=details.start_at,
        end_at=details.end_at,
        language=details.language,
        needs_wheelchair=details.needs_wheelchair,
    )


async def _rankings(
    tx: Transaction, wanted: Wanted, facility_id: UUID
) -> AsyncIterator[list[Match]]:
    """Everybody who may serve the place, ranked by portions: whoever else asks goes in between."""
    facility = await NeighborStore(tx).facility(facility_id)
    async for portion in DirectoryStore(tx).for_need(wanted):
        yield await _ranking(tx, portion, wanted, facility)


async def _ranking(
    tx: Transaction, services: Iterable[Service], wanted: Wanted, facility: Facility
) -> list[Match]:
    taken: dict[UUID, int] = {}
    rides = [each.id for each in services if each.drivers]
    if rides and wanted.start_at:
        until = wanted.end_at or wanted.start_at
        found = await DirectoryStore(tx).drivers_taken(rides, wanted.start_at, until)
        taken = {id: len(seats) for id, seats in found.items()}
    return ranked(services, wanted, taken=taken, calendar=facility.calendar, at=tx.at)
