"""What registry tells the others."""

from uuid import UUID

from carehub.interop.v1 import report_pb2
from carehub.registry.v1 import registry_events_pb2 as told

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from libs.conveyor.timers import set_timer
from services.registry.convert import (
    encounter_to_proto,
    handled_to_proto,
    observation_to_proto,
    program_to_proto,
    shared_to_proto,
    told_to_proto,
)
from services.registry.domain.appointment import ToldAppointment
from services.registry.domain.encounter import Encounter
from services.registry.domain.known import Joined
from services.registry.domain.observation import Observation
from services.registry.domain.patient import Patient, Program
from services.registry.domain.report import Handled

# The name of a timer is data: never rename it.
AGED = "registry-aged"


async def age_soon(tx: Transaction, patient_id: UUID) -> None:
    """Have the visits and results of a patient labeled for another day of birth: also those that the caller or a batch does not have."""
    await set_timer(tx, AGED, str(patient_id), tx.at)


async def patient_changed(tx: Transaction, patient: Patient) -> None:
    event = told.PatientChanged(patient=shared_to_proto(patient), version=patient.version)
    await outbox.add(tx, event, key=patient.id, version=patient.version)


async def program_record_changed(tx: Transaction, program: Program) -> None:
    await outbox.add(
        tx,
        program_to_proto(program),
        key=program.id,
        version=program.version,
        facility_id=program.facility_id,
    )


async def patients_merged(tx: Transaction, joined: Joined, version: int) -> None:
    event = told.PatientsMerged(
        survivor_id=str(joined.survivor_id),
        retired_id=str(joined.retired_id),
        facility_id=str(joined.facility_id),
        version=version,
    )
    await outbox.add(
        tx, event, key=joined.retired_id, version=version, facility_id=joined.facility_id
    )


async def encounter_changed(tx: Transaction, encounter: Encounter) -> None:
    event = told.EncounterChanged(
        encounter=encounter_to_proto(encounter), version=encounter.version
    )
    await outbox.add(
        tx,
        event,
        key=encounter.id,
        version=encounter.version,
        facility_id=encounter.facility_id,
    )


async def appointment_told(tx: Transaction, appointment: ToldAppointment) -> None:
    await outbox.add(
        tx,
        told_to_proto(appointment),
        key=appointment.id,
        version=appointment.version,
        facility_id=appointment.facility_id,
    )


async def result_received(tx: Transaction, observation: Observation) -> None:
    event = told.ResultReceived(
        observation=observation_to_proto(observation), version=observation.version
    )
    await outbox.add(
        tx,
        event,
        key=observation.id,
        version=observation.version,
        facility_id=observation.facility_id,
    )


async def report_refused(
    tx: Transaction, message_id: UUID, source: report_pb2.ReportSource, reason: str
) -> None:
    """A report that cannot be read; perhaps not even whose it is."""
    version = source.replay + 1
    event = told.ReportHandled(
        message_id=str(message_id),
        feed_id=source.feed_id,
        facility_id=source.facility_id,
        outcome=told.ReportHandled.OUTCOME_PARKED,
        reason=reason,
        version=version,
    )
    await outbox.add(tx, event, key=message_id, version=version)


async def report_handled(tx: Transaction, handled: Handled) -> None:
    await outbox.add(
        tx,
        handled_to_proto(handled),
        key=handled.message_id,
        version=handled.version,
        facility_id=handled.facility_id,
    )
