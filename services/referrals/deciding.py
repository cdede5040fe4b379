"""Who fits, who is asked, and what follows from an answer: for RPCs, the partner's page, clocks and jobs alike."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import replace
from enum import StrEnum
from operator import attrgetter
from uuid import UUID

from libs.chassis.database import Transaction
from libs.chassis.errors import Aborted, FailedPrecondition
from services.referrals.clients import Asked
from services.referrals.domain.answering import answer_due
from services.referrals.domain.consent import Consent
from services.referrals.domain.directory import Service
from services.referrals.domain.facility import Facility
from services.referrals.domain.matching import Match, Wanted, ranked
from services.referrals.domain.referral import NO_ANSWER, UNDER_WAY, Referral, State, following
from services.referrals.events import add_referral, save_referral
from services.referrals.store import DirectoryStore, LinkStore, NeighborStore, ReferralStore

NewId = Callable[[], UUID]
# In these states whoever says yes is told who it is, or is told again.
TELLS = UNDER_WAY | {State.REQUESTED}
_order = attrgetter("order")


class Answer(StrEnum):
    YES = "YES"
    NO = "NO"
    DONE = "DONE"
    COULD_NOT = "COULD_NOT"


async def search(tx: Transaction, wanted: Wanted, facility_id: UUID, most: int) -> list[Match]:
    """The best for a need, then those that do not fit, and those of elsewhere if there is room: as if all had been ranked."""
    facility, found = await NeighborStore(tx).facility(facility_id), list[Match]()
    async for portion in _rankings(tx, wanted, facility):
        found = sorted([*found, *portion], key=_order)[:most]
    elsewhere = await DirectoryStore(tx).elsewhere(wanted, most - len(found))
    return sorted([*found, *await _ranking(tx, elsewhere, wanted, facility)], key=_order)


async def about(tx: Transaction, referral: Referral, consent: Consent) -> Asked:
    """What identity is asked before the partner is told of it."""
    service = await DirectoryStore(tx).get(referral.service_id)
    return Asked(referral=referral, consent=consent, organization_id=service.organization_id)


async def send(tx: Transaction, draft: Referral, consent: Consent, new_id: NewId) -> Referral:
    """Ask the partner. A letter with a link goes out to a service that has an address."""
    service = await DirectoryStore(tx).get(draft.service_id)
    facility = await NeighborStore(tx).facility(draft.facility_id)
    due = answer_due(
        draft.priority,
        facility.calendar,
        tx.at,
        promised_hours=service.answer_hours,
        needed_at=draft.details.start_at,
    )
    sent = draft.send(consent, due, at=tx.at)
    await save_referral(tx, sent)
    if service.email:
        await LinkStore(tx).add_letter(new_id(), sent.id)
    return sent


async def answered(
    tx: Transaction, referral: Referral, answer: Answer, reason: str, new_id: NewId
) -> Referral:
    """What a partner said, whoever wrote it down. After no the next one is asked, if the referral says so."""
    match answer:
        case Answer.YES:
            after = await _accepted(tx, referral)
        case Answer.NO:
            after = referral.reject(reason, at=tx.at)
        case Answer.DONE | Answer.COULD_NOT if referral.has_ended:
            return referral
        case Answer.DONE | Answer.COULD_NOT:
            begun = await _begun(tx, referral)
            is_done = answer is Answer.DONE
            after = begun.complete(at=tx.at) if is_done else begun.fail(reason, at=tx.at)
    if after is referral:
        return referral
    await save_referral(tx, after)
    await go_on(tx, after, new_id)
    return after


async def withheld(tx: Transaction, referral: Referral) -> Referral:
    """End what identity does not release, or no longer."""
    if referral.has_ended:
        return referral
    after = referral.withhold(at=tx.at)
    await save_referral(tx, after)
    return after


def check_same(asked: Referral, referral: Referral) -> None:
    """Refuse to go by what identity said if it is another record's by now, or was not asked about since nobody was told."""
    was_asked = asked.state in TELLS or referral.state not in TELLS
    if referral.patient_id != asked.patient_id or not was_asked:
        raise changed()


def changed() -> Aborted:
    return Aborted("REQUEST_CHANGED", "The request was changed at the same time. Try again.")


async def _begun(tx: Transaction, referral: Referral) -> Referral:
    begun = referral.begin()
    if begun is not referral:
        await save_referral(tx, begun)
    return begun


async def _accepted(tx: Transaction, referral: Referral) -> Referral:
    """Yes; of a ride, if there is a driver who is free then."""
    service = await DirectoryStore(tx).get(referral.service_id)
    since, until = referral.details.start_at, referral.details.end_at
    is_ride = bool(service.drivers) and referral.state is State.REQUESTED
    if not (is_ride and since and until):
        return referral.accept(seat=None)
    seat = await DirectoryStore(tx).free_driver(service, since, until)
    if seat is None:
        raise FailedPrecondition("NO_DRIVER_FREE", "All drivers are taken at that time.")
    return referral.accept(seat=seat)


async def go_on(tx: Transaction, ended: Referral, new_id: NewId) -> None:
    """Ask the next one by itself, if this one said no or nothing, the referral says so and there is time."""
    has_no_answer = ended.state is State.FAILED and ended.state_reason == NO_ANSWER
    is_unanswered = ended.state is State.REJECTED or has_no_answer
    if ended.is_auto_next and is_unanswered and not ended.is_too_late(tx.at):
        service_id = await best_next(tx, ended, must_be_named=True)
        if service_id is not None:
            await follow(tx, ended, service_id, by=ended.created_by, new_id=new_id)


async def ask_next(
    tx: Transaction, before: Referral, service_id: UUID | None, *, by: UUID, new_id: NewId
) -> Referral:
    """Take back what nobody answered, and ask the one who is named or fits best. Twice is once."""
    if follower := await ReferralStore(tx).follower(before.id):
        return follower
    before.check_time(tx.at)
    chosen = service_id or await best_next(tx, before, must_be_named=False)
    if chosen is None or chosen == before.service_id:
        raise FailedPrecondition("NO_NEXT", "There is nobody left in the directory who fits.")
    after = before.give_way(at=tx.at)
    if after is not before:
        await save_referral(tx, after)
    return await follow(tx, after, chosen, by=by, new_id=new_id)


async def follow(
    tx: Transaction, before: Referral, service_id: UUID, *, by: UUID, new_id: NewId
) -> Referral:
    """Make the referral that follows. It waits to be sent if the patient agreed to that service, too; else it is a draft."""
    service = await DirectoryStore(tx).get(service_id)
    after = following(before, service.id, service.name, id=new_id(), at=tx.at, by=by)
    consent = before.consent
    if consent and consent.names(service.id):
        after = replace(after.queue(consent, at=tx.at), version=1)
    await add_referral(tx, after)
    return after


async def best_next(tx: Transaction, before: Referral, *, must_be_named: bool) -> UUID | None:
    """The best match that was not asked yet and that the patient has not forbidden. Those whom the consent names go before."""
    wanted, consent = _wanted(before), before.consent
    asked = await ReferralStore(tx).asked(before.id)
    named = await DirectoryStore(tx).services(consent.service_ids if consent else ())
    facility = await NeighborStore(tx).facility(before.facility_id)
    ranking = await _ranking(tx, named.values(), wanted, facility)
    best = (await _left(tx, before, asked, ranking))[:1]
    if not (best or must_be_named):
        async for portion in _rankings(tx, wanted, facility):
            left = await _left(tx, before, asked, portion)
            best = sorted([*best, *left], key=_order)[:1]
    return best[0].service.id if best else None


async def _left(
    tx: Transaction, before: Referral, asked: Collection[UUID], ranking: Iterable[Match]
) -> list[Match]:
    """Those that can be asked next, in their order."""
    fits = [each for each in ranking if each.fits and each.service.id not in asked]
    barred = await NeighborStore(tx).barred(before, [each.service for each in fits])
    return [m for m in fits if barred.isdisjoint({m.service.id, m.service.organization_id})]


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
    tx: Transaction, wanted: Wanted, facility: Facility
) -> AsyncIterator[list[Match]]:
    """Everybody who may serve the place, ranked by portions: what else this process has to do goes in between."""
    async for portion in DirectoryStore(tx).for_need(wanted):
        yield await _ranking(tx, portion, wanted, facility)


async def _ranking(
    tx: Transaction, services: Collection[Service], wanted: Wanted, facility: Facility
) -> list[Match]:
    taken: dict[UUID, int] = {}
    rides = [each.id for each in services if each.drivers]
    if rides and wanted.start_at:
        until = wanted.end_at or wanted.start_at
        found = await DirectoryStore(tx).drivers_taken(rides, wanted.start_at, until)
        taken = {id: len(seats) for id, seats in found.items()}
    return ranked(services, wanted, taken=taken, calendar=facility.calendar, at=tx.at)
