"""Requests of one caller that arrive while others of theirs are in work share the next transaction.

A client that sends many at once waits for fewer commits, and nobody waits longer than for the transaction before.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MOST = 32
# While one group commits another may go before it is done, if it is worth a transaction of its own.
AT_ONCE = 2
WORTH_IT = 12


@dataclass(eq=False, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    answer: "asyncio.Future[R]"


@dataclass(slots=True)
class _Lane(Generic[T, R]):
    waiting: list[_Waiting[T, R]] = field(default_factory=list)
    at_work: int = 0


class Sharing(Generic[T, R]):
    """Brings items with the same key together. `do` does some of them as one: all, or it raises and none is done."""

    def __init__(self, do: Callable[[Sequence[T]], Awaitable[Sequence[R]]]) -> None:
        self._do = do
        self._lanes: dict[Hashable, _Lane[T, R]] = {}

    async def join(self, key: Hashable, item: T) -> R:
        """Have an item done, perhaps together with others; its own answer, or its own error."""
        lane = self._lanes.setdefault(key, _Lane())
        waiting: _Waiting[T, R] = _Waiting(item, asyncio.get_running_loop().create_future())
        lane.waiting.append(waiting)
        if lane.at_work < AT_ONCE:
            lane.at_work += 1
            # In no one's context: it outlives the request that happened to begin it.
            _spawn(self._work_off(key, lane))
        return await waiting.answer

    async def _work_off(self, key: Hashable, lane: _Lane[T, R]) -> None:
        while len(lane.waiting) >= (WORTH_IT if lane.at_work > 1 else 1):
            group, lane.waiting = lane.waiting[:MOST], lane.waiting[MOST:]
            if not await self._settle(group) and len(group) > 1:
                for each in group:
                    await self._settle([each])
        lane.at_work -= 1
        if not lane.at_work:
            del self._lanes[key]

    async def _settle(self, group: Sequence[_Waiting[T, R]]) -> bool:
        """Do a group. False if it failed; of one alone, that is its answer."""
        try:
            answers = await self._do([each.item for each in group])
        except Exception as error:  # noqa: BLE001 it is the answer of one, or none of many was done
            if len(group) == 1 and not group[0].answer.done():
                group[0].answer.set_exception(error)
            return False
        for each, answer in zip(group, answers, strict=True):
            if not each.answer.done():  # it may have given up waiting
                each.answer.set_result(answer)
        return True


_at_work: set["asyncio.Task[None]"] = set()


def _spawn(work: Coroutine[None, None, None]) -> None:
    task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
    _at_work.add(task)
    task.add_done_callback(_at_work.discard)
