"""What identity does when registry tells it where patients are known: it decides who may see them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from libs.chassis.faults import rest
from libs.chassis.fields import to_datetime, to_uuid
from libs.conveyor.inbox import Consumer, Delivery, Unprocessable
from libs.conveyor.timers import Timer, set_timer
from libs.process.app import Job, Runtime
from services.identity import events
from services.identity.clients.holders import holders
from services.identity.deciding import close, decide_anew, decide_soon, decider_of
from services.identity.domain.fact import SINCE_EVER, AccessFact, FactKind
from services.identity.store.access import AccessStore
from services.identity.store.merge import MergeStore
from services.identity.store.schema import hold_access

AT_ONCE = 1000
BEAT_SECONDS = 5.0
PUSH_SECONDS = 1.0


async def follow_record(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest facts, and decide anew about every patient of whom one has changed.

    A visit that moves to another patient concerns both.
    """
    told = {
        (fact.kind, fact.id): fact
        for fact in sorted(map(_fact, deliveries), key=lambda fact: fact.version)
    }
    await hold_access(tx)
    store = AccessStore(tx)
    stored = {(fact.kind, fact.id): fact for fact in await store.facts_by_id(id for _, id in told)}
    newer = [
        (stored.get(key), fact)
        for key, fact in told.items()
        if (before := stored.get(key)) is None or before.version < fact.version
    ]
    await store.save_facts([fact for _, fact in newer])
    if concerned := _concerned(newer):
        await decide_anew(tx, sorted(await MergeStore(tx).whole_records(concerned)))


async def turn(tx: Transaction, key: str, due_at: datetime) -> None:
    """The same facts may decide something else from now on, or something was recorded, and perhaps decided already."""
    await hold_access(tx)
    await decide_anew(tx, sorted(await MergeStore(tx).whole_records([UUID(key)])))


async def moved(tx: Transaction, key: str, due_at: datetime) -> None:
    """Somebody's roles are others: decide about those on whose care team they are, each by a timer of its own."""
    for patient_id in await AccessStore(tx).patients_cared_for_by(UUID(key)):
        await decide_soon(tx, patient_id)


async def anew(tx: Transaction, key: str, due_at: datetime) -> None:
    """Decide about the next patients after the one of the key, and leave the others to the next timer."""
    await hold_access(tx)
    patients = await AccessStore(tx).patients_after(UUID(key), AT_ONCE)
    await decide_anew(tx, patients)
    if len(patients) == AT_ONCE:
        await set_timer(tx, events.ANEW, str(patients[-1]), due_at)


async def closed(tx: Transaction, key: str, due_at: datetime) -> None:
    """What ended is closed again if it was: who ended it may not have come so far."""
    await close(tx, UUID(key), holders().keys())


async def beat(runtime: Runtime) -> None:
    """Say again and again that identity is there: holders that hear nothing show nothing by a grant."""
    while not runtime.stopping.is_set():
        async with runtime.database.system() as tx:
            store = AccessStore(tx)
            at = await store.clock()  # before the order is read: what is decided meanwhile is after
            await events.access_beat(tx, at, await store.last_turn())
        await rest(runtime.stopping, BEAT_SECONDS)


async def push_again(runtime: Runtime) -> None:
    """Tell holders what they have not confirmed, also after a crash, until they do or it does not matter any more."""
    decider = decider_of(runtime)
    while not runtime.stopping.is_set():
        await decider.push_again()
        await rest(runtime.stopping, PUSH_SECONDS)


def _concerned(changes: Sequence[tuple[AccessFact | None, AccessFact]]) -> set[UUID]:
    """What was recorded about a merged record is about who survives, before and after."""
    concerned: set[UUID | None] = set()
    for before, after in changes:
        if before is None:
            concerned |= {after.patient_id, after.merged_into}
        elif not after.says_the_same_as(before):
            concerned |= {before.patient_id, before.merged_into}
            concerned |= {after.patient_id, after.merged_into}
    return {one for one in concerned if one is not None}


def _fact(delivery: Delivery) -> AccessFact:
    try:
        if isinstance(delivery.event, registry_events_pb2.PatientChanged):
            return _registered(delivery.event)
        if isinstance(delivery.event, registry_events_pb2.ProgramRecordChanged):
            return _known_to_a_program(delivery.event)
        if isinstance(delivery.event, registry_events_pb2.EncounterChanged):
            return _treated(delivery.event)
    except InvalidArgument as error:
        raise Unprocessable(error.reason, error.message) from error
    raise Unprocessable("EVENT_UNEXPECTED", "This consumer does not read such events.")


def _registered(event: registry_events_pb2.PatientChanged) -> AccessFact:
    patient = event.patient
    patient_id = to_uuid("patient.id", patient.id)
    facility_ids = {to_uuid("patient.facility_ids", text) for text in patient.facility_ids}
    return AccessFact(
        kind=FactKind.PATIENT,
        id=patient_id,
        version=event.version,
        patient_id=patient_id,
        facility_ids=tuple(sorted(facility_ids)),
        is_holding=patient.state != patient_pb2.Patient.STATE_MERGED,
        born_on=_born_on(patient),
        merged_into=_survivor(patient),
    )


def _known_to_a_program(event: registry_events_pb2.ProgramRecordChanged) -> AccessFact:
    """A chart, as those of the record are: where it is, nobody is told but whom the decision concerns."""
    return AccessFact(
        kind=FactKind.PATIENT,
        id=to_uuid("id", event.id),
        version=event.version,
        patient_id=to_uuid("patient.id", event.patient.id),
        facility_ids=(to_uuid("facility_id", event.facility_id),),
        is_holding=True,
        born_on=_born_on(event.patient),
    )


def _survivor(patient: patient_pb2.Patient) -> UUID | None:
    if patient.state != patient_pb2.Patient.STATE_MERGED or not patient.merged_into_id:
        return None
    return to_uuid("patient.merged_into_id", patient.merged_into_id)


def _born_on(patient: patient_pb2.Patient) -> date | None:
    """The day, if it is known to the day."""
    said = patient.birth_date
    try:
        return date(said.year, said.month, said.day) if patient.HasField("birth_date") else None
    except ValueError:
        return None


def _treated(event: registry_events_pb2.EncounterChanged) -> AccessFact:
    encounter = event.encounter
    began_at, ended_at = _when(encounter)
    return AccessFact(
        kind=FactKind.ENCOUNTER,
        id=to_uuid("encounter.id", encounter.id),
        version=event.version,
        patient_id=to_uuid("encounter.patient_id", encounter.patient_id),
        facility_ids=(to_uuid("encounter.facility_id", encounter.facility_id),),
        is_holding=encounter.state != encounter_pb2.Encounter.STATE_CANCELLED,
        began_at=began_at,
        ended_at=ended_at,
    )


def _when(encounter: encounter_pb2.Encounter) -> tuple[datetime | None, datetime | None]:
    """When the visit began and ended. Only one that goes on has no end: without a day, a planned or past one is no time."""
    admitted = to_datetime(encounter.admit_time) if encounter.HasField("admit_time") else None
    if encounter.HasField("discharge_time"):
        return admitted, to_datetime(encounter.discharge_time)
    if encounter.state == encounter_pb2.Encounter.STATE_IN_PROGRESS:
        return admitted, None
    return admitted, admitted or SINCE_EVER


# The names are data: durable consumers, the inbox and timers remember them. Never rename one.
CONSUMERS = (
    Consumer(
        "identity-access-facts",
        (
            registry_events_pb2.PatientChanged,
            registry_events_pb2.ProgramRecordChanged,
            registry_events_pb2.EncounterChanged,
        ),
        follow_record,
        gather=0.1,
    ),
)
TIMERS = (
    Timer(events.TURN, turn),
    Timer(events.SOON, turn),
    Timer(events.ROLES, moved),
    Timer(events.ANEW, anew),
    Timer(events.CLOSE, closed),
)
JOBS = (Job("identity-access-beat", beat), Job("identity-pushes", push_again))
