"""A batch of reports in PostgreSQL: what its keys lead to is read at once, and what changed is written at once."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, any_, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.registry.domain.appointment import ToldAppointment
from services.registry.domain.encounter import Encounter
from services.registry.domain.keys import keys_of, locks_of, stream_id_of, subject_of
from services.registry.domain.known import Changes, Known, Link
from services.registry.domain.matching import Matcher
from services.registry.domain.observation import Observation, result_ids
from services.registry.domain.patient import Patient
from services.registry.domain.report import (
    AppointmentReport,
    Handled,
    MergeReport,
    Report,
    ResultReport,
    VisitReport,
)
from services.registry.domain.told import VisitMessage
from services.registry.store.patient import RECORDS, PatientStore
from services.registry.store.schema import (
    appointments,
    descriptions,
    encounters,
    joins,
    links,
    observations,
    patients,
    program_patients,
    reports,
    visit_messages,
)

_IDS = param("ids", type_=ARRAY(Uuid))
_STREAMS = param("streams", type_=ARRAY(Uuid))
_number = func.unnest(param("numbers", type_=ARRAY(BigInteger))).column_valued("number")

# Two batches with the same new number, or the same visit, wait for each other; sorted, so that they form no ring.
LOCK = sql(select(func.pg_advisory_xact_lock(_number)))
HANDLED = sql(
    select(reports).where(
        or_(
            reports.c.message_id == any_(_IDS),
            reports.c.content_hash == any_(param("contents", type_=ARRAY(Text))),
        )
    ),
    row=Handled,
)
LINKS = sql(select(links).where(links.c.key == any_(_IDS)), row=Link)
DESCRIBED = sql(select(descriptions.c.patient_id).where(descriptions.c.key == any_(_IDS)))
PATIENTS = sql(RECORDS.where(patients.c.id == any_(_IDS)), row=Patient)
HOLD_PATIENTS = sql(
    select(patients.c.id)
    .where(patients.c.id == any_(_IDS))
    .order_by(patients.c.id)
    .with_for_update()
)
HOLD_ENCOUNTERS = sql(
    select(encounters)
    .where(or_(encounters.c.patient_id == any_(_IDS), encounters.c.stream_id == any_(_STREAMS)))
    .order_by(encounters.c.id)
    .with_for_update(),
    row=Encounter,
)
STREAMS_OF = sql(
    select(visit_messages.c.stream_id).where(visit_messages.c.message_id == any_(_IDS))
)
MESSAGES = sql(
    select(visit_messages).where(visit_messages.c.stream_id == any_(_STREAMS)), row=VisitMessage
)

ADD_LINK = sql(insert(links).values(every_field(links)))
SAVE_LINK = sql(
    update(links).where(links.c.key == param("key")).values(fields_except(links, "key"))
)
MOVE_LINKS = sql(
    update(links)
    .where(links.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id", type_=Uuid))
)
# A record that was merged is found by nothing.
FORGET_PROGRAM_KEYS = sql(
    update(program_patients)
    .where(program_patients.c.patient_id == param("retired_id"))
    .values(vector=literal_column("''::tsvector"))
)
ADD_JOIN = sql(insert(joins).values(every_field(joins)).on_conflict_do_nothing())
SAVE_MESSAGE = sql(
    insert(visit_messages)
    .values(every_field(visit_messages))
    .on_conflict_do_update(
        index_elements=["message_id"], set_=fields_except(visit_messages, "message_id")
    )
)
SAVE_ENCOUNTER = sql(
    insert(encounters)
    .values(every_field(encounters))
    .on_conflict_do_update(index_elements=["id"], set_=fields_except(encounters, "id"))
)
HOLD_APPOINTMENTS = sql(
    select(appointments)
    .where(appointments.c.id == any_(_IDS))
    .order_by(appointments.c.id)
    .with_for_update(),
    row=ToldAppointment,
)
SAVE_APPOINTMENT = sql(
    insert(appointments)
    .values(every_field(appointments))
    .on_conflict_do_update(index_elements=["id"], set_=fields_except(appointments, "id"))
)
HOLD_OBSERVATIONS = sql(
    select(observations)
    .where(observations.c.result_id == any_(_IDS))
    .order_by(observations.c.id)
    .with_for_update(),
    row=Observation,
)
MOVE_OBSERVATIONS = sql(
    update(observations)
    .where(observations.c.patient_id == param("retired_id"))
    .values(patient_id=param("survivor_id", type_=Uuid))
)
SAVE_OBSERVATION = sql(
    insert(observations)
    .values(every_field(observations))
    .on_conflict_do_update(index_elements=["id"], set_=fields_except(observations, "id"))
)
SAVE_REPORT = sql(
    insert(reports)
    .values(every_field(reports))
    .on_conflict_do_update(index_elements=["message_id"], set_=fields_except(reports, "message_id"))
)


class BatchStore:
    def __init__(self, tx: Transaction, matcher: Matcher) -> None:
        self._tx = tx
        self._matcher = matcher
        self._patients = PatientStore(tx, matcher)

    async def load(self, batch: Sequence[Report]) -> Known:
        """Everything that the batch can touch, held until the transaction ends.

        All take hold in one order: numbers, records, visits.
        """
        held = {_as_number(lock) for report in batch for lock in locks_of(report)}
        await self._tx.fetch(LOCK, numbers=sorted(held))
        handled = await self._tx.fetch(
            HANDLED,
            ids=[report.source.message_id for report in batch],
            contents=[report.source.content_hash for report in batch],
        )
        leads = await self._links({key for report in batch for key in keys_of(report)})
        candidates = await self._tx.fetch(DESCRIBED, ids=list(self._described(batch, leads)))
        known = await self._records(
            {link.patient_id for link in leads.values()} | set(candidates), {}, is_held=True
        )
        streams = await self._streams(batch, {h.message_id for h in handled})
        visits = await self._tx.fetch(HOLD_ENCOUNTERS, ids=list(known), streams=list(streams))
        messages = await self._tx.fetch(MESSAGES, streams=list(streams))
        results = await self._observations(batch)
        owners = {m.patient_id for m in messages} | {visit.patient_id for visit in visits}
        owners |= {result.patient_id for result in results.values()}
        return Known(
            handled={h.message_id: h for h in handled},
            links=leads,
            patients=await self._records(owners, known, is_held=False),
            messages=messages,
            encounters={visit.id: visit for visit in visits},
            appointments=await self._appointments(batch),
            observations=results,
        )

    async def save(self, known: Known, changes: Changes) -> None:
        """Write what changed. A number that somebody else gave a record meanwhile fails, and the batch is tried again."""
        records = (*changes.patients, *changes.remembered)
        await self._patients.save([(known.patients.get(r.id), r) for r in records])
        await self._patients.save_programs(changes.programs)
        for join in changes.joined:
            await self._tx.run(MOVE_LINKS, join)
            await self._tx.run(MOVE_OBSERVATIONS, join)
            await self._tx.run(FORGET_PROGRAM_KEYS, join)
        new = [link for link in changes.links if link.key not in known.links]
        await self._tx.run_many(ADD_LINK, new)
        await self._tx.run_many(SAVE_LINK, [link for link in changes.links if link not in new])
        await self._tx.run_many(ADD_JOIN, changes.joined)
        await self._tx.run_many(SAVE_MESSAGE, changes.messages)
        await self._tx.run_many(SAVE_ENCOUNTER, changes.encounters)
        await self._tx.run_many(SAVE_APPOINTMENT, changes.appointments)
        await self._tx.run_many(SAVE_OBSERVATION, changes.observations)
        await self._tx.run_many(SAVE_REPORT, changes.handled)

    def _described(self, batch: Sequence[Report], leads: Mapping[UUID, Link]) -> set[UUID]:
        """The keys under which matching looks for those whom no number leads to."""
        persons = [
            report.person
            for report in batch
            if not isinstance(report, MergeReport) and not keys_of(report) & leads.keys()
        ]
        return {key for person in persons for key in self._matcher.candidates(person)}

    async def _links(self, keys: set[UUID]) -> dict[UUID, Link]:
        """The links of the keys, and of the keys that they were retired into."""
        found: dict[UUID, Link] = {}
        asked: set[UUID] = set()
        while keys := keys - asked:
            asked |= keys
            links = await self._tx.fetch(LINKS, ids=list(keys))
            found |= {link.key: link for link in links}
            keys = {link.retired_into for link in links if link.retired_into}
        return found

    async def _records(
        self, ids: set[UUID], known: dict[UUID, Patient], *, is_held: bool
    ) -> dict[UUID, Patient]:
        """The records, and those that they live on in. What programs told of them is read once they are held."""
        found = dict(known)
        while ids := ids - found.keys():
            if is_held:
                await self._tx.fetch(HOLD_PATIENTS, ids=list(ids))
            patients = await self._tx.fetch(PATIENTS, ids=list(ids))
            found |= {patient.id: patient for patient in patients}
            ids = {patient.merged_into_id for patient in patients if patient.merged_into_id}
        return found

    async def _appointments(self, batch: Sequence[Report]) -> dict[UUID, ToldAppointment]:
        ids = {subject_of(report) for report in batch if isinstance(report, AppointmentReport)}
        if not ids:
            return {}
        held = await self._tx.fetch(HOLD_APPOINTMENTS, ids=list(ids))
        return {appointment.id: appointment for appointment in held}

    async def _observations(self, batch: Sequence[Report]) -> dict[UUID, Observation]:
        reports = [report for report in batch if isinstance(report, ResultReport)]
        ids = {result for report in reports for result in result_ids(report)}
        if not ids:
            return {}
        held = await self._tx.fetch(HOLD_OBSERVATIONS, ids=list(ids))
        return {observation.id: observation for observation in held}

    async def _streams(self, batch: Sequence[Report], seen: set[UUID]) -> set[UUID]:
        """The streams of the batch; a message that comes again may have been in another one."""
        streams = {stream_id_of(report) for report in batch if isinstance(report, VisitReport)}
        again = [r.source.message_id for r in batch if r.source.message_id in seen]
        earlier = await self._tx.fetch(STREAMS_OF, ids=again) if again else []
        return {stream for stream in streams if stream} | set(earlier)


def _as_number(key: UUID) -> int:
    return int.from_bytes(key.bytes[:8], signed=True)
