"""Whatever a database administrator does to a ledger is found. CAREHUB_TAMPERINGS says how often each kind is tried, and
CAREHUB_SEED, from a failure, repeats it.
"""

import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg

from libs.ledger import heads
from libs.ledger.heads import Signer
from libs.ledger.sealing import FORM, Row, beginning, chain
from libs.ledger.verification import Kind
from tests.component.ledger.ledgers import SERVICE, LedgerOf, filled, ledger_of, row

TIMES = int(os.environ.get("CAREHUB_TAMPERINGS", "6"))
TABLES = ("audit", "audit_chain", "audit_heads")
Tamper = Callable[[LedgerOf, random.Random], Awaitable[object]]
COLUMNS = {
    "id": "gen_random_uuid()",
    "at": "at + interval '1 microsecond' * (1 + floor(random() * 1e6))",
    "subject": "CASE WHEN random() < 0.5 THEN NULL ELSE gen_random_uuid() END",
    "method": "method || 's'",
    "resource": "''",
    "patients": "patients || gen_random_uuid()",
    "outcome": "outcome || ' '",
    "reason": "'REPLAYED'",
    "purpose": "'EMERGENCY'",
    "facilities": "'{}'",
    "request_id": "gen_random_uuid()::text",
    "roles": "'{physician}'",
    "address": "'192.0.2.8'",
}
LINKS = {
    "sequence": "sequence + 100000",
    "audit_id": "gen_random_uuid()",
    "at": "at + interval '1 second'",
    "form": "form + 1",
    "digest": "sha256(digest)",
    "chained": "sha256(chained)",
}


async def pick(ledger: LedgerOf, rng: random.Random, count: int = 1) -> list[asyncpg.Record]:
    links = await ledger.chain()
    return rng.sample(links, count)


def edit(column: str, value: str) -> Tamper:
    async def do(ledger: LedgerOf, rng: random.Random) -> None:
        (one,) = await pick(ledger, rng)
        await ledger.admin.execute(
            f"UPDATE audit SET {column} = {value} WHERE id = $1", one["audit_id"]
        )

    return do


def edit_link(column: str, value: str) -> Tamper:
    async def do(ledger: LedgerOf, rng: random.Random) -> None:
        (one,) = await pick(ledger, rng)
        await ledger.admin.execute(
            f"UPDATE audit_chain SET {column} = {value} WHERE sequence = $1", one["sequence"]
        )

    return do


async def delete(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.admin.execute("DELETE FROM audit WHERE id = $1", one["audit_id"])


async def delete_link(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.admin.execute("DELETE FROM audit_chain WHERE sequence = $1", one["sequence"])


async def delete_both(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.admin.execute("DELETE FROM audit_chain WHERE sequence = $1", one["sequence"])
    await ledger.admin.execute("DELETE FROM audit WHERE id = $1", one["audit_id"])


async def insert(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.write([row(one["at"] - timedelta(minutes=7), rng)])


async def insert_and_have_it_sealed(ledger: LedgerOf, rng: random.Random) -> None:
    """As if the sealer had been made to look at old rows."""
    (one,) = await pick(ledger, rng)
    forged = row(one["at"] - timedelta(minutes=7), rng)
    await ledger.write([forged])
    last = (await ledger.chain())[-1]
    sequence = last["sequence"] + 1
    link = chain(last["chained"], sequence, forged.id, forged.digest())
    await add_link(ledger, sequence, forged, link)


async def insert_a_second_with_the_same_id(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.write(
        [row(one["at"] + timedelta(seconds=rng.uniform(1, 9)), rng, id=one["audit_id"])]
    )


async def swap_contents(ledger: LedgerOf, rng: random.Random) -> None:
    one, two = await pick(ledger, rng, 2)
    columns = [name for name in COLUMNS if name not in {"id", "at"}]
    told = ", ".join(columns)
    for mine, others in ((one, two), (two, one)):
        await ledger.admin.execute(
            f"UPDATE audit SET ({told}) = (SELECT {told} FROM kept_audit k WHERE k.id = $2) WHERE id = $1",
            mine["audit_id"], others["audit_id"],
        )  # fmt: skip


async def swap_ids(ledger: LedgerOf, rng: random.Random) -> None:
    one, two = (link["audit_id"] for link in await pick(ledger, rng, 2))
    await ledger.admin.execute(
        "UPDATE audit SET id = CASE id WHEN $1 THEN $2 ELSE $1 END WHERE id = ANY ($3)", one, two, [one, two]
    )  # fmt: skip


async def swap_links(ledger: LedgerOf, rng: random.Random) -> None:
    one, two = await pick(ledger, rng, 2)
    for mine, others in ((one, two), (two, one)):
        await ledger.admin.execute(
            "UPDATE audit_chain SET digest = $2 WHERE sequence = $1",
            mine["sequence"],
            others["digest"],
        )


async def cut_the_tail(ledger: LedgerOf, rng: random.Random) -> None:
    """The last rows, their places, and what the database itself remembers of them."""
    links = await ledger.chain()
    first = rng.randint(2, len(links))
    await ledger.admin.execute(
        "DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_chain WHERE sequence >= $1)",
        first,
    )
    await ledger.admin.execute("DELETE FROM audit_chain WHERE sequence >= $1", first)
    await ledger.admin.execute("DELETE FROM audit_heads WHERE sequence >= $1", first)


async def empty_it(ledger: LedgerOf, rng: random.Random) -> None:
    await ledger.admin.execute("TRUNCATE audit, audit_chain, audit_heads")


async def edit_and_remake(ledger: LedgerOf, rng: random.Random) -> None:
    """An edited row, and a chain that fits it, from there to the end."""
    (one,) = await pick(ledger, rng)
    await ledger.admin.execute("UPDATE audit SET subject = NULL WHERE id = $1", one["audit_id"])
    await remake(ledger, one["sequence"])


async def delete_and_remake(ledger: LedgerOf, rng: random.Random) -> None:
    links = await ledger.chain()
    one = rng.choice(links[:-1])
    await ledger.admin.execute("DELETE FROM audit WHERE id = $1", one["audit_id"])
    await remake(ledger, one["sequence"])


async def insert_and_remake(ledger: LedgerOf, rng: random.Random) -> None:
    """Not beside the last: what comes after every head may have been written by anybody."""
    one = rng.choice((await ledger.chain())[:-1])
    await ledger.write([row(one["at"], rng)])
    await remake(ledger, one["sequence"])


async def remake_with_heads_of_another_key(ledger: LedgerOf, rng: random.Random) -> None:
    (one,) = await pick(ledger, rng)
    await ledger.admin.execute("UPDATE audit SET subject = NULL WHERE id = $1", one["audit_id"])
    await remake(ledger, one["sequence"])
    last = (await ledger.chain())[-1]
    head = Signer(heads.new_key()).sign(SERVICE, last["sequence"], last["chained"], ledger.at)
    async with ledger.database.system() as tx:
        await tx.run(heads.KEEP, head)


async def remake(ledger: LedgerOf, start: int) -> None:
    """The chain anew from a place on, of all rows in the order of their times; and no head that contradicts it."""
    await ledger.admin.execute("DELETE FROM audit_heads WHERE sequence >= $1", start)
    kept = [link for link in await ledger.chain() if link["sequence"] < start]
    await ledger.admin.execute("DELETE FROM audit_chain WHERE sequence >= $1", start)
    known = {link["audit_id"] for link in kept}
    end = kept[-1]["chained"] if kept else beginning(SERVICE)
    sequence = start
    for record in await ledger.admin.fetch("SELECT * FROM audit ORDER BY at, id"):
        found = Row(**record)
        if found.id not in known:
            end = chain(end, sequence, found.id, found.digest())
            await add_link(ledger, sequence, found, end)
            sequence += 1


async def add_link(ledger: LedgerOf, sequence: int, found: Row, chained: bytes) -> None:
    await ledger.admin.execute(
        "INSERT INTO audit_chain VALUES ($1, $2, $3, $4, $5, $6)",
        sequence, found.id, found.at, FORM, found.digest(), chained,
    )  # fmt: skip


async def drop_a_partition(ledger: LedgerOf, rng: random.Random) -> None:
    """The months that `filled` reaches surely."""
    (one,) = await pick(ledger, rng)
    name = await ledger.admin.fetchval(
        "SELECT tableoid::regclass::text FROM audit WHERE id = $1", one["audit_id"]
    )
    await ledger.admin.execute(f"TRUNCATE {name}")


TAMPERINGS: dict[str, tuple[Tamper, set[Kind]]] = {
    **{f"edit {name}": (edit(name, value), {Kind.EDITED, Kind.MISSING}) for name, value in COLUMNS.items()},
    **{f"edit {name} of the chain": (edit_link(name, value), set(Kind)) for name, value in LINKS.items()},
    "delete": (delete, {Kind.MISSING}),
    "delete a link": (delete_link, {Kind.CHAIN_CHANGED, Kind.CUT}),
    "delete row and link": (delete_both, {Kind.CHAIN_CHANGED, Kind.CUT}),
    "insert": (insert, {Kind.INSERTED}),
    "insert, sealed": (insert_and_have_it_sealed, {Kind.INSERTED}),
    "insert with the same id": (insert_a_second_with_the_same_id, {Kind.INSERTED}),
    "swap contents": (swap_contents, {Kind.EDITED}),
    "swap ids": (swap_ids, {Kind.EDITED}),
    "swap links": (swap_links, {Kind.CHAIN_CHANGED}),
    "cut the tail": (cut_the_tail, {Kind.CUT}),
    "empty it": (empty_it, {Kind.CUT}),
    "edit and remake": (edit_and_remake, {Kind.REMADE}),
    "delete and remake": (delete_and_remake, {Kind.REMADE, Kind.CUT}),
    "insert and remake": (insert_and_remake, {Kind.REMADE}),
    "remake, forged heads": (remake_with_heads_of_another_key, {Kind.HEAD_FORGED}),
    "drop a partition": (drop_a_partition, {Kind.MISSING}),
}  # fmt: skip


async def keep(ledger: LedgerOf) -> None:
    for table in TABLES:
        await ledger.admin.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")


async def restore(ledger: LedgerOf) -> None:
    await ledger.admin.execute(f"TRUNCATE {', '.join(TABLES)}")
    for table in TABLES:
        await ledger.admin.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")


async def test_every_tampering_is_found_and_an_untouched_ledger_is_whole(servers, tmp_path, capsys):
    seed = int(os.environ.get("CAREHUB_SEED") or random.randrange(2**32))
    rng = random.Random(seed)
    tried, missed = 0, []
    async with ledger_of(servers, tmp_path) as ledger:
        await filled(ledger, rng, rows=20)
        # As a superuser does who means it: the triggers that refuse are put to rest.
        await ledger.admin.execute("SET session_replication_role = replica")
        await keep(ledger)
        for name, (tamper, expected) in TAMPERINGS.items():
            for _ in range(TIMES):
                await tamper(ledger, rng)
                report = await ledger.verify()
                tried += 1
                if not {finding.kind for finding in report.findings} & expected:
                    missed.append((name, [finding.sentence() for finding in report.findings]))
                await restore(ledger)
            report = await ledger.verify()
            assert report.findings == [], (name, seed)
            assert report.rows == 120
    with capsys.disabled():
        print(f" {tried} tamperings of {len(TAMPERINGS)} kinds, {len(missed)} missed ", end="")
    assert missed == [], seed


async def test_a_second_row_with_the_id_of_the_last_one_is_not_taken_for_one_that_waits(
    servers, tmp_path
):
    """Nobody will ever seal it, however young it is."""
    rng = random.Random(3)
    async with ledger_of(servers, tmp_path) as ledger:
        await filled(ledger, rng, batches=1, rows=3)
        last = (await ledger.chain())[-1]
        await ledger.write([row(last["at"] + timedelta(seconds=1), rng, id=last["audit_id"])])
        found = [(finding.kind, finding.audit_id) for finding in (await ledger.verify()).findings]
        assert found == [(Kind.INSERTED, last["audit_id"])]


async def test_without_a_head_kept_elsewhere_a_ledger_made_anew_looks_whole_but_for_the_missing_head(
    servers, tmp_path
):
    """What heads are for. Should this ever find REMADE, the heads of files and neighbors are not needed."""
    rng = random.Random(1)
    async with ledger_of(servers, tmp_path) as ledger:
        await filled(ledger, rng, batches=2)
        await ledger.admin.execute("SET session_replication_role = replica")
        await edit_and_remake(ledger, rng)
        alone = await ledger.verify(elsewhere={})
        assert {finding.kind for finding in alone.findings} <= {Kind.WITHOUT_HEAD}
        witnessed = await ledger.verify()
        assert Kind.REMADE in {finding.kind for finding in witnessed.findings}
        assert any("a file" in finding.sentence() for finding in witnessed.findings)


async def test_the_roles_of_a_service_can_neither_change_nor_take_out(servers, tmp_path):
    async with ledger_of(servers, tmp_path) as ledger:
        await filled(ledger, random.Random(2), batches=1, rows=3)
        for kind in ("", "system", "maintenance", "owner"):
            connection = await asyncpg.connect(servers.url(SERVICE, kind))
            try:
                for table in (*TABLES, "audit_first", "audit_default"):
                    for statement in ("DELETE FROM {}", "UPDATE {} SET {} = {}", "TRUNCATE {}"):
                        column = "signed_at" if table == "audit_heads" else "at"
                        try:
                            done = await connection.execute(statement.format(table, column, column))
                        except asyncpg.InsufficientPrivilegeError:
                            continue
                        # The owner is under the policies: it sees no row that it could change.
                        assert done in {"DELETE 0", "UPDATE 0"}, (kind, table, statement)
            finally:
                await connection.close()
        report = await ledger.verify()
        assert (report.rows, report.findings) == (3, [])


def test_a_head_says_exactly_what_was_signed():
    key = heads.new_key()
    head = Signer(key).sign(SERVICE, 7, b"\x01" * 32, datetime(2026, 11, 22, tzinfo=UTC))
    keys = heads.Keys(key)
    assert keys.is_ours(head)
    for other in (
        replace(head, service="other"),
        replace(head, sequence=8),
        replace(head, chained=b"\x02" * 32),
        replace(head, signed_at=head.signed_at + timedelta(seconds=1)),
        replace(head, key_id=str(uuid4())),
        replace(head, signature=b"\x00" * 64),
    ):
        assert not keys.is_ours(other)
    assert not heads.Keys(heads.new_key()).is_ours(head)
