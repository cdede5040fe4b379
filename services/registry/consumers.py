"""What registry does when interop tells it what facilities reported."""

from collections.abc import Callable, Sequence
from uuid import UUID

from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from libs.chassis.inbox import Consumer, Delivery, Unprocessable
from services.registry import events
from services.registry.convert import to_report
from services.registry.domain.known import Changes
from services.registry.domain.matching import Matcher
from services.registry.domain.record import Record
from services.registry.domain.report import Report
from services.registry.store.batch import BatchStore


def consumers(matcher: Matcher, new_id: Callable[[], UUID]) -> tuple[Consumer, ...]:
    """Every report counts, so none is skipped for a newer one: what came late still belongs into its visit."""

    async def take_reports(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        batch = [_report(delivery) for delivery in deliveries]
        store = BatchStore(tx, matcher)
        known = await store.load(batch)
        record = Record(known, matcher, new_id, tx.at)
        for report in sorted(batch, key=_in_time):
            record.apply(report)
        changes = record.changes()
        await store.save(known, changes)
        await _tell(tx, changes)

    # The name is data: the durable consumer and the inbox remember it.
    return (
        Consumer(
            "registry-reports",
            (
                interop_events_pb2.VisitReported,
                interop_events_pb2.PersonReported,
                interop_events_pb2.MergeReported,
            ),
            take_reports,
            newest_only=False,
        ),
    )


async def _tell(tx: Transaction, changes: Changes) -> None:
    versions = {patient.id: patient.version for patient in changes.patients}
    for patient in changes.patients:
        await events.patient_changed(tx, patient)
    for joined in changes.joined:
        await events.patients_merged(tx, joined, versions[joined.retired_id])
    for encounter in changes.encounters:
        await events.encounter_changed(tx, encounter)
    for handled in changes.handled:
        await events.report_handled(tx, handled)


def _report(delivery: Delivery) -> Report:
    event = delivery.event
    if not isinstance(
        event,
        interop_events_pb2.VisitReported
        | interop_events_pb2.PersonReported
        | interop_events_pb2.MergeReported,
    ):
        raise TypeError(type(event).__name__)
    try:
        return to_report(event)
    except InvalidArgument as error:
        raise Unprocessable(error.reason, error.message) from error


def _in_time(report: Report) -> tuple[str, int]:
    """Any order ends in the same record; the order of time makes the fewest detours."""
    return (report.source.stamp, report.source.version)
