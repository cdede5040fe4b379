"""Who may see a patient, decided anew from the stored facts, kept, and told to all who hold data."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.chassis.access import PatientAccess
from libs.chassis.database import Transaction
from libs.chassis.timers import clear_timer, set_timer
from services.identity import events
from services.identity.convert.access import to_rows
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Facts
from services.identity.domain.fact import concerns_others, facts_about
from services.identity.store.access import AccessStore
from services.identity.store.recorded import RecordedStore
from services.identity.store.schema import hold_access

# Whose law decides; a network will choose it in its file.
JURISDICTION = "US"
# Who has heard nothing for so long shows nothing by a grant (libs/chassis/schema.py).
LEASE = timedelta(seconds=30)


async def decide_anew(tx: Transaction, patients: Sequence[UUID]) -> list[PatientAccess]:
    """Decide who may see these patients, and tell of those for whom it is not what it was. Call it as the only decider.

    Most are known at one place only, and nobody has said anything about them: there is nothing to decide or to tell.
    """
    store = AccessStore(tx)
    facts, versions = await store.facts_of(patients), await store.versions_of(patients)
    recorded = await RecordedStore(tx).about(patients)
    concerned = [i for i in patients if i in versions or i in recorded or concerns_others(facts[i])]
    if not concerned:
        return []
    before = await store.decided(versions)
    network, agreements = await store.network(JURISDICTION)
    changed = []
    for patient_id in concerned:
        was = before.get(patient_id) or PatientAccess(patient_id=patient_id, version=0)
        known = facts_about(
            patient_id, facts[patient_id], network, agreements, recorded.get(patient_id)
        )
        decided = decide(known, tx.at)
        await _turn(tx, patient_id, decided.changes_at)
        now = to_rows(patient_id, was.version, decided)
        if now != was:
            changed.append(replace(now, version=was.version + 1))
    await store.save(changed)
    for access in changed:
        await events.access_changed(tx, access)
    return changed


async def known_about(tx: Transaction, patients: Collection[UUID]) -> dict[UUID, Facts]:
    """What the decider would be told now of those patients of whom anything is known: for answers that are not kept."""
    store = AccessStore(tx)
    told, recorded = await store.facts_of(patients), await RecordedStore(tx).about(patients)
    network, agreements = await store.network(JURISDICTION)
    return {
        patient_id: facts_about(patient_id, facts, network, agreements, recorded.get(patient_id))
        for patient_id, facts in told.items()
    }


async def _turn(tx: Transaction, patient_id: UUID, at: datetime | None) -> None:
    if at is None:
        await clear_timer(tx, events.TURN, str(patient_id))
    else:
        await set_timer(tx, events.TURN, str(patient_id), at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides in a transaction of the service itself, since facts are nobody's business, for who has just recorded one.

    Record the fact and set the timer of `decide_soon` in the request's transaction, and leave `at_once` for after it
    (`call.afterwards`): after a crash in between the timer decides.
    """

    system: Callable[[], AbstractAsyncContextManager[Transaction]]

    async def at_once(self, patient_ids: Sequence[UUID]) -> datetime:
        """Decide, tell every holder, and return from when on it holds everywhere."""
        async with self.system() as tx:
            await hold_access(tx)
            await decide_anew(tx, sorted(patient_ids))
        return tx.at + LEASE


async def decide_soon(tx: Transaction, patient_id: UUID) -> None:
    """Have it decided anew about a patient, even if nobody is left to do it at once."""
    await set_timer(tx, events.TURN, str(patient_id), tx.at)
