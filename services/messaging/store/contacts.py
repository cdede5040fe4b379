"""How patients are reached, and which record each lives on in."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis import locks
from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import Aborted, NotFound
from services.messaging.domain.contact import Contact
from services.messaging.store.wishes import WishStore

metadata = MetaData()
contacts = Table(
    "contacts",
    metadata,
    Column("patient_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("told_version", BigInteger),
    Column("facility_ids", ARRAY(Uuid)),
    Column("told_phone", Text),
    Column("told_email", Text),
    Column("told_language", Text),
    Column("is_deceased", Boolean),
    Column("merged_into_id", Uuid),
    Column("phone", Text),
    Column("email", Text),
    Column("language", Text),
    Column("preferred_channel", Text),
    Column("consents", JSONB),
    Column("stops", JSONB),
    Column("best_from", Integer),
    Column("best_until", Integer),
    Column("is_shared_phone", Boolean),
)
_TOLD = (
    "told_version", "facility_ids", "told_phone", "told_email", "told_language", "is_deceased", "merged_into_id",
)  # fmt: skip
_MOST_MERGES = 32
_ids = param("ids", type_=ARRAY(Uuid))
_new = insert(contacts).values(every_field(contacts))
KEEP = sql(
    _new.on_conflict_do_update(
        index_elements=["patient_id"],
        set_={
            **{contacts.c[name]: _new.excluded[name] for name in _TOLD if name != "merged_into_id"},
            # What a merge told stays, whichever of the two came first.
            contacts.c.merged_into_id: func.coalesce(
                _new.excluded.merged_into_id, contacts.c.merged_into_id
            ),
        },
        where=contacts.c.told_version < _new.excluded.told_version,
    )
)
RETIRE = sql(
    _new.on_conflict_do_update(
        index_elements=["patient_id"],
        set_={contacts.c.merged_into_id: _new.excluded.merged_into_id},
    )
)
EXPECT = sql(_new.on_conflict_do_nothing())
SAVE = sql(
    update(contacts)
    .where(
        contacts.c.patient_id == param("patient_id"),
        contacts.c.version == param("version", type_=BigInteger) - literal_column("1"),
    )
    .values(fields_except(contacts, "patient_id", *_TOLD))
)
SOME = sql(select(contacts).where(contacts.c.patient_id == any_(_ids)), row=Contact)
OF_NUMBER = sql(
    select(contacts)
    .where(literal_column("contacts.number") == param("number", type_=Text))
    .order_by(contacts.c.patient_id),
    row=Contact,
)
LOCK = locks.IdLock(11)


class ContactStore:
    """Contacts, and the lock that keeps two messages to one person apart."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def lock(self, patient_ids: Iterable[UUID]) -> None:
        """Be alone with what these people are sent until the transaction ends."""
        await LOCK.take(self._tx, patient_ids)

    async def alone_with(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The same, with whom their records live on in, too; and who that is. Whoever merges them waits."""
        return await locks.alone_with(patient_ids, self.survivors, self.lock)

    async def keep(self, told: Sequence[Contact]) -> None:
        """What the record says, if it is newer; what people wrote stays."""
        await self._tx.run_many(KEEP, told)

    async def retire(self, retired_id: UUID, survivor_id: UUID) -> None:
        await self._tx.run(RETIRE, Contact(patient_id=retired_id, merged_into_id=survivor_id))

    async def expect(self, patient_id: UUID) -> None:
        """Have a row for a patient of whom the record has yet to tell."""
        await self._tx.run(EXPECT, Contact(patient_id=patient_id))

    async def save(self, contact: Contact) -> None:
        """Save what people wrote. ABORTED if somebody else was faster."""
        if await self._tx.run(SAVE, contact) != 1:
            raise Aborted("CONTACT_CHANGED", "It was changed in between. Read it again.")

    async def get(self, patient_id: UUID) -> Contact:
        found = await self.some([patient_id])
        if patient_id not in found:
            raise NotFound("CONTACT_NOT_FOUND", "There is no such patient.")
        return found[patient_id]

    async def some(self, ids: Iterable[UUID]) -> dict[UUID, Contact]:
        """These, each with the wish that counts."""
        found = await self._tx.fetch(SOME, ids=sorted(set(ids)))
        wishes = await WishStore(self._tx).of(each.patient_id for each in found)
        return {each.patient_id: replace(each, wish=wishes.get(each.patient_id)) for each in found}

    async def of_number(self, number: str) -> list[Contact]:
        """Everybody who is reached by a telephone."""
        return await self._tx.fetch(OF_NUMBER, number=number)

    async def survivors(self, patient_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The record that each of these lives on in: itself, unless it was merged, perhaps more than once."""
        out = {patient_id: patient_id for patient_id in patient_ids}
        for _ in range(_MOST_MERGES):
            found = await self._tx.fetch(SOME, ids=sorted(set(out.values())))
            known = {each.patient_id: each.merged_into_id for each in found}
            moved = {i: known[at] for i, at in out.items() if at in known}
            following = {i: to for i, to in moved.items() if to is not None and to != out[i]}
            if not following:
                break
            out |= following
        return out
