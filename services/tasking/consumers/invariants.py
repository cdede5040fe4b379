"""The promise, looked after: no open loop without an active owner and a live clock, none closed without evidence."""

from libs.chassis.database import Transaction
from services.tasking.consumers.directory import repair
from services.tasking.domain.promise import Violation
from services.tasking.store.promise import PromiseStore


async def check_invariants(tx: Transaction) -> list[Violation]:
    """Everything that breaks the promise right now, by rule and id. Empty is how it has to be."""
    return await PromiseStore(tx).broken(now=tx.at)


async def mend_owners(tx: Transaction) -> None:
    """Hand over what people own who are not active: a claim can commit in the moment in which they leave."""
    if gone := await PromiseStore(tx).gone_owners():
        await repair(tx, set(), set(gone))
