"""What registry does when interop tells it what facilities reported."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2, report_pb2

from libs.chassis.database import Database, Transaction
from libs.chassis.errors import InvalidArgument
from libs.chassis.faults import rest
from libs.chassis.fields import to_uuid
from libs.conveyor.inbox import Consumer, Delivery, Unprocessable
from libs.conveyor.timers import Timer
from libs.process.app import Job, Runtime
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.registry import events
from services.registry.convert import to_feed, to_report
from services.registry.domain.difference import born_otherwise
from services.registry.domain.known import Changes
from services.registry.domain.labels import VERSION
from services.registry.domain.matching import Matcher
from services.registry.domain.record import Record
from services.registry.domain.relabeling import aged, relabel, relabel_results
from services.registry.domain.report import Report
from services.registry.store.batch import BatchStore
from services.registry.store.feeds import FeedStore
from services.registry.store.labels import LabelStore

log = logging.getLogger(__name__)

RELABELED_AT_ONCE = 500
LOOK_FOR_OUTDATED = 600.0


def consumers(matcher: Matcher, new_id: Callable[[], UUID]) -> tuple[Consumer, ...]:
    """Every report counts, so none is skipped for a newer one: what came late still belongs into its visit."""

    async def take_reports(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        """Find whose record each report is about, and make the record what all of its reports say."""
        batch = await _readable(tx, deliveries)
        store = BatchStore(tx, matcher)
        known = await store.load(batch)
        record = Record(known, matcher, new_id, tx.at)
        for report in sorted(batch, key=_in_time):
            record.apply(report)
        changes = record.changes()
        await store.save(known, changes)
        await _tell(tx, changes)
        for patient_id in sorted(set(born_otherwise(known.patients, record.patients))):
            await events.age_soon(tx, patient_id)

    # The names are data: durable consumers and the inbox remember them.
    return (
        Consumer(
            "registry-reports",
            (
                interop_events_pb2.VisitReported,
                interop_events_pb2.PersonReported,
                interop_events_pb2.MergeReported,
                interop_events_pb2.AppointmentReported,
                interop_events_pb2.ResultReported,
            ),
            take_reports,
            newest_only=False,
            parked=_tell_parked,
        ),
        Consumer("registry-feeds", (interop_events_pb2.FeedChanged,), follow_feeds),
        Consumer(
            "registry-access",
            (
                identity_events_pb2.AccessChanged,
                identity_events_pb2.AccessBeat,
                identity_events_pb2.BasisEnded,
            ),
            follow_access,
            gather=ACCESS_GATHERS,
        ),
    )


async def follow_feeds(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep which facilities are programs under 42 CFR Part 2: what people type in there is theirs alone, too."""
    try:
        told = [
            to_feed(delivery.event)
            for delivery in deliveries
            if isinstance(delivery.event, interop_events_pb2.FeedChanged)
        ]
    except InvalidArgument as error:
        raise Unprocessable(error.reason, error.message) from error
    await FeedStore(tx).keep(told)


async def keep_labels_current(runtime: Runtime) -> None:
    """Label anew what older value sets labeled, also what a process of the version before has labeled meanwhile."""
    while not runtime.stopping.is_set():
        await look_for_outdated(runtime.database, runtime.stopping)
        await rest(runtime.stopping, LOOK_FOR_OUTDATED)


async def look_for_outdated(database: Database, stopping: asyncio.Event) -> None:
    """Look through all rows for such as another version labeled, unless there can be none."""
    async with database.system() as tx:
        labeling = await LabelStore(tx).labeling(VERSION)
        began_at = tx.at
    if labeling.is_settled:
        return
    for relabel_next in (relabel_some, relabel_some_results):
        after: UUID | None = UUID(int=0)
        while after:
            if stopping.is_set():
                return
            async with database.system() as tx:
                after = await relabel_next(tx, after)
    if labeling.settles(began_at):
        async with database.system() as tx:
            await LabelStore(tx).settle(labeling)


async def relabel_some(tx: Transaction, after: UUID) -> UUID | None:
    """Label the next visits after one anew, and tell of them. None: there are no more."""
    store = LabelStore(tx)
    outdated, goes_on_after = await store.outdated(VERSION, after, RELABELED_AT_ONCE)
    births = await store.births_of(visit.patient_id for visit in outdated)
    relabeled = relabel(outdated, await store.messages_of(outdated), births)
    await store.save(relabeled)
    for encounter in relabeled:
        await events.encounter_changed(tx, encounter)
    return goes_on_after


async def relabel_some_results(tx: Transaction, after: UUID) -> UUID | None:
    """The same of results."""
    store = LabelStore(tx)
    outdated, goes_on_after = await store.outdated_results(VERSION, after, RELABELED_AT_ONCE)
    births = await store.births_of(result.patient_id for result in outdated)
    relabeled = relabel_results(outdated, births)
    await store.save_results(relabeled)
    for observation in relabeled:
        await events.result_received(tx, observation)
    return goes_on_after


async def age_rows(tx: Transaction, key: str, due_at: datetime) -> None:
    """Somebody was told to be born on another day: label their visits and results for it, wherever they were."""
    patient_id, store = UUID(key), LabelStore(tx)
    visits, results = await store.visits_of(patient_id), await store.results_of(patient_id)
    births = await store.births_of([patient_id])
    born_on = births.get(patient_id, "")
    changed, changed_results = aged(visits, born_on), aged(results, born_on)
    await store.save(changed)
    await store.save_results(changed_results)
    for encounter in changed:
        await events.encounter_changed(tx, encounter)
    for observation in changed_results:
        await events.result_received(tx, observation)


async def _tell(tx: Transaction, changes: Changes) -> None:
    versions = {patient.id: patient.version for patient in changes.patients}
    for patient in changes.patients:
        await events.patient_changed(tx, patient)
    for program in changes.programs:
        await events.program_record_changed(tx, program)
    for joined in changes.joined:
        await events.patients_merged(tx, joined, versions[joined.retired_id])
    for encounter in changes.encounters:
        await events.encounter_changed(tx, encounter)
    for appointment in changes.appointments:
        await events.appointment_told(tx, appointment)
    for observation in changes.observations:
        await events.result_received(tx, observation)
    for handled in changes.handled:
        await events.report_handled(tx, handled)


async def _readable(tx: Transaction, deliveries: Sequence[Delivery]) -> list[Report]:
    """The reports that can be read; of the others it is told at once, so that no message waits for an answer for ever."""
    reports = []
    for delivery in deliveries:
        event = delivery.event
        if not isinstance(
            event,
            interop_events_pb2.VisitReported
            | interop_events_pb2.PersonReported
            | interop_events_pb2.MergeReported
            | interop_events_pb2.AppointmentReported
            | interop_events_pb2.ResultReported,
        ):
            raise TypeError(type(event).__name__)
        try:
            reports.append(to_report(event))
        except (InvalidArgument, ValueError, OverflowError) as error:
            await _refuse(tx, event.source, error)
    return reports


async def _tell_parked(tx: Transaction, delivery: Delivery, reason: str) -> None:
    """Answer for what was set aside, so that its feed does not wait for it for ever."""
    source = getattr(delivery.event, "source", None)
    if source is not None and source.message_id:
        await events.report_refused(tx, UUID(source.message_id), source, reason)


async def _refuse(tx: Transaction, source: report_pb2.ReportSource, error: Exception) -> None:
    """Answer that a report cannot be read. Parked here is only one that names no message to answer about."""
    reason = error.reason if isinstance(error, InvalidArgument) else "REPORT_UNREADABLE"
    try:
        message_id = to_uuid("source.message_id", source.message_id)
    except InvalidArgument as unnamed:
        raise Unprocessable(unnamed.reason, unnamed.message) from error
    log.error("a report cannot be read", extra={"message_id": message_id, "reason": reason})
    await events.report_refused(tx, message_id, source, reason)


def _in_time(report: Report) -> tuple[str, int]:
    """Any order ends in the same record; the order of time makes the fewest detours."""
    return (report.source.stamp, report.source.version)


# The names are data: timers remember them. Never rename one.
TIMERS = (Timer(events.AGED, age_rows),)
JOBS = (Job("registry-labels", keep_labels_current),)
