"""What identity does when registry tells it where patients are known: it decides who may see them."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from carehub.registry.v1 import encounter_pb2, patient_pb2, registry_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_uuid
from libs.chassis.inbox import Consumer, Delivery, Unprocessable
from services.identity import events
from services.identity.domain.grant import AccessFact, FactKind, reconcile
from services.identity.store.grant import GrantStore
from services.identity.store.schema import hold_grants


async def follow_record(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep the newest facts, and decide anew about every patient of whom one has changed.

    A visit that moves to another patient concerns both.
    """
    told = {
        (fact.kind, fact.id): fact
        for fact in sorted(map(_fact, deliveries), key=lambda fact: fact.version)
    }
    await hold_grants(tx)
    store = GrantStore(tx)
    stored = {(fact.kind, fact.id): fact for fact in await store.facts_by_id(id for _, id in told)}
    newer = [
        (stored.get(key), fact)
        for key, fact in told.items()
        if (before := stored.get(key)) is None or before.version < fact.version
    ]
    await store.save_facts([fact for _, fact in newer])
    if patients := _concerned(newer):
        await _decide(tx, patients)


async def _decide(tx: Transaction, patients: Sequence[UUID]) -> None:
    store = GrantStore(tx)
    facts, grants = defaultdict(list), defaultdict(list)
    for fact in await store.facts_of(patients):
        facts[fact.patient_id].append(fact)
    for grant in await store.grants_of(patients):
        grants[grant.patient_id].append(grant)
    decided = [
        grant
        for patient in patients
        for grant in reconcile(patient, facts[patient], grants[patient])
    ]
    await store.save_grants(decided)
    for grant in decided:
        await events.grant_changed(tx, grant)


def _concerned(changes: Sequence[tuple[AccessFact | None, AccessFact]]) -> list[UUID]:
    concerned: set[UUID] = set()
    for before, after in changes:
        if before is None:
            concerned.add(after.patient_id)
        elif not after.says_the_same_as(before):
            concerned |= {before.patient_id, after.patient_id}
    return sorted(concerned)


def _fact(delivery: Delivery) -> AccessFact:
    try:
        if isinstance(delivery.event, registry_events_pb2.PatientChanged):
            return _registered(delivery.event)
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
    )


def _treated(event: registry_events_pb2.EncounterChanged) -> AccessFact:
    encounter = event.encounter
    return AccessFact(
        kind=FactKind.ENCOUNTER,
        id=to_uuid("encounter.id", encounter.id),
        version=event.version,
        patient_id=to_uuid("encounter.patient_id", encounter.patient_id),
        facility_ids=(to_uuid("encounter.facility_id", encounter.facility_id),),
        is_holding=encounter.state != encounter_pb2.Encounter.STATE_CANCELLED,
    )


# The name is data: the durable consumer and the inbox remember it. Never rename one.
CONSUMERS = (
    Consumer(
        "identity-access-facts",
        (registry_events_pb2.PatientChanged, registry_events_pb2.EncounterChanged),
        follow_record,
    ),
)
