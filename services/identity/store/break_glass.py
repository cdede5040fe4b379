"""Emergency access in PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.identity.domain.access.facts import BreakGlass
from services.identity.domain.break_glass import Glass
from services.identity.store.schema import break_glass

_b = break_glass.c
_me = param("me", type_=Uuid)
_reviewed_at = param("reviewed_at", type_=ARRAY(Uuid))
_at = param("at", type_=DateTime(timezone=True))
_known_there = func.patients_known_at(array([_b.patient_id]), _reviewed_at).table_valued(
    "patient_id"
)
# Row-level security shows what somebody may see as anything; of that, what they may see as what they are.
_REVIEWED = or_(
    _b.facility_id == any_(_reviewed_at), exists(select(literal(1)).select_from(_known_there))
)
_OPEN = and_(_b.ended_at.is_(None), _b.expires_at > _at)

FIND = sql(
    select(break_glass).where(
        _b.id == param("id", type_=Uuid), or_(_b.person_id == _me, _REVIEWED)
    ),
    row=Glass,
)
# What was opened long ago and looked at has no say in what its person opens next.
EARLIER = sql(
    select(break_glass).where(
        _b.person_id == _me,
        or_(_b.opened_at > param("since", type_=DateTime(timezone=True)), _b.finding.is_(None)),
    ),
    row=Glass,
)
OPEN_OF = sql(
    select(break_glass)
    .where(_b.patient_id == any_(param("ids", type_=ARRAY(Uuid))), _OPEN)
    .order_by(_b.id),
    row=Glass,
)
PAGE = sql(
    select(break_glass)
    .where(
        or_(_b.person_id == _me, and_(~param("is_mine", type_=Boolean), _REVIEWED)),
        or_(
            param("patient_id", type_=Uuid).is_(None),
            _b.patient_id == param("patient_id", type_=Uuid),
        ),
        or_(param("state", type_=Text) == "", (param("state", type_=Text) == "OPEN") == _OPEN),
        or_(~param("is_unreviewed", type_=Boolean), _b.finding.is_(None)),
        tuple_(_b.opened_at, _b.id)
        < tuple_(param("before_at", type_=DateTime(timezone=True)), param("before_id", type_=Uuid)),
    )
    .order_by(_b.opened_at.desc(), _b.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Glass,
)
ABOUT = sql(
    select(break_glass)
    .where(_b.patient_id == any_(param("ids", type_=ARRAY(Uuid))))
    .order_by(_b.opened_at.desc(), _b.id.desc())
    .limit(param("limit", type_=Integer)),
    row=Glass,
)
ADD = sql(insert(break_glass).values(every_field(break_glass)))
SAVE = sql(
    update(break_glass)
    .where(_b.id == param("id"), _b.version == param("version") - 1)
    .values(every_field(break_glass))
)
IS_THERE = sql(select(func.patient_is_there(param("id", type_=Uuid))))
HOLD = sql(select(func.pg_advisory_xact_lock(func.hashtextextended(param("key", type_=Text), 0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which ones a list is about. `before_at` and `before_id` are where the page before ended."""

    patient_id: UUID | None
    is_mine: bool
    state: str
    is_unreviewed: bool
    before_at: datetime
    before_id: UUID


class GlassStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def hold(self, person_id: UUID) -> None:
        """Until the commit, be the only request that opens one for this person: what is open and overdue is counted."""
        await self._tx.fetch(HOLD, key=f"identity.glass.{person_id}")

    async def check_patient(self, patient_id: UUID) -> None:
        if not await self._tx.one(IS_THERE, id=patient_id):
            raise NotFound("PATIENT_UNKNOWN", "There is no such patient.")

    async def earlier(self, person_id: UUID, since: datetime) -> list[Glass]:
        """The person's own since then, and all that nobody has looked at."""
        return await self._tx.fetch(EARLIER, me=person_id, since=since)

    async def get(self, glass_id: UUID, person_id: UUID, reviewed_at: Collection[UUID]) -> Glass:
        """One of the person's own, or that they review; else there is none."""
        found = await self._tx.one_or_none(
            FIND, id=glass_id, me=person_id, reviewed_at=list(reviewed_at)
        )
        if found is None:
            raise NotFound("BREAK_GLASS_NOT_FOUND", "There is no such emergency access.")
        return found

    async def list_page(
        self, sought: Sought, person_id: UUID, reviewed_at: Collection[UUID], limit: int
    ) -> list[Glass]:
        return await self._tx.fetch(
            PAGE, sought, me=person_id, reviewed_at=list(reviewed_at), at=self._tx.at, limit=limit
        )

    async def opened_about(self, patient_ids: Collection[UUID], limit: int) -> list[Glass]:
        """The newest about these records, as far as row-level security shows them."""
        return await self._tx.fetch(ABOUT, ids=list(patient_ids), limit=limit)

    async def emergencies_of(
        self, patient_ids: Collection[UUID]
    ) -> dict[UUID, tuple[BreakGlass, ...]]:
        """What is open now: nothing else has a say in who may see a patient."""
        found = defaultdict[UUID, list[BreakGlass]](list)
        for glass in await self._tx.fetch(OPEN_OF, ids=list(patient_ids), at=self._tx.at):
            found[glass.patient_id].append(glass.as_fact())
        return {patient_id: tuple(facts) for patient_id, facts in found.items()}

    async def add(self, glass: Glass) -> None:
        await self._tx.run(ADD, glass)

    async def save(self, glass: Glass) -> None:
        """Write the next version, unless somebody else already did."""
        if await self._tx.run(SAVE, glass) != 1:
            raise Aborted("STALE_BREAK_GLASS", "Somebody else changed it.", id=str(glass.id))
