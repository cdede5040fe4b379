"""What referrals does by itself: sends what waits to be sent, and takes letters with links to partners out."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from libs.chassis.database import Transaction
from libs.chassis.errors import FailedPrecondition, Unavailable
from libs.chassis.faults import rest
from libs.chassis.ids import new_id
from libs.mail.server import NotSent
from libs.process.app import Job, Runtime
from services.referrals.clients import Identity, Mail, PartnerLetter
from services.referrals.deciding import about, send
from services.referrals.domain.partner import expiry, hash_of, new_token, number_of
from services.referrals.domain.referral import Referral, State
from services.referrals.events import save_referral
from services.referrals.store import Letter, LinkStore, NeighborStore, ReferralStore

log = logging.getLogger(__name__)

AT_ONCE, MOST_TRIES = 20, 20
LEASE = timedelta(minutes=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
LOOK = 1.0


def jobs(mail: Mail, page: str) -> tuple[Job, ...]:
    """`page`: what the address of a partner's page begins with."""

    async def take_letters_out(runtime: Runtime) -> None:
        if not mail.server.is_there:
            log.info("no mail server: coordinators read links out")
            return
        await _again_and_again(runtime, lambda: mail_due(runtime, mail, page))

    async def send_queued(runtime: Runtime) -> None:
        await _again_and_again(runtime, lambda: send_waiting(runtime))

    return (
        Job("referrals-sending", send_queued),
        Job("referrals-letters", take_letters_out),
    )


async def send_waiting(runtime: Runtime) -> None:
    """Ask identity about each referral that waits, outside of any transaction, and then ask its partner."""
    identity = Identity(runtime.channels, runtime.caller_token, new_id)
    async with runtime.database.system() as tx:
        waiting = await ReferralStore(tx).queued(AT_ONCE)
    for referral_id in waiting:
        async with runtime.database.system() as tx:
            referral = await ReferralStore(tx).get(referral_id)
            if referral.consent is None or not _waits(referral):
                continue
            asked = await about(tx, referral, referral.consent)
        try:
            await identity.must_release(asked)
            is_released = True
        except FailedPrecondition:
            is_released = False
        except Unavailable:
            log.warning("identity was not asked", extra={"referral_id": str(referral_id)})
            return
        async with runtime.database.system() as tx:
            await _sent_or_withheld(tx, referral_id, is_released=is_released)


async def _sent_or_withheld(tx: Transaction, referral_id: UUID, *, is_released: bool) -> None:
    referral = await ReferralStore(tx).take(referral_id)
    if not _waits(referral) or referral.consent is None:
        return
    if not is_released:
        await save_referral(tx, referral.withhold(at=tx.at))
    elif referral.is_too_late(tx.at):
        await save_referral(tx, referral.lapse(at=tx.at))
    else:
        await send(tx, referral, referral.consent, new_id)


def _waits(referral: Referral) -> bool:
    return referral.state is State.DRAFT and referral.queued_at is not None


async def mail_due(runtime: Runtime, mail: Mail, page: str) -> None:
    """Take out the letters that are due, each taken when its turn comes: it is still wanted then, and the lease is its own."""
    for _ in range(AT_ONCE):
        async with runtime.database.system() as tx:
            letter = await LinkStore(tx).take_letter(tx.at + LEASE)
            if letter is None:
                return
            written = await _wanted(tx, letter, page)
        if written:
            await _mail(runtime, mail, letter, written)


async def _wanted(tx: Transaction, letter: Letter, page: str) -> PartnerLetter | None:
    """The letter with a link of its own, of which only the hash is kept; None if nobody has to answer any more."""
    if letter.state != State.REQUESTED or not letter.email:
        await LinkStore(tx).give_up(letter.id)
        return None
    token = new_token()
    await LinkStore(tx).add(hash_of(token), letter.referral_id, expiry(tx.at, letter.needed_until))
    return await _written(tx, letter, f"{page}{token}")


async def _mail(runtime: Runtime, mail: Mail, letter: Letter, written: PartnerLetter) -> None:
    try:
        await mail.send(written)
    except NotSent as error:
        async with runtime.database.system() as tx:
            await _try_again(tx, letter, error)
    else:
        async with runtime.database.system() as tx:
            await LinkStore(tx).sent(letter.id)


async def _written(tx: Transaction, letter: Letter, url: str) -> PartnerLetter:
    facility = await NeighborStore(tx).facility(letter.facility_id)
    due = facility.calendar.local(letter.answer_due_at or tx.at)
    return PartnerLetter(
        id=letter.id,
        email=letter.email,
        service_name=letter.service_name,
        number=number_of(letter.referral_id),
        answer_by=f"{due:%Y-%m-%d %H:%M}",
        facility_name=facility.name,
        facility_phone=facility.phone,
        url=url,
    )


async def _try_again(tx: Transaction, letter: Letter, error: NotSent) -> None:
    known = {"referral_id": str(letter.referral_id), "attempts": letter.tries}
    log.warning("not sent", extra={**known, "reason": str(error)})
    if letter.tries >= MOST_TRIES:
        await LinkStore(tx).give_up(letter.id)
        return
    pause = min(FIRST_PAUSE * (1 << min(letter.tries, 10)), LONGEST_PAUSE)
    await LinkStore(tx).again(letter.id, tx.at + pause)


async def _again_and_again(runtime: Runtime, work: Callable[[], Awaitable[None]]) -> None:
    while not runtime.stopping.is_set():
        await work()
        await rest(runtime.stopping, LOOK)
