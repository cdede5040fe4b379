"""`make bench`: measure, print the table, keep it as JSON and as a page."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from tests.performance import report
from tests.performance.bench import RESULTS, Bench, Plan
from tests.performance.figures import Line
from tests.performance.hub import Hub, engines, hub
from tests.performance.lines import access, create, feeds, footprint, pages, statement
from tests.performance.machine import PASSING, description

_LINES: dict[str, tuple[Callable[[Bench], Line], ...]] = {
    "start": (footprint.first_line, footprint.second_line),
    "create": (create.up_line, create.split_line, footprint.idle_line),
    "statement": (statement.line,),
    "feeds": (feeds.mllp_line, feeds.handled_line, feeds.discharge_line, footprint.memory_line),
    "worklist": (pages.worklist_line,),
    "search": (pages.search_line,),
    "access": (access.decision_line, access.policy_line, access.audit_line),
    "growth": (),
}
PARTS = tuple(_LINES)
_QUICK = Plan(repeats=1, seconds=3.0, warm=1.0, sizes=(10_000, 100_000), start_repeats=1)


def main() -> None:
    arguments = _parser().parse_args()
    plan = _QUICK
    if not arguments.quick:
        plan = Plan(
            repeats=arguments.repeats,
            seconds=arguments.seconds,
            warm=3.0,
            sizes=(10_000, 100_000, 1_000_000),
            start_repeats=min(arguments.repeats, 3),
        )
    home = Path(arguments.home or tempfile.mkdtemp(prefix="carehub-bench-"))
    home.mkdir(exist_ok=True)
    home.chmod(0o711)  # PostgreSQL does not run as root, and has to reach its data
    try:
        uvloop.run(_run(home, plan, set(arguments.only or PARTS), arguments))
    finally:
        if not arguments.home:
            shutil.rmtree(home, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument(
        "--quick", action="store_true", help="one short repeat on less data: does it run"
    )
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--home", help="keep the data here, and use what is there")
    parser.add_argument(
        "--sample", type=Path, help="where the CPU time of the services goes, into this folder"
    )
    return parser


async def _run(home: Path, plan: Plan, parts: set[str], arguments: argparse.Namespace) -> None:
    machine = description()
    _say(
        f"{machine['cpus']} × {machine['cpu']}, commit {machine['commit']}, load {machine['load']}, "
        f"ten million additions {machine['ten million additions']}"
    )
    began = datetime.now(UTC)
    async with engines(home) as running:
        bench = Bench(plan, running, _say)
        for part in PARTS:
            for begin in _LINES[part] if part in parts else ():
                begin(bench)
        await _alone(bench, parts)
        # Apart: of a burst of messages there is something to do for hours, as reminders of those discharged.
        await _repeated(bench, parts & {"create", "statement"}, arguments.sample)
        await _repeated(bench, parts & {"feeds"}, arguments.sample)
        if parts & {"worklist", "search", "access", "growth"}:
            async with hub(running, sample=arguments.sample) as up:
                await _sized(bench, parts, up)
    for line in bench.lines.values():
        if not line.values:
            line.missing = "; ".join(bench.failures) or "nothing was measured"
    machine |= {f"{what} after": told for what, told in description().items() if what in PASSING}
    machine["took"] = f"{(datetime.now(UTC) - began).total_seconds() / 60:.0f} min"
    _say("")
    if arguments.quick:
        _say("Quick: the figures say that it runs, not how fast.")
    _say(report.table(bench.lines.values()))
    written = report.write(RESULTS, machine, plan, bench)
    _say(f"\n{written}")


async def _alone(bench: Bench, parts: set[str]) -> None:
    """What needs no hub that runs."""
    await _guarded(bench, parts & {"start"}, lambda: footprint.starts(bench))
    if "access" in parts:
        access.decisions(bench)


async def _repeated(bench: Bench, parts: set[str], sample: Path | None) -> None:
    for number in range(bench.plan.repeats):
        await _guarded(bench, parts, Repeat(bench, parts, number, sample).run)


async def _guarded(bench: Bench, wanted: set[str], part: Callable[[], Awaitable[None]]) -> None:
    """A part that fails leaves its lines as they are, with the reason, and the others go on."""
    if not wanted:
        return
    try:
        await part()
    except (RuntimeError, TimeoutError, OSError) as error:
        bench.say(f"  failed: {error}")
        bench.failures.append(f"{', '.join(sorted(wanted))}: {error}")


class Repeat:
    """One repeat of what runs beside something else, on the same engines."""

    def __init__(self, bench: Bench, parts: set[str], number: int, sample: Path | None) -> None:
        self._bench = bench
        self._parts = parts
        self._number = number
        self._sample = sample

    async def run(self) -> None:
        """Which way of running begins changes from repeat to repeat."""
        wanted = [self._up, self._split] if "create" in self._parts else [self._up]
        for side in wanted[:: -1 if self._number % 2 else 1]:
            name = side.__name__.strip("_")
            await _guarded(self._bench, {f"{name}, repeat {self._number}"}, side)

    async def _split(self) -> None:
        async with hub(self._bench.engines, split=True, sample=self._sample) as running:
            line = create.split_line(self._bench)
            await create.beside(self._bench, running, line, self._number)

    async def _up(self) -> None:
        bench, number = self._bench, self._number
        creates = 0.0
        async with hub(bench.engines, sample=self._sample) as running:
            facility = (await running.facilities())[create.FACILITY]
            if "create" in self._parts:
                footprint.note_memory(bench, footprint.idle_line(bench), running, number)
                line = create.up_line(bench)
                creates = await create.beside(bench, running, line, number)
            elif "statement" in self._parts:
                creates = await create.alone(bench, running, number)
            if "feeds" in self._parts:
                await feeds.discharges(bench, running, number)
                await feeds.as_fast_as_acknowledged(bench, running, number)
                footprint.note_memory(bench, footprint.memory_line(bench), running, number)
        if "statement" in self._parts:
            line = statement.line(bench)
            line.reference.append(await statement.run(bench, facility, number))
            line.values.append(creates)


async def _sized(bench: Bench, parts: set[str], up: Hub) -> None:
    largest = bench.plan.sizes[-1]
    await feeds.quiet(up)
    if "growth" in parts:
        for size in bench.plan.sizes:
            await _guarded(bench, {"growth"}, lambda s=size: pages.growth(bench, up, s))  # type: ignore[misc]
    await _guarded(bench, parts & {"search"}, lambda: pages.search(bench, up, largest))
    await _guarded(bench, parts & {"worklist"}, lambda: pages.worklist(bench, up, largest))
    await _guarded(bench, parts & {"access"}, lambda: access.costs(bench, up))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
