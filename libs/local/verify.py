"""`carehub audit verify`: is every ledger still what it was? Says what was found, and what to do."""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC
from pathlib import Path

from libs.chassis import ids
from libs.chassis.database import Database, open_pool
from libs.chassis.errors import Unavailable
from libs.ledger import heads
from libs.ledger.heads import Head, Keys
from libs.ledger.verification import Report, Verifier

Say = Callable[[str], None]
WHOLE, TAMPERED, UNKNOWN = 0, 1, 2
_MOST_OF_A_KIND = 20
_SAY_EVERY = 1.0
_WHAT_TO_DO = """\
Somebody with the rights of a database administrator has changed a ledger, or it was restored from a backup. Change
nothing: keep the database, its logs and the files of heads as they are, and tell the privacy officer and whoever runs
the database. docs/how-to/verify-the-audit.md says how to go on."""


async def run(
    services: Sequence[str], every: Sequence[str], env: Mapping[str, str], say: Say
) -> int:
    """Verify ledgers, with the heads that all services and the files remember. The exit code."""
    keys = _keys(env)
    if not keys:
        say("The key that heads are signed with is not known: set CAREHUB_AUDIT_KEY, or")
        say("CAREHUB_AUDIT_PUBLIC_KEYS. Without it a ledger that was made anew looks whole.")
        return UNKNOWN
    async with AsyncExitStack() as stack:
        databases = {}
        for service in every:
            if url := env.get(f"{service.upper()}_SYSTEM_DATABASE_URL"):
                pool = await open_pool(url, 1, "carehub-audit")
                databases[service] = Database(None, pool, ids.now)
                stack.push_async_callback(databases[service].close)
        reports, unknown = [], 0
        for service in services:
            if service not in databases:
                raise RuntimeError(f"{service.upper()}_SYSTEM_DATABASE_URL is not set")
            try:
                report = await _verify(service, databases, keys, env, say)
            except Unavailable:
                say(
                    f"{service}: its database does not answer. Start it (`carehub up`) and try again."
                )
                unknown += 1
                continue
            reports.append(report)
    tampered = [report for report in reports if report.findings]
    if tampered:
        say(_WHAT_TO_DO)
    return TAMPERED if tampered else UNKNOWN if unknown else WHOLE


def _keys(env: Mapping[str, str]) -> Keys:
    paths = (env.get(name, "") for name in ("CAREHUB_AUDIT_PUBLIC_KEYS", "CAREHUB_AUDIT_KEY"))
    path = next((Path(path) for path in paths if path and os.path.exists(path)), None)  # noqa: PTH110
    return Keys(path.read_text() if path else "")


async def _verify(
    service: str, databases: Mapping[str, Database], keys: Keys, env: Mapping[str, str], say: Say
) -> Report:
    elsewhere = await _elsewhere(service, databases, say)
    if folder := env.get("CAREHUB_AUDIT_HEADS"):
        elsewhere["the files of heads"] = heads.read(Path(folder), service)
    began = said = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > _SAY_EVERY:
            said = time.monotonic()
            say(f"{service}: {done:,} of {total:,} rows")

    report = await Verifier(service, databases[service], keys, elsewhere, ids.now).run(progress)
    _tell(report, time.monotonic() - began, say)
    return report


async def _elsewhere(
    service: str, databases: Mapping[str, Database], say: Say
) -> dict[str, Collection[Head]]:
    """What the other services remember of this one's heads."""
    found: dict[str, Collection[Head]] = {}
    for other, database in databases.items():
        if other == service:
            continue
        try:
            async with database.system() as tx:
                found[f"the database of {other}"] = await tx.fetch(heads.KEPT, service=service)
        except Unavailable:
            say(
                f"{service}: what {other} remembers could not be asked; its database does not answer."
            )
    return found


def _tell(report: Report, seconds: float, say: Say) -> None:
    told: Counter[str] = Counter()
    for finding in report.findings:
        told[finding.kind] += 1
        if told[finding.kind] <= _MOST_OF_A_KIND:
            say(f"{report.service}: {finding.sentence()}")
    for kind, count in told.items():
        if count > _MOST_OF_A_KIND:
            say(f"{report.service}: {kind}: {count - _MOST_OF_A_KIND:,} more")
    for cut, end in report.cuts.items():
        say(
            f"{report.service}: a backup of {cut.taken_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z was restored "
            f"{cut.restored_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z: the ledger was cut at place {cut.sequence:,}"
            + (f"; {end - (cut.sequence or 0):,} places beyond are lost" if end else "")
        )
    outcome = f"{len(report.findings):,} findings" if report.findings else "whole"
    witnesses = ", ".join(sorted(report.witnesses)) or "nobody"
    say(
        f"{report.service}: {outcome}; {report.rows:,} rows in {seconds:.1f} s, "
        f"{report.heads:,} signed heads kept by {witnesses}"
    )
