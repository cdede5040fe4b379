"""Who has left coordinates no plan and has no goal: somebody who is still here does, whatever came first."""

from collections.abc import Sequence
from uuid import UUID

from libs.chassis.database import Transaction
from services.careplans.domain.plan import CarePlan, PlanState
from services.careplans.store import NeighborStore


async def without_who_left(tx: Transaction, plans: Sequence[CarePlan]) -> list[CarePlan]:
    """These plans, the active ones of them handed over where somebody has left: to the person who answers for the loop, else
    its owner, else the duty team of its facility.
    """
    store = NeighborStore(tx)
    active = [plan for plan in plans if plan.state is PlanState.ACTIVE]
    left = await _left(store, {owner for plan in active for owner in _owners(plan)})
    if not left:
        return list(plans)
    theirs = [plan for plan in active if not left.isdisjoint(_owners(plan))]
    stand_ins = await _stand_ins(store, theirs)
    return [
        plan.without(left, stand_ins[plan.id]) if plan.id in stand_ins else plan for plan in plans
    ]


def _owners(plan: CarePlan) -> set[UUID]:
    return {plan.coordinator_id, *(goal.owner_id for goal in plan.goals)}


async def _left(store: NeighborStore, owners: set[UUID]) -> set[UUID]:
    known = await store.owners(owners)
    return {each.id for each in known.values() if not each.is_active}


async def _stand_ins(store: NeighborStore, plans: Sequence[CarePlan]) -> dict[UUID, UUID]:
    loops = {loop.id: loop for loop in await store.loops(p.loop_id for p in plans if p.loop_id)}
    places = await store.facilities(plan.facility_id for plan in plans)
    chains = dict[UUID, list[UUID]]()
    for plan in plans:
        loop = loops.get(plan.loop_id) if plan.loop_id else None
        place = places.get(plan.facility_id)
        theirs = (loop.accountable_id, loop.owner_id) if loop else ()
        chain = (*theirs, place.duty_team_id if place else None)
        chains[plan.id] = [each for each in chain if each]
    left = await _left(store, {each for chain in chains.values() for each in chain})
    return {
        plan.id: next((each for each in chains[plan.id] if each not in left), plan.coordinator_id)
        for plan in plans
    }
