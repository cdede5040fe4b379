"""What it costs that nobody sees what they may not, and that everybody is seen looking: the decision, the policies, the audit."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import asyncpg

from libs.chassis import audit, door
from libs.chassis.caller import Call, Caller, CallerKind
from libs.chassis.database import Transaction
from libs.local.environment import passwords
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Facts, Network, Patient, Registration, Treatment
from services.identity.domain.fact import network_agreement
from services.registry.store.patient import GET
from services.tasking.domain.task import TaskState
from services.tasking.store.tasks import BY_FACILITIES, TaskFilter
from tests.performance import fill
from tests.performance.bench import Bench
from tests.performance.figures import Line, percentile, spread
from tests.performance.hub import Hub

Rows = Callable[[Transaction], Awaitable[Any]]
_ROOT = UUID("5c1b2f0e-8a54-5f53-9a6e-0a4b8b1c7d11")
_ROUNDS = 300
_VISITS = {"of 5 visits at 3 places": (5, 3), "of 200 visits at 40 places": (200, 40)}


def decision_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="decision",
            what="deciding who may see a patient of 5 visits at 3 places, p99",
            unit="ms",
            floor=1,
            better="less",
            how="The decider alone, facts in, grants out, in this process",
        )
    )


def policy_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="policies",
            what="row-level security, on a worklist page",
            unit="ms",
            better="less",
            how=(
                "The median of the worklist's statement in a transaction of a coordinator, less the same statement where no "
                "policy applies; turn by turn"
            ),
        )
    )


def audit_line(bench: Bench) -> Line:
    return bench.line(
        Line(
            key="audit",
            what="the audit row, on a read",
            unit="ms",
            better="less",
            how="The median of reading a record and committing with its audit row, less the same without it; turn by turn",
        )
    )


def decisions(bench: Bench) -> None:
    line = decision_line(bench)
    for name, (visits, places) in _VISITS.items():
        facts, at = _facts(visits, places), datetime.now(UTC)
        took = []
        for _ in range(2000):
            began = time.perf_counter()
            decide(facts, at)
            took.append((time.perf_counter() - began) * 1000)
        if name == next(iter(_VISITS)):
            line.values.append(percentile(took, 0.99))
        line.details.setdefault(name, []).append(spread(took))
        bench.say(f"  - decision {name:28} {spread(took)}")


async def costs(bench: Bench, up: Hub) -> None:
    """The same work with and without, turn by turn, at the size that is there."""
    three = (await up.facility_ids())[:3]
    places = [UUID(each) for each in three]
    where = TaskFilter(states=(TaskState.OPEN,), limit=51)

    async def page(tx: Transaction) -> None:
        await tx.fetch(BY_FACILITIES, where, ids=places, state="OPEN")

    async def record(tx: Transaction) -> None:
        await tx.fetch(GET, id=fill.patient_id(0))

    for _ in range(bench.plan.repeats):
        bare = await _timed(up, "tasking", page, places, as_owner=True)
        guarded = await _timed(up, "tasking", page, places)
        policy_line(bench).values.append(guarded - bare)
        policy_line(bench).details.setdefault("repeats", []).append((bare, guarded))
        unseen = await _timed(up, "registry", record, places)
        seen = await _timed(up, "registry", record, places, audited=True)
        audit_line(bench).values.append(seen - unseen)
        audit_line(bench).details.setdefault("repeats", []).append((unseen, seen))
        bench.say(
            f"  - worklist page {bare:.2f} ms, with policies {guarded:.2f}; record {unseen:.2f} ms, audited {seen:.2f}"
        )


async def _timed(
    up: Hub,
    service: str,
    rows: Rows,
    places: list[UUID],
    *,
    as_owner: bool = False,
    audited: bool = False,
) -> float:
    """The median in milliseconds of a transaction that reads these rows."""
    server = urlsplit(up.engines.database_url)
    if as_owner:
        connection = await up.engines.connect(service)
    else:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=server.port, user=service, database=service,
            password=passwords(up.engines.home, service)[service],
        )  # fmt: skip
    subject = UUID(up.subject("coordinator"))
    begin = (
        door.begin(subject, places, door.NOBODY_ELSE, 30.0) + "; SET LOCAL synchronous_commit = off"
    )
    caller = Caller(
        subject=subject,
        kind=CallerKind.PERSON,
        name="",
        roles={},
        permissions={},
        purpose="TREATMENT",
    )
    took = []
    try:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            await connection.execute(begin)
            tx = Transaction(connection, datetime.now(UTC))  # type: ignore[arg-type]
            await rows(tx)
            if audited:
                call = Call(method="bench", request_id="bench", deadline=0.0, maybe_caller=caller)
                audit.record(tx, call, "")
            await tx.flush()
            await connection.execute("COMMIT")
            took.append((time.perf_counter() - began) * 1000)
    finally:
        await connection.close()
    return median(took)


def _facts(visits: int, places: int) -> Facts:
    """Somebody who has been to many places, of as many organizations, whose visits have ended or go on."""
    now = datetime.now(UTC)
    facility_ids = [uuid5(_ROOT, f"facility {n}") for n in range(places)]
    organization_of = {each: uuid5(each, "organization") for each in facility_ids}
    members = frozenset(organization_of.values())
    return Facts(
        patient=Patient(id=uuid5(_ROOT, "patient"), born_on=None),
        network=Network(jurisdiction="US", organization_of=organization_of, covered=members),
        known_at=frozenset(facility_ids),
        registrations=tuple(
            Registration(
                id=uuid5(each, "chart"), facility_id=each, from_at=now - timedelta(days=900)
            )
            for each in facility_ids
        ),
        treatments=tuple(
            Treatment(
                id=uuid5(_ROOT, f"visit {n}"),
                facility_id=facility_ids[n % places],
                began_at=now - timedelta(days=n),
                ended_at=now - timedelta(days=n) + timedelta(hours=6) if n else None,
            )
            for n in range(visits)
        ),
        agreements=(network_agreement(now - timedelta(days=900)).among(members),),
    )
