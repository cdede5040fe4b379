"""Who may see a patient, decided anew from the stored facts, kept, and told to all who hold data."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from libs.chassis.access import PatientAccess, end_bases
from libs.chassis.database import Transaction
from libs.chassis.faults import is_weather
from libs.conveyor.timers import clear_timer, set_timer
from libs.process.app import Runtime
from libs.process.holding import deactivate
from services.identity import events
from services.identity.clients.holders import Holders
from services.identity.convert.access import access_to_proto, to_rows
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Facts
from services.identity.domain.fact import concerns_others, facts_about
from services.identity.domain.push import PushKind
from services.identity.store.access import AccessStore
from services.identity.store.merge import MergeStore
from services.identity.store.push import PushStore
from services.identity.store.recorded import RecordedStore
from services.identity.store.schema import hold_access

# Whose law decides; a network will choose it in its file.
JURISDICTION = "US"
# Who has heard nothing for so long shows nothing by a grant (libs/chassis/schema.py).
LEASE = timedelta(seconds=30)
# What a holder did not confirm is told again after a while, until by its lease it cannot matter any more.
PATIENCE = timedelta(seconds=2)
MOOT = 2 * LEASE
AT_ONCE = 200


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
    network, agreements = await store.network(JURISDICTION, concerned)
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
    network, agreements = await store.network(JURISDICTION, patients)
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
    holders: Holders
    now: Callable[[], datetime]

    async def at_once(self, patient_ids: Sequence[UUID]) -> datetime:
        """Decide, tell every holder, and return from when on it holds everywhere.

        They are told also where nothing is new: the timer may have decided a moment before, and told nobody yet.
        """
        async with self.system() as tx:
            await hold_access(tx)
            patients = sorted(await MergeStore(tx).whole_records(patient_ids))
            await decide_anew(tx, patients)
            store = AccessStore(tx)
            decided = await store.decided(await store.versions_of(patients))
            await PushStore(tx).leave(PushKind.ACCESS, decided.keys(), self.holders.names)
        return await self._push(PushKind.ACCESS, decided.keys(), tx.at, decided)

    async def end_basis(self, basis_id: UUID) -> datetime:
        """Have nothing shown any more by grants that rest on it; from when on that holds everywhere.

        Of each patient concerned it is to be decided anew besides, which may take its time.
        """
        async with self.system() as tx:
            await close(tx, basis_id, self.holders.names)
        return await self._push(PushKind.BASIS, [basis_id], tx.at)

    async def deactivated(self, person_id: UUID) -> None:
        """Have nobody answer them any more, though the token that they hold has some seconds to live."""
        async with self.system() as tx:
            await deactivate(tx, [person_id])
            for patient_id in await AccessStore(tx).patients_granted_to(person_id):
                await decide_soon(tx, patient_id)
            await PushStore(tx).leave(PushKind.PERSON, [person_id], self.holders.names)
        await self._push(PushKind.PERSON, [person_id], tx.at)

    async def push_again(self) -> None:
        """Tell what was left a while ago, each holder what it has not confirmed."""
        async with self.system() as tx:
            await PushStore(tx).forget(tx.at - MOOT)
            waiting = await PushStore(tx).waiting(tx.at - PATIENCE, AT_ONCE)
            store = AccessStore(tx)
            patients = [push.id for push in waiting if push.kind is PushKind.ACCESS]
            decided = await store.decided(await store.versions_of(patients))
        groups = defaultdict[tuple[str, PushKind], list[UUID]](list)
        for push in waiting:
            groups[push.holder, push.kind].append(push.id)
        for (holder, kind), ids in groups.items():
            await self._push(kind, ids, tx.at - PATIENCE, decided, to=[holder])

    async def _push(
        self,
        kind: PushKind,
        ids: Collection[UUID],
        left_at: datetime,
        decided: Mapping[UUID, PatientAccess] = MappingProxyType({}),
        to: Collection[str] | None = None,
    ) -> datetime:
        """Tell holders, all of them unless it is said whom; from when on it holds at all of these."""
        if not ids:
            return self.now()
        at_the_latest = self.now() + LEASE
        confirmed = await self.holders.tell(
            access=[access_to_proto(decided[i]) for i in ids] if kind is PushKind.ACCESS else (),
            ended=ids if kind is PushKind.BASIS else (),
            deactivated=ids if kind is PushKind.PERSON else (),
            to=to,
        )
        try:
            async with self.system() as tx:
                await PushStore(tx).confirm(kind, ids, confirmed, left_at)
        except Exception as error:
            if not is_weather(error):  # else they are told again, which changes nothing
                raise
        return self.now() if confirmed >= frozenset(to or self.holders.names) else at_the_latest


def decider_of(runtime: Runtime) -> Decider:
    return Decider(
        system=runtime.database.system,
        holders=Holders(runtime.channels, runtime.caller_token),
        now=runtime.now,
    )


async def close(tx: Transaction, basis_id: UUID, holders: Collection[str]) -> None:
    """End what rests on it here, and leave it to be told to every holder."""
    await end_bases(tx, [basis_id], tx.at)
    await events.basis_ended(tx, basis_id)
    await PushStore(tx).leave(PushKind.BASIS, [basis_id], holders)


async def close_soon(tx: Transaction, basis_id: UUID) -> None:
    """Have it closed even if nobody is left to do it at once. Whoever is decided anew by and by waits for nobody."""
    await set_timer(tx, events.CLOSE, str(basis_id), tx.at)


async def decide_soon(tx: Transaction, patient_id: UUID) -> None:
    """Have it decided anew about a patient, even if nobody is left to do it at once."""
    await set_timer(tx, events.SOON, str(patient_id), tx.at)
