"""Staff in PostgreSQL."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Boolean, Integer, Text, Uuid, any_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import Aborted, FailedPrecondition, NotFound
from services.identity.domain.reach import Reach
from services.identity.domain.role import Role
from services.identity.domain.staff import StaffMember, StaffState
from services.identity.store.schema import staff


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody, and what they are called."""

    id: UUID
    display_name: str


GET = sql(select(staff).where(staff.c.id == param("id", type_=Uuid)), row=StaffMember)
ID_OF_ACCOUNT = sql(select(staff.c.id).where(staff.c.account == param("account", type_=Text)))
ACTIVE_AMONG = sql(
    select(staff.c.id).where(
        staff.c.id == any_(param("ids", type_=ARRAY(Uuid))),
        staff.c.state == StaffState.ACTIVE.value,
    )
)
NAMES = sql(
    select(staff.c.id, staff.c.display_name).where(
        staff.c.id == any_(param("ids", type_=ARRAY(Uuid)))
    ),
    row=Named,
)
NETWORK_ADMINS = sql(
    select(func.count())
    .select_from(staff)
    .where(
        staff.c.state == StaffState.ACTIVE.value,
        staff.c.roles.contains(param("role", type_=JSONB)),
    )
)
ADD = sql(insert(staff).values(every_field(staff)))
SAVE = sql(
    update(staff)
    .where(staff.c.id == param("id"), staff.c.version == param("version") - 1)
    .values(every_field(staff))
)
_PAGE = (
    select(staff)
    .where(
        staff.c.account > param("after", type_=Text),
        or_(
            param("show_deactivated", type_=Boolean),
            staff.c.state == StaffState.ACTIVE.value,
        ),
    )
    .order_by(staff.c.account)
    .limit(param("limit", type_=Integer))
)
PAGE = sql(_PAGE, row=StaffMember)
# A role of the whole network is held at this facility, too.
PAGE_AT_FACILITY = sql(
    _PAGE.where(
        or_(
            staff.c.roles.contains(param("here", type_=JSONB)),
            staff.c.roles.contains(param("everywhere", type_=JSONB)),
        )
    ),
    row=StaffMember,
)


class StaffStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, staff_id: UUID) -> StaffMember | None:
        return await self._tx.one_or_none(GET, id=staff_id)

    async def get(self, staff_id: UUID) -> StaffMember:
        if member := await self.find(staff_id):
            return member
        raise _not_found(staff_id)

    async def get_within(self, reach: Reach, staff_id: UUID) -> StaffMember:
        """As `get`; somebody out of reach is as good as nobody."""
        member = await self.get(staff_id)
        if not reach.knows(member):
            raise _not_found(staff_id)
        return member

    async def active_among(self, staff_ids: Iterable[UUID]) -> frozenset[UUID]:
        return frozenset(await self._tx.fetch(ACTIVE_AMONG, ids=list(staff_ids)))

    async def names_of(self, staff_ids: Iterable[UUID]) -> dict[UUID, str]:
        found = await self._tx.fetch(NAMES, ids=list(staff_ids))
        return {each.id: each.display_name for each in found}

    async def count_network_admins(self) -> int:
        return int(await self._tx.one(NETWORK_ADMINS, role=[{"role": Role.NETWORK_ADMIN}]))

    async def check_account_free(self, member: StaffMember) -> None:
        owner = await self._tx.one_or_none(ID_OF_ACCOUNT, account=member.account)
        if owner is not None and owner != member.id:
            raise FailedPrecondition("ACCOUNT_TAKEN", "Somebody else has this account.")

    async def add(self, member: StaffMember) -> None:
        await self._tx.run(ADD, member)

    async def save(self, member: StaffMember) -> None:
        """Write the next version, unless somebody else already did."""
        if await self._tx.run(SAVE, member) != 1:
            raise Aborted(
                "STALE_STAFF", "Somebody else changed the person.", staff_id=str(member.id)
            )

    async def list_page(
        self, after: str, limit: int, *, facility_id: UUID | None, show_deactivated: bool
    ) -> list[StaffMember]:
        if facility_id is None:
            return await self._tx.fetch(
                PAGE, after=after, limit=limit, show_deactivated=show_deactivated
            )
        return await self._tx.fetch(
            PAGE_AT_FACILITY,
            after=after,
            limit=limit,
            show_deactivated=show_deactivated,
            here=[{"facility_id": facility_id}],
            everywhere=[{"facility_id": None}],
        )


def _not_found(staff_id: UUID) -> NotFound:
    return NotFound("STAFF_NOT_FOUND", "There is no such person.", staff_id=str(staff_id))
