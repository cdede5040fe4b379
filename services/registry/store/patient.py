"""Patients in PostgreSQL: the record, the keys under which matching files it, and those under which people find it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Integer,
    Text,
    Uuid,
    any_,
    column,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from libs.chassis.access import denials
from libs.chassis.database import Statement, Transaction, every_field, fields_except, param, sql
from libs.chassis.errors import FailedPrecondition, NotFound
from services.registry.domain import search
from services.registry.domain.demographics import Facts
from services.registry.domain.emergency import Found
from services.registry.domain.identity import person_keys
from services.registry.domain.known import Link
from services.registry.domain.matching import Matcher
from services.registry.domain.patient import Patient, Program
from services.registry.domain.search import Key, Word
from services.registry.store.schema import (
    descriptions,
    links,
    patient_search,
    patients,
    program_patients,
)

_ID = patients.c.id == param("id", type_=Uuid)

# Each record with what the programs told that whoever asks may know of: row-level security says which.
_parts = (program_patients.c[name] for name in ("patient_id", "facility_id", "facts", "version"))
_told_apart = func.jsonb_object_agg(
    program_patients.c.facility_id,
    func.jsonb_build_object(
        *chain.from_iterable((literal_column(f"'{part.name}'"), part) for part in _parts)
    ),
)
_programs = (
    select(func.coalesce(_told_apart, literal_column("'{}'::jsonb"), type_=JSONB))
    .where(program_patients.c.patient_id == patients.c.id)
    .scalar_subquery()
    .label("programs")
)
RECORDS = select(patients, _programs)
GET = sql(RECORDS.where(_ID), row=Patient)
HOLD = sql(select(patients.c.id).where(_ID).with_for_update())
BY_IDS = sql(
    RECORDS.where(patients.c.id == any_(param("ids", type_=ARRAY(Uuid)))),
    row=Patient,
)
_program = insert(program_patients).values(
    {
        **fields_except(program_patients, "vector"),
        program_patients.c.vector: func.array_to_tsvector(
            func.string_to_array(param("entries", type_=Text), literal_column("chr(10)"))
        ),
    }
)
SAVE_PROGRAM = sql(
    _program.on_conflict_do_update(
        index_elements=["patient_id", "facility_id"],
        set_={
            c: _program.excluded[c.name]
            for c in program_patients.c
            if c.name not in ("patient_id", "facility_id")
        },
    )
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
# In one statement for all of them: what the policy asks of the caller it then asks once, and not for every row.
ADD_DESCRIPTIONS = sql(
    insert(descriptions).from_select(["key", "patient_id"], _led).on_conflict_do_nothing()
)
DROP_DESCRIPTION = sql(
    delete(descriptions).where(
        descriptions.c.key == param("key"), descriptions.c.patient_id == param("patient_id")
    )
)
# The entries of each record as lines of a text, since a list of lists of different lengths is no array.
_filed = insert(patient_search).from_select(
    ["patient_id", "vector"],
    select(
        func.unnest(param("patient_ids", type_=ARRAY(Uuid))),
        func.array_to_tsvector(
            func.string_to_array(
                func.unnest(param("entries", type_=ARRAY(Text))), literal_column("chr(10)")
            )
        ),
    ),
)
ADD_SEARCH = sql(_filed)
SAVE_SEARCH = sql(
    _filed.on_conflict_do_update(
        index_elements=["patient_id"], set_={"vector": _filed.excluded.vector}
    )
)
_found = func.search_patients(
    param("asked", type_=Text), param("most", type_=Integer)
).table_valued("patient_id")
SEARCH = sql(select(_found.c.patient_id))
_for_emergency = func.find_for_emergency(
    param("asked", type_=Text), param("most", type_=Integer)
).table_valued(
    column("patient_id", Uuid), column("facts", JSONB), column("facility_count", Integer)
)
# But whoever refuses the caller in person, whom breaking the glass would not help either.
_refusing = exists().where(
    denials.c.patient_id == _for_emergency.c.patient_id,
    denials.c.weight > literal_column("2"),
    denials.c.grantee_id == any_(param("in_person", type_=ARRAY(Uuid))),
    or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
)
FIND_FOR_EMERGENCY = sql(
    select(
        _for_emergency.c.patient_id, _for_emergency.c.facts, _for_emergency.c.facility_count
    ).where(~_refusing),
    row=Found,
)


@dataclass(frozen=True, slots=True)
class _Description:
    key: UUID
    patient_id: UUID


@dataclass(frozen=True, slots=True)
class _ProgramRow:
    patient_id: UUID
    facility_id: UUID
    facts: Facts
    version: int
    entries: str


@dataclass(frozen=True, slots=True)
class _Filed:
    """A new record with what leads to it."""

    patient: Patient
    described: frozenset[UUID]
    entries: frozenset[str]
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
        held = await self._tx.one_or_none(HOLD, id=patient_id)
        # Read once it is held: what programs told may have changed while somebody else held it.
        patient = await self.find(patient_id)
        if held is None or patient is None:
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
        filed = _Filed(patient, self._described(patient), _entries(patient), frozenset(keys))
        self._tx.later(_write_new, filed)

    async def save(self, changes: Sequence[tuple[Patient | None, Patient]]) -> None:
        """Write records as they are after a change, given what they were before."""
        await self._tx.run_many(SAVE, [after for _, after in changes])
        await self._file(changes)

    async def save_programs(self, programs: Iterable[Program]) -> None:
        """Write what programs told, each where nobody but the program finds it."""
        await self._tx.run_many(SAVE_PROGRAM, [_program_row(each) for each in programs])

    async def link(self, patient: Patient, keys: Iterable[UUID]) -> None:
        """Let numbers lead to a record. FAILED_PRECONDITION if one is shown on another that the caller sees.

        Where the caller may not look, it goes on leading there, and nobody is told: whether somebody is known elsewhere
        is nobody's business who has a number, and two records of one person harm less than that.
        """
        await _link(self._tx, [(key, patient.id) for key in set(keys)])

    async def _file(self, changes: Sequence[tuple[Patient | None, Patient]]) -> None:
        """Keep the keys by which matching and people find the records; a merged one is found by neither."""
        new, gone, filed = [], [], dict[UUID, frozenset[str]]()
        for before, after in changes:
            if before and not after.differs_from(before):
                continue
            was = self._described(before)
            now = self._described(after)
            new += [(key, after.id) for key in now - was]
            gone += [_Description(key, after.id) for key in was - now]
            if (entries := _entries(after)) != (_entries(before) if before else None):
                filed[after.id] = entries
        await _describe(self._tx, new)
        await self._tx.run_many(DROP_DESCRIPTION, gone)
        await _file(self._tx, SAVE_SEARCH, filed)

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

    async def find_for_emergency(
        self, words: Sequence[Word], in_person: Collection[UUID], most: int
    ) -> list[Found]:
        """Records that meet every word exactly, also those that the caller may not see, unless they are refused in person."""
        return await self._tx.fetch(
            FIND_FOR_EMERGENCY,
            asked=_asked(words, lambda word: word.exact),
            in_person=list(in_person),
            most=most,
        )

    async def _search(
        self,
        words: Sequence[Word],
        facilities: Collection[UUID],
        most: int,
        keys: Callable[[Word], Iterable[Key]],
    ) -> list[UUID]:
        tags = sorted({search.tag_of(place) for place in facilities})
        if not tags:
            return []
        asked = _asked(words, keys, tags if len(tags) <= search.FEW_PLACES else [""])
        if len(tags) > search.FEW_PLACES:
            places = " | ".join(f"'{tag}'" for tag in tags)
            asked = f"{asked} & ({places})"
        return await self._tx.fetch(SEARCH, asked=asked, most=most)


def _asked(
    words: Sequence[Word], keys: Callable[[Word], Iterable[Key]], tags: Sequence[str] = ("",)
) -> str:
    """Every word by any of its keys, at any of the places; or apart from all places."""
    return " & ".join(
        f"({' | '.join(_lexeme(tag, key) for key in keys(word) for tag in tags)})" for word in words
    )


async def _write_new(tx: Transaction, new: Sequence[_Filed]) -> None:
    """Write the records that a transaction adds, all of them at once."""
    programs = [program for each in new for program in each.patient.programs.values()]
    await tx.run_many(SAVE_PROGRAM, [_program_row(program) for program in programs])
    await tx.run_many(ADD, [each.patient for each in new])
    await _describe(tx, [(key, each.patient.id) for each in new for key in each.described])
    await _file(tx, ADD_SEARCH, {each.patient.id: each.entries for each in new})
    await _link(tx, [(key, each.patient.id) for each in new for key in each.keys])


async def _describe(tx: Transaction, described: Sequence[tuple[UUID, UUID]]) -> None:
    if described:
        keys, patient_ids = zip(*sorted(described), strict=True)
        await tx.run(ADD_DESCRIPTIONS, keys=list(keys), patient_ids=list(patient_ids))


async def _file(
    tx: Transaction, statement: Statement[Any], filed: Mapping[UUID, Iterable[str]]
) -> None:
    if filed:
        lines = ["\n".join(entries) for entries in filed.values()]
        await tx.run(statement, patient_ids=list(filed), entries=lines)


async def _link(tx: Transaction, led: Sequence[tuple[UUID, UUID]]) -> None:
    """Let keys lead to records; in order, so that two transactions never wait for each other in a ring."""
    if not led:
        return
    keys, patient_ids = zip(*sorted(led), strict=True)
    added = await tx.fetch(ADD_LINKS, keys=list(keys), patient_ids=list(patient_ids))
    if len(added) == len(led):
        return
    leads_to = {link.key: link.patient_id for link in await tx.fetch(LEAD_TO, keys=list(keys))}
    elsewhere = {key: leads_to[key] for key, i in led if leads_to.get(key, i) != i}
    if not elsewhere:
        return
    others = await tx.fetch(BY_IDS, ids=list(set(elsewhere.values())))
    known = {other.id: person_keys(other.person) for other in others}
    # A number that only a program told of somebody is none of theirs for anybody else.
    if any(key in known.get(patient_id, ()) for key, patient_id in elsewhere.items()):
        raise FailedPrecondition(
            "DUPLICATE_IDENTIFIER", "One of the numbers belongs to another record."
        )


def _entries(patient: Patient) -> frozenset[str]:
    if patient.merged_into_id:
        return frozenset()
    return search.entries(search.filed_under(patient.shared), patient.facility_ids)


def _program_row(program: Program) -> _ProgramRow:
    keys = search.filed_under(program.facts.person())
    return _ProgramRow(
        patient_id=program.patient_id,
        facility_id=program.facility_id,
        facts=program.facts,
        version=program.version,
        entries="\n".join(search.entries(keys, [program.facility_id])),
    )


def _lexeme(tag: str, key: Key) -> str:
    """A key, at a place or apart, as tsquery writes it."""
    quoted = key.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{tag}{quoted}'{':*' if key.is_prefix else ''}"
