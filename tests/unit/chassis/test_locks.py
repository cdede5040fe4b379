"""Being alone with patients, whatever merges come in while one waits for the locks."""

from collections.abc import Iterable
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.locks import alone_with

IDS = [UUID(int=number) for number in range(8)]
# Who lives on in whom, one merge after the other: always in a later one, so that they form no ring.
MERGES = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7)).filter(lambda m: m[0] < m[1]))


class Record:
    """Merges that have come, and those that come while somebody waits: one for each lock."""

    def __init__(self, coming: list[tuple[int, int]]) -> None:
        self.merged = dict[UUID, UUID]()
        self.coming = coming
        self.held = set[UUID]()

    async def survivors(self, told: Iterable[UUID]) -> dict[UUID, UUID]:
        return {each: self._survivor(each) for each in told}

    def _survivor(self, each: UUID) -> UUID:
        while each in self.merged:
            each = self.merged[each]
        return each

    async def lock(self, ids: Iterable[UUID]) -> None:
        """Whoever merges has locked both, too: none that is held here is merged any more."""
        for retired, survivor in self.coming[:1]:
            if not {IDS[retired], IDS[survivor]} & self.held:
                self.merged.setdefault(IDS[retired], IDS[survivor])
        self.coming = self.coming[1:]
        self.held |= set(ids)


@given(st.sets(st.sampled_from(IDS), min_size=1), MERGES)
async def test_whoever_a_record_lives_on_in_is_locked_whenever_it_was_merged(told, coming):
    record = Record(coming)
    now = await alone_with(told, record.survivors, record.lock)
    assert now == await record.survivors(told)
    assert {*now, *now.values()} <= record.held


async def test_nobody_is_locked_for_nobody():
    record = Record([])
    assert await alone_with([], record.survivors, record.lock) == {}
    assert not record.held
