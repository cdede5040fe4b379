"""Items with one key are done together, each with its own answer; keys never mix."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.sharing import AT_ONCE, MOST, WORTH_IT, Sharing


class Work:
    """Does groups when the test lets it, and remembers them."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.groups: list[list[int]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self._bad = bad

    async def __call__(self, items):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        self.groups.append(list(items))
        if self._bad & set(items):
            raise ValueError(f"one of {list(items)}")
        return [item * 10 for item in items]


async def join_all(work: Work, keyed: list[tuple[str, int]]):
    sharing: Sharing[int, int] = Sharing(work)
    asked = [asyncio.ensure_future(sharing.join(key, item)) for key, item in keyed]
    await asyncio.sleep(0)
    work.gate.set()
    return await asyncio.gather(*asked, return_exceptions=True)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=90),
)
async def test_each_item_gets_its_own_answer_whoever_it_was_done_with(drawn):
    keyed = [(key, number) for number, (key, _) in enumerate(drawn)]
    bad = frozenset(number for number, (_, is_bad) in enumerate(drawn) if is_bad)
    work = Work(bad)
    answers = await join_all(work, keyed)
    for number, answer in enumerate(answers):
        if number in bad:
            assert isinstance(answer, ValueError)
            assert str(answer) == f"one of [{number}]", "an error is of one item alone"
        else:
            assert answer == number * 10
    key_of = {number: key for key, number in keyed}
    for group in work.groups:
        assert len({key_of[number] for number in group}) == 1
        assert len(group) <= MOST


async def test_many_are_done_in_few_groups_and_no_more_than_two_at_once():
    work = Work()
    sharing: Sharing[int, int] = Sharing(work)
    asked = [asyncio.ensure_future(sharing.join("a", number)) for number in range(60)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert work.at_once == AT_ONCE
    work.gate.set()
    await asyncio.gather(*asked)
    assert work.most_at_once == AT_ONCE
    assert len(work.groups) <= 4
    assert sorted(n for group in work.groups for n in group) == list(range(60))


async def test_few_wait_for_those_before_them():
    work = Work()
    sharing: Sharing[int, int] = Sharing(work)
    first = asyncio.ensure_future(sharing.join("a", 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.ensure_future(sharing.join("a", n)) for n in range(1, WORTH_IT)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert work.at_once == 1, "a transaction of their own is not worth it"
    work.gate.set()
    await asyncio.gather(first, *others)
    assert [len(group) for group in work.groups] == [1, WORTH_IT - 1]


async def test_one_that_gives_up_waiting_takes_nobody_with_it():
    work = Work()
    sharing: Sharing[int, int] = Sharing(work)
    first, second = (asyncio.ensure_future(sharing.join("a", n)) for n in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    work.gate.set()
    assert await second == 20
    assert first.cancelled() or not first.done()
