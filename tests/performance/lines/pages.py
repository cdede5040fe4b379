"""The screens that people wait for, at a region's size: the worklist, a search, a record; and how they grow."""

import time
from typing import Any

from tests.performance import fill
from tests.performance.bench import Bench, http_load, mllp_load, until
from tests.performance.figures import Line, per_thing, percentile, spread
from tests.performance.hub import Hub
from tests.performance.lines.create import FACILITY
from tests.performance.machine import cpu_between, cpu_by_name
from tests.performance.requests import birth_of, name_of

CLIENTS = 8


def worklist_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="worklist",
            what=f"worklist page, {_short(bench.plan.sizes[-1])} open tasks, p99",
            unit="ms",
            floor=50,
            aim=20,
            better="less",
            how=(
                f"GET /v1/tasks?pageSize=50 as a coordinator of three facilities, {CLIENTS} at once, `up`; the tasks lie at "
                f"{fill.FACILITIES} facilities"
            ),
        )
    )


def search_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="search",
            what=f"patient search, {_short(bench.plan.sizes[-1])} patients, under row-level security, p99",
            unit="ms",
            floor=50,
            aim=5,
            better="less",
            how=(
                f"POST /v1/patients:search as a coordinator of three facilities, {CLIENTS} at once, `up`; names, names misspelled, "
                "beginnings of names, names with birth dates, numbers and telephones, in equal parts"
            ),
        )
    )


async def worklist(bench: Bench, up: Hub, wanted: int) -> None:
    """Fill, and measure each view of the worklist."""
    connection = await up.engines.connect("tasking")
    try:
        if not await connection.fetchval("SELECT count(*) FROM tasks WHERE state = 'OPEN'"):
            await _one_discharge(up)
        await fill.tasks(connection, await up.facility_ids(), wanted)
    finally:
        await connection.close()
    views = {
        "all of my facilities": "/v1/tasks?pageSize=50",
        "mine": "/v1/tasks?pageSize=50&scope=SCOPE_MINE",
        "my teams": "/v1/tasks?pageSize=50&scope=SCOPE_MY_TEAMS",
        "unclaimed": "/v1/tasks?pageSize=50&scope=SCOPE_UNCLAIMED",
    }
    line = worklist_line(bench)
    for repeat in range(bench.plan.repeats):
        for name, path in views.items():
            told = await _pages(bench, up, {"kind": "get", "paths": [path]})
            if name == "all of my facilities":
                line.values.append(told["milliseconds"]["p99"])
            line.details.setdefault(name, []).append(told)
            bench.say(f"  {repeat} worklist, {name:22} {told}")
    alone = await _pages(
        bench, up, {"kind": "get", "paths": [views["all of my facilities"]], "connections": 1}
    )
    line.details["one client"] = alone
    bench.say(f"  - worklist, one client             {alone}")


async def search(bench: Bench, up: Hub, wanted: int) -> None:
    await _patients(up, wanted)
    line = search_line(bench)
    kinds = _searches(wanted)
    everything = [body for texts in zip(*kinds.values(), strict=True) for body in texts]
    for repeat in range(bench.plan.repeats):
        told = await _pages(bench, up, _asks(everything))
        line.values.append(told["milliseconds"]["p99"])
        line.details.setdefault("mixed", []).append(told)
        bench.say(f"  {repeat} search, mixed                    {told}")
    alone = await _pages(bench, up, {**_asks(everything), "connections": 1})
    line.details["one client"] = alone
    bench.say(f"  - search, one client               {alone}")
    for kind, texts in kinds.items():
        told = await _pages(bench, up, _asks(texts))
        line.details.setdefault(kind, []).append(told)
        bench.say(f"  - search, {kind:22} {told}")


async def growth(bench: Bench, up: Hub, wanted: int) -> None:
    """What a size costs: a record, its visits, a search, a create."""
    await _patients(up, wanted)
    mine = [n for n in range(wanted) if n % fill.FACILITIES < 3][:2000]
    ids = [str(fill.patient_id(number)) for number in mine]
    token, facility = await up.token("nurse"), (await up.facilities())[FACILITY]
    loads = {
        "read": {"kind": "get", "paths": [f"/v1/patients/{each}" for each in ids]},
        "list": {"kind": "get", "paths": [f"/v1/patients/{each}/encounters" for each in ids]},
        "search": _asks(
            [b for texts in zip(*_searches(wanted).values(), strict=True) for b in texts]
        ),
        "create": {
            "kind": "create",
            "first": 0,
            "run": f"g{time.time_ns()}",
            "facility": facility,
            "token": token,
        },
    }
    for name, load in loads.items():
        told = await _pages(bench, up, load)
        bench.growth.append({"patients": wanted, "what": name, **told})
        bench.say(f"  {_short(wanted):>6} patients, {name:7} {told}")


async def _pages(bench: Bench, up: Hub, load: dict[str, Any]) -> dict[str, Any]:
    token = load.get("token") or await up.token("coordinator")
    plan = {
        "port": up.port,
        "token": token,
        "connections": CLIENTS,
        "warm": min(1.0, bench.plan.warm),
        "seconds": bench.plan.seconds,
    }
    before = cpu_by_name(up.pids)
    result = await http_load({**plan, **load})
    cpu = cpu_between(before, cpu_by_name(up.pids))
    return {
        "per_second": round(result["per_second"], 1),
        "milliseconds": spread(result["milliseconds"]),
        "p999": round(percentile(result["milliseconds"], 0.999), 3),
        "cpu_us": per_thing(cpu, result["answers"]),
    }


def _asks(texts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "post", "path": "/v1/patients:search", "bodies": texts}


def _searches(patients: int) -> dict[str, list[dict[str, Any]]]:
    """Texts as people type them, about patients that are there and whom the asker may see."""
    kinds: dict[str, list[dict[str, Any]]] = {
        "name": [], "misspelled": [], "beginnings": [], "name and birth date": [], "number": [],
        "telephone": [], "common family name": [],
    }  # fmt: skip
    step = max(1, patients // fill.FACILITIES // 200)
    for number in range(0, patients, fill.FACILITIES * step):
        family, given = name_of(number)
        year, month, day = birth_of(number)
        texts = {
            "name": f"{family} {given}",
            "misspelled": f"{_slip(family)} {given}",
            "beginnings": f"{family[:4]} {given[:3]}",
            "name and birth date": f"{family} {month}/{day}/{year}",
            "number": fill.mrn_of(number),
            "telephone": fill.phone_of(number),
            "common family name": family,
        }
        for kind, text in texts.items():
            kinds[kind].append({"text": text})
    return kinds


def _slip(word: str) -> str:
    """A word with two letters in the wrong order."""
    at = len(word) // 2
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


async def _patients(up: Hub, wanted: int) -> None:
    registry = await up.engines.connect("registry")
    identity = await up.engines.connect("identity")
    try:
        await fill.Fill(registry, identity, await up.facility_ids()).patients(wanted)
    finally:
        await registry.close()
        await identity.close()


async def _one_discharge(up: Hub) -> None:
    """Have the hub make loops, to copy."""
    plan = {"port": up.machine.mllp_port, "connections": 1, "ahead": 4, "rate": 100, "seconds": 3}
    await mllp_load({**plan, "run": f"F{time.time_ns() // 1000 % 10**9:09}"})
    connection = await up.system("tasking")
    try:

        async def is_there() -> bool:
            return bool(
                await connection.fetchval("SELECT count(*) FROM tasks WHERE step = 'contact'")
            )

        await until(is_there, 60, "a loop")
    finally:
        await connection.close()


def _short(number: int) -> str:
    return f"{number // 1_000_000} M" if number >= 1_000_000 else f"{number // 1000} k"
