"""Does the ledger still say what it said? Compares rows, chain and heads, each with the others.

Rows against the chain tells what was edited, taken out, put in or swapped; the chain against itself what was done to the
chain; and the chain against signed heads kept elsewhere whether its end was cut off or all of it made anew.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Uuid, any_, func, select, tuple_

from libs.chassis import audit
from libs.chassis.database import Database, param, sql
from libs.conveyor.restores import LIST, Restore
from libs.ledger.heads import KEPT, Head, Keys
from libs.ledger.sealing import (
    EVER,
    FORM,
    HEAD_EVERY,
    LATE,
    Link,
    Row,
    audit_chain,
    beginning,
    chain,
)

STEP = 5000
# Beyond what the sealer itself allows, so that it is never blamed for its own tolerance.
_LATE = LATE + timedelta(minutes=1)
_UNSEALED_FOR = timedelta(minutes=10)
_WITHOUT_HEAD = timedelta(seconds=HEAD_EVERY * 6)


class Kind(StrEnum):
    """What was found. All but the last two can come from a hand in the database."""

    EDITED = "EDITED"
    MISSING = "MISSING"
    INSERTED = "INSERTED"
    CHAIN_CHANGED = "CHAIN_CHANGED"
    REMADE = "REMADE"
    CUT = "CUT"
    HEAD_FORGED = "HEAD_FORGED"
    UNSEALED = "UNSEALED"
    WITHOUT_HEAD = "WITHOUT_HEAD"


_WORDS: Mapping[Kind, str] = {
    Kind.EDITED: "the row says something else than when it was sealed",
    Kind.MISSING: "the row was sealed and is gone",
    Kind.INSERTED: "the row was put in later than any request could have written it, or its place was taken out",
    Kind.CHAIN_CHANGED: "the chain itself was changed here",
    Kind.REMADE: "the chain was made anew: a signed head says something else",
    Kind.CUT: "the end of the chain was cut off: a signed head tells of more",
    Kind.HEAD_FORGED: "a head is not signed with a key of ours",
    Kind.UNSEALED: "rows have waited for their seal for too long: does a process with the role work run?",
    Kind.WITHOUT_HEAD: "no signed head vouches for the end of the chain: is CAREHUB_AUDIT_KEY set?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be, and where: the row's id, its time, its place in the chain, the witness."""

    kind: Kind
    sequence: int = 0
    audit_id: UUID | None = None
    at: datetime | None = None
    witness: str = ""
    count: int = 1

    def sentence(self) -> str:
        place = [
            f"at {self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if self.at else "",
            f"row {self.audit_id}" if self.audit_id else "",
            f"place {self.sequence}" if self.sequence else "",
            f"{self.count} of them" if self.count > 1 else "",
            f"according to {self.witness}" if self.witness else "",
        ]
        return f"{self.kind}: {_WORDS[self.kind]} ({', '.join(filter(None, place))})"


@dataclass(slots=True, kw_only=True)
class Report:
    """What was looked at and what was found."""

    service: str
    rows: int = 0
    heads: int = 0
    witnesses: set[str] = field(default_factory=set)
    # Where a backup was restored, and the last place that is known of what the ledger had beyond.
    cuts: dict[Restore, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A place in the chain."""

    sequence: int
    audit_id: UUID
    at: datetime
    form: int
    digest: bytes
    chained: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A row that is not in the chain. With a place in it at another time it is a second one with the id of a sealed row."""

    id: UUID
    at: datetime
    sealed_at: datetime | None = None


_a, _c = audit.audit.c, audit_chain.c
_above, _to = param("above", type_=BigInteger), param("upto", type_=BigInteger)
_CHAIN = sql(
    select(audit_chain).where(_c.sequence > _above).order_by(_c.sequence).limit(STEP), row=Sealed
)
_ROWS = sql(
    select(audit.audit).where(
        _a.at >= param("first", type_=DateTime(timezone=True)),
        _a.at <= param("last", type_=DateTime(timezone=True)),
        _a.id.in_(
            select(_c.audit_id).where(_c.sequence > _above, _c.sequence <= _to).scalar_subquery()
        ),
    ),
    row=Row,
)
_ELSEWHEN = sql(select(_a.id).where(_a.id == any_(param("ids", type_=ARRAY(Uuid)))))
# Rows by the ten thousand, each looked up in the chain: as one join it would outgrow any time limit.
_after = tuple_(param("at", type_=DateTime(timezone=True)), param("id", type_=Uuid))
_STRIDE = sql(
    select(_a.id, _a.at)
    .where(tuple_(_a.at, _a.id) > _after)
    .order_by(_a.at, _a.id)
    .offset(STEP * 4 - 1)
    .limit(1),
    row=Loose,
)
_time = select(_c.at).where(_c.audit_id == _a.id).limit(1).scalar_subquery()
_LOOSE = sql(
    select(_a.id, _a.at, _time.label("sealed_at"))
    .where(
        tuple_(_a.at, _a.id) > _after,
        tuple_(_a.at, _a.id)
        <= tuple_(param("to_at", type_=DateTime(timezone=True)), param("to_id", type_=Uuid)),
        _time.is_distinct_from(_a.at),
    )
    .order_by(_a.at, _a.id),
    row=Loose,
)
_END = Loose(id=UUID(int=2**128 - 1), at=datetime(9999, 12, 31, tzinfo=UTC))
_COUNT = sql(select(func.coalesce(func.max(_c.sequence), 0)))


class Verifier:
    """Verifies the ledger of one service. `elsewhere` are heads by the name of the place that kept them."""

    def __init__(
        self,
        service: str,
        database: Database,
        keys: Keys,
        elsewhere: Mapping[str, Collection[Head]],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keys = keys
        self._elsewhere = elsewhere
        self._now = now
        self._heads: dict[int, list[tuple[str, Head]]] = defaultdict(list)
        self._previous = Link(sequence=0, at=EVER, chained=beginning(service))
        # The first row that no head vouches for, while there is one.
        self._alone_since: Sealed | None = None
        self._told = set[UUID]()
        self.report = Report(service=service)

    async def run(self, progress: Callable[[int, int], None]) -> Report:
        """Go through the chain from its beginning; `progress` hears how many places of how many."""
        await self._gather_heads()
        async with self._database.system() as tx:
            total = await tx.one(_COUNT)
        while links := await self._next_links():
            rows = await self._rows_of(links)
            moved = await self._moved(links, rows)
            for link in links:
                self._check(link)
                self._check_row(link, rows.get(link.audit_id, ()), moved)
            progress(self._previous.sequence, total)
        self._check_end()
        await self._check_loose_rows()
        return self.report

    def _find(self, kind: Kind, link: Sealed | None = None, witness: str = "") -> None:
        told = (link.sequence, link.audit_id, link.at) if link else (0, None, None)
        sequence, audit_id, at = told
        self.report.findings.append(
            Finding(kind=kind, sequence=sequence, audit_id=audit_id, at=at, witness=witness)
        )

    async def _gather_heads(self) -> None:
        async with self._database.system() as tx:
            own = await tx.fetch(KEPT, service=self.report.service)
            for one in await tx.fetch(LIST):
                statement = one.statement(self.report.service)
                if self._keys.has_signed(one.key_id, one.signature, statement):
                    self.report.cuts[one] = one.sequence or 0
        ours: dict[
            Head, bool
        ] = {}  # most are kept in several places; a signature costs a tenth of a millisecond
        for place, found in {"its own table": own, **self._elsewhere}.items():
            for head in found:
                if head not in ours:
                    ours[head] = self._keys.is_ours(head)
                if not ours[head]:
                    self._find(Kind.HEAD_FORGED, witness=place)
                    continue
                if not self._is_cut_off(head):
                    self._heads[head.sequence].append((place, head))
                self.report.heads += 1
                self.report.witnesses.add(place)

    def _is_cut_off(self, head: Head) -> bool:
        """Whether it tells of what was lost when a backup was restored, by somebody who has the key for heads."""
        for cut, end in self.report.cuts.items():
            if head.sequence > (cut.sequence or 0) and head.signed_at <= cut.restored_at:
                self.report.cuts[cut] = max(end, head.sequence)
                return True
        return False

    async def _next_links(self) -> list[Sealed]:
        async with self._database.system() as tx:
            return await tx.fetch(_CHAIN, above=self._previous.sequence)

    async def _rows_of(self, links: Sequence[Sealed]) -> dict[UUID, list[Row]]:
        found: dict[UUID, list[Row]] = defaultdict(list)
        async with self._database.system() as tx:
            rows = await tx.fetch(
                _ROWS,
                first=min(link.at for link in links),
                last=max(link.at for link in links),
                above=self._previous.sequence,
                upto=links[-1].sequence,
            )
        for row in rows:
            found[row.id].append(row)
        return found

    async def _moved(
        self, links: Sequence[Sealed], rows: Mapping[UUID, Sequence[Row]]
    ) -> set[UUID]:
        """Of what is not there at its time: what is there at another."""
        absent = [link.audit_id for link in links if link.audit_id not in rows]
        if not absent:
            return set()
        async with self._database.system() as tx:
            return set(await tx.fetch(_ELSEWHEN, ids=absent))

    def _check(self, link: Sealed) -> None:
        expected = chain(self._previous.chained, link.sequence, link.audit_id, link.digest)
        if link.sequence != self._previous.sequence + 1 or link.chained != expected:
            self._find(Kind.CHAIN_CHANGED, link)
        if link.at < self._previous.at - _LATE:
            self._find(Kind.INSERTED, link)
        self._previous = Link(
            sequence=link.sequence, at=max(self._previous.at, link.at), chained=link.chained
        )
        self._alone_since = self._alone_since or link
        for place, head in self._heads.pop(link.sequence, ()):
            if head.chained != link.chained:
                self._find(Kind.REMADE, link, place)
            else:
                self._alone_since = None
        self.report.rows += 1

    def _check_row(self, link: Sealed, rows: Sequence[Row], moved: Collection[UUID]) -> None:
        row = next((one for one in rows if one.at == link.at), None)
        if row is None:
            is_there = bool(rows) or link.audit_id in moved
            self._find(Kind.EDITED if is_there else Kind.MISSING, link)
            self._told.add(link.audit_id)
        elif link.form != FORM or row.digest() != link.digest:
            self._find(Kind.EDITED, link)

    def _check_end(self) -> None:
        """Heads that are left tell of places that the chain does not have."""
        for sequence in sorted(self._heads):
            for place, head in self._heads[sequence]:
                kind = Kind.CUT if sequence > self._previous.sequence else Kind.REMADE
                self.report.findings.append(
                    Finding(kind=kind, sequence=sequence, at=head.signed_at, witness=place)
                )
        alone = self._alone_since
        if alone and len(self._keys) and self._previous.at - alone.at > _WITHOUT_HEAD:
            self._find(Kind.WITHOUT_HEAD, alone)

    async def _check_loose_rows(self) -> None:
        """Rows that nobody sealed: too old for the sealer to find, never to be sealed, or too young."""
        waiting = list[Loose]()
        place: Loose | None = Loose(id=UUID(int=0), at=datetime(1, 1, 1, tzinfo=UTC))
        while place:
            async with self._database.system() as tx:
                after = await tx.one_or_none(_STRIDE, place)
                end = after or _END
                loose = await tx.fetch(_LOOSE, place, to_at=end.at, to_id=end.id)
            waiting += [row for row in loose if self._is_young(row)]
            self.report.findings += [
                Finding(kind=Kind.INSERTED, audit_id=row.id, at=row.at)
                for row in loose
                if not self._is_young(row) and row.id not in self._told
            ]
            place = after
        if waiting and self._now() - waiting[0].at > _UNSEALED_FOR:
            self.report.findings.append(
                Finding(kind=Kind.UNSEALED, at=waiting[0].at, count=len(waiting))
            )

    def _is_young(self, row: Loose) -> bool:
        """Whether the sealer may still find it. Of a second row with the id of a sealed one it never takes notice."""
        return row.sealed_at is None and row.at > self._previous.at - LATE
