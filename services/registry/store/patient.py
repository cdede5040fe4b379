"""Patients in PostgreSQL: the record, the keys under which matching files it, and those under which people find it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, any_, column, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import FailedPrecondition, NotFound
from services.registry.domain import search
from services.registry.domain.emergency import Found
from services.registry.domain.known import Link
from services.registry.domain.matching import Matcher
from services.registry.domain.patient import Patient
from services.registry.domain.search import Key, Word
from services.registry.store.schema import descriptions, links, patient_search, patients

_ID = patients.c.id == param("id", type_=Uuid)

GET = sql(select(patients).where(_ID), row=Patient)
HOLD = sql(select(patients).where(_ID).with_for_update(), row=Patient)
BY_IDS = sql(
    select(patients).where(patients.c.id == any_(param("ids", type_=ARRAY(Uuid)))), row=Patient
)
ADD = sql(insert(patients).values(every_field(patients)).inline())
SAVE = sql(
    insert(patients)
    .values(every_field(patients))
    .on_conflict_do_update(index_elements=["id"], set_=fields_except(patients, "id"))
)
_led = select(
    func.unnest(param("keys", type_=ARRAY(Uuid))),
    func.unnest(param("patient_ids", type_=ARRAY(Uuid))),
)
ADD_LINKS = sql(
    insert(links)
    .from_select(["key", "patient_id"], _led)
    .on_conflict_do_nothing()
    .returning(links.c.key)
)
LEAD_TO = sql(select(links).where(links.c.key == any_(param("keys", type_=ARRAY(Uuid)))), row=Link)
ADD_DESCRIPTION = sql(
    insert(descriptions).values(every_field(descriptions)).on_conflict_do_nothing()
)
DROP_DESCRIPTION = sql(
    delete(descriptions).where(
        descriptions.c.key == param("key"), descriptions.c.patient_id == param("patient_id")
    )
)
SAVE_SEARCH = sql(
    insert(patient_search)
    .values(every_field(patient_search))
    .on_conflict_do_update(
        index_elements=["patient_id"], set_=fields_except(patient_search, "patient_id")
    )
)
_found = func.search_patients(
    param("asked", type_=Text),
    param("facilities", type_=ARRAY(Uuid)),
    param("most", type_=Integer),
).table_valued("patient_id")
SEARCH = sql(select(_found.c.patient_id))
_for_emergency = func.find_for_emergency(
    param("asked", type_=Text), param("most", type_=Integer)
).table_valued(
    column("patient_id", Uuid), column("facts", JSONB), column("facility_count", Integer)
)
FIND_FOR_EMERGENCY = sql(
    select(_for_emergency.c.patient_id, _for_emergency.c.facts, _for_emergency.c.facility_count),
    row=Found,
)


@dataclass(frozen=True, slots=True)
class _Description:
    key: UUID
    patient_id: UUID


@dataclass(frozen=True, slots=True)
class _SearchKeys:
    patient_id: UUID
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Filed:
    """A new record with what leads to it."""

    patient: Patient
    described: frozenset[UUID]
    search_keys: frozenset[str]
    keys: frozenset[UUID]


class PatientStore:
    """Patients that the caller may see: row-level security says which, not this class."""

    def __init__(self, tx: Transaction, matcher: Matcher) -> None:
        self._tx = tx
        self._matcher = matcher

    async def get(self, patient_id: UUID) -> Patient:
        """The record, or for one that was merged the one that it lives on in."""
        patient = await self._tx.one_or_none(GET, id=patient_id)
        while patient and patient.merged_into_id:
            patient = await self._tx.one_or_none(GET, id=patient.merged_into_id)
        if patient:
            return patient
        raise NotFound("PATIENT_NOT_FOUND", "There is no such patient.", patient_id=str(patient_id))

    async def find(self, patient_id: UUID) -> Patient | None:
        return await self._tx.one_or_none(GET, id=patient_id)

    async def hold(self, patient_id: UUID) -> Patient:
        """The record to change, held until the transaction ends. One that was merged cannot be changed."""
        patient = await self._tx.one_or_none(HOLD, id=patient_id)
        if patient is None:
            raise NotFound(
                "PATIENT_NOT_FOUND", "There is no such patient.", patient_id=str(patient_id)
            )
        if patient.merged_into_id:
            raise FailedPrecondition(
                "PATIENT_MERGED",
                "This record was merged into another one. Change that one.",
                survivor_id=str(patient.merged_into_id),
            )
        return patient

    def add(self, patient: Patient, keys: Iterable[UUID]) -> None:
        """Add a record to which numbers lead. FAILED_PRECONDITION, as `link`, when the transaction ends."""
        filed = _Filed(patient, self._described(patient), _search_keys(patient), frozenset(keys))
        self._tx.later(_write_new, filed)

    async def save(self, changes: Sequence[tuple[Patient | None, Patient]]) -> None:
        """Write records as they are after a change, given what they were before."""
        await self._tx.run_many(SAVE, [after for _, after in changes])
        await self._file(changes)

    async def link(self, patient: Patient, keys: Iterable[UUID]) -> None:
        """Let numbers lead to a record. FAILED_PRECONDITION if one leads to another that the caller may see.

        Where the caller may not look, it goes on leading there, and nobody is told: whether somebody is known elsewhere
        is nobody's business who has a number, and two records of one person harm less than that.
        """
        await _link(self._tx, [(key, patient.id) for key in set(keys)])

    async def _file(self, changes: Sequence[tuple[Patient | None, Patient]]) -> None:
        """Keep the keys by which matching and people find the records; a merged one is found by neither."""
        new, gone, search_keys = [], [], []
        for before, after in changes:
            if before and not after.differs_from(before):
                continue
            was = self._described(before)
            now = self._described(after)
            new += [_Description(key, after.id) for key in now - was]
            gone += [_Description(key, after.id) for key in was - now]
            if (keys := _search_keys(after)) != (_search_keys(before) if before else None):
                search_keys.append(_SearchKeys(after.id, tuple(sorted(keys))))
        await self._tx.run_many(ADD_DESCRIPTION, new)
        await self._tx.run_many(DROP_DESCRIPTION, gone)
        await self._tx.run_many(SAVE_SEARCH, search_keys)

    def _described(self, patient: Patient | None) -> frozenset[UUID]:
        if patient is None or patient.merged_into_id:
            return frozenset()
        return self._matcher.candidates(patient.person)

    async def search(
        self, words: Sequence[Word], facilities: Collection[UUID], most: int
    ) -> list[Patient]:
        """Records that meet every word; tolerantly if few do so exactly."""
        ids = await self._search(words, facilities, most, lambda word: word.exact)
        if len(ids) < most and any(word.tolerant for word in words):
            ids += await self._search(
                words, facilities, most, lambda word: (*word.exact, *word.tolerant)
            )
        return await self._tx.fetch(BY_IDS, ids=list(set(ids)))

    async def find_for_emergency(self, words: Sequence[Word], most: int) -> list[Found]:
        """Records that meet every word exactly, also those that the caller may not see."""
        return await self._tx.fetch(
            FIND_FOR_EMERGENCY, asked=_asked(words, lambda word: word.exact), most=most
        )

    async def _search(
        self,
        words: Sequence[Word],
        facilities: Collection[UUID],
        most: int,
        keys: Callable[[Word], Iterable[Key]],
    ) -> list[UUID]:
        asked = _asked(words, keys)
        return await self._tx.fetch(SEARCH, asked=asked, facilities=list(facilities), most=most)


def _asked(words: Sequence[Word], keys: Callable[[Word], Iterable[Key]]) -> str:
    return " & ".join(f"({' | '.join(map(_lexeme, keys(word)))})" for word in words)


async def _write_new(tx: Transaction, new: Sequence[_Filed]) -> None:
    """Write the records that a transaction adds, all of them at once."""
    await tx.run_many(ADD, [each.patient for each in new])
    await tx.run_many(
        ADD_DESCRIPTION,
        [_Description(key, each.patient.id) for each in new for key in each.described],
    )
    await tx.run_many(
        SAVE_SEARCH,
        [_SearchKeys(each.patient.id, tuple(sorted(each.search_keys))) for each in new],
    )
    await _link(tx, [(key, each.patient.id) for each in new for key in each.keys])


async def _link(tx: Transaction, led: Sequence[tuple[UUID, UUID]]) -> None:
    """Let keys lead to records; in order, so that two transactions never wait for each other in a ring."""
    if not led:
        return
    keys, patient_ids = zip(*sorted(led), strict=True)
    added = await tx.fetch(ADD_LINKS, keys=list(keys), patient_ids=list(patient_ids))
    if len(added) == len(led):
        return
    leads_to = {link.key: link.patient_id for link in await tx.fetch(LEAD_TO, keys=list(keys))}
    if any(leads_to.get(key, patient_id) != patient_id for key, patient_id in led):
        raise FailedPrecondition(
            "DUPLICATE_IDENTIFIER", "One of the numbers belongs to another record."
        )


def _search_keys(patient: Patient) -> frozenset[str]:
    if patient.merged_into_id:
        return frozenset()
    return search.filed_under(patient.person) | {f"f:{i}" for i in patient.facility_ids}


def _lexeme(key: Key) -> str:
    """A key as tsquery writes it."""
    quoted = key.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':*' if key.is_prefix else ''}"
