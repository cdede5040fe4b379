"""The RPCs that every service answers alike: how it is, and what becomes of the events that it set aside."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from carehub.operations.v1 import parked_pb2, status_pb2

from libs.chassis import audit
from libs.chassis.caller import Call
from libs.chassis.database import Database, Transaction
from libs.chassis.errors import FailedPrecondition, InvalidArgument
from libs.chassis.fields import to_timestamp, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from libs.conveyor import parked
from libs.conveyor.inbox import Consumer, Delivery
from libs.process.status import VERSION, Status, status_of
from libs.telemetry.figures import Counts, Shown, Times, add_up

LATE = timedelta(minutes=1)
FAR_BEHIND = 1000
LONGEST_REASON = 200
Concern = status_pb2.ServiceStatus


class Operations:
    """Answers for one service. What was set aside is behind the system's door; that is why the methods on it declare no
    transaction, and write their own audit row.
    """

    def __init__(
        self,
        service: str,
        consumers: Sequence[Consumer],
        shown: Sequence[Shown],
        database: Database,
    ) -> None:
        self._service = service
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._shown = shown
        self._database = database

    async def GetStatus(
        self, request: status_pb2.GetStatusRequest, call: Call
    ) -> status_pb2.ServiceStatus:
        status = await status_of(call.tx)
        return to_proto(self._service, sorted(self._consumers), status, self._shown)

    async def ListParked(
        self, request: parked_pb2.ListParkedRequest, call: Call
    ) -> parked_pb2.ListParkedResponse:
        size = page_size(request.page_size)
        after = page_start(request.page_token, request, parked.FIRST)
        async with self._database.system() as tx:
            found = await parked.page(tx, size + 1, after, request.consumer)
        page = found[:size]
        last = page[-1] if found[size:] else None
        return parked_pb2.ListParkedResponse(
            parked=[parked_to_proto(entry) for entry in page],
            next_page_token=token_after(last.parked_at, last.id, request) if last else "",
        )

    async def ReplayParked(
        self, request: parked_pb2.ReplayParkedRequest, call: Call
    ) -> parked_pb2.ParkedEvent:
        id = to_uuid("parked_id", request.parked_id)
        entry = await parked.show(self._database, id)
        if entry.state != "REPLAYED":
            consumer = self._consumers.get(entry.consumer)
            if consumer is None:
                raise FailedPrecondition(
                    "CONSUMER_GONE", "Nothing handles this any more; it can only be discarded."
                )
            await parked.replay(self._database, _audited(consumer, call, id), id)
            entry = await parked.show(self._database, id)
        return parked_to_proto(entry)

    async def DiscardParked(
        self, request: parked_pb2.DiscardParkedRequest, call: Call
    ) -> parked_pb2.ParkedEvent:
        id, why = to_uuid("parked_id", request.parked_id), request.reason.strip()
        if not why or len(why) > LONGEST_REASON:
            raise InvalidArgument(
                "DISCARD_REASON_MISSING",
                f"Say why, in at most {LONGEST_REASON} characters.",
                field="reason",
            )
        async with self._database.system() as tx:
            if await parked.discard(tx, id, why):
                audit.record(tx, call, str(id))
        return parked_to_proto(await parked.show(self._database, id))


def _audited(consumer: Consumer, call: Call, id: UUID) -> Consumer:
    """The consumer, with the audit row of this call in the transaction of its work."""

    async def handle(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
        await consumer.handle(tx, deliveries)
        audit.record(tx, call, str(id))

    return dataclasses.replace(consumer, handle=handle)


def to_proto(
    service: str, consumers: Iterable[str], status: Status, shown: Iterable[Shown] = ()
) -> status_pb2.ServiceStatus:
    return status_pb2.ServiceStatus(
        service=service,
        version=VERSION,
        as_of_time=to_timestamp(status.at),
        concerns=concerns(status),
        schema_revision=status.about.service,
        chassis_revision=status.about.chassis,
        database_bytes=status.about.bytes,
        outbox=status_pb2.OutboxStatus(
            waiting_count=status.outbox.waiting,
            oldest_seconds=status.age(status.outbox.oldest_at),
            published_last_hour=status.outbox.published,
        ),
        consumers=[_consumer_to_proto(name, status) for name in consumers],
        timers=status_pb2.TimersStatus(
            waiting_count=status.timers.waiting,
            late_count=status.timers.late,
            oldest_late_seconds=status.age(status.timers.oldest_at),
        ),
        processes=[
            status_pb2.ProcessStatus(
                name=beat.process,
                role=beat.role,
                start_time=to_timestamp(beat.started_at),
                seen_time=to_timestamp(beat.seen_at),
                is_alive=status.is_alive(beat),
            )
            for beat in status.heartbeats
        ],
        audit=status_pb2.AuditStatus(
            sealed_count=status.ledger.sealed,
            oldest_seconds=status.age(status.ledger.oldest_at),
            head_sequence=status.ledger.head_sequence,
            head_time=to_timestamp(status.ledger.head_at),
        ),
        figures=figures(shown, status),
        figures_since_time=to_timestamp(status.told_since),
    )


def figures(shown: Iterable[Shown], status: Status) -> list[status_pb2.Figure]:
    """What the metrics show of which a living process tells."""
    return [
        _figure_to_proto(each, counts)
        for each in shown
        if (counts := add_up(each, status.told)) is not None
    ]


def _figure_to_proto(shown: Shown, counts: Counts) -> status_pb2.Figure:
    if shown.takes_time:
        return status_pb2.Figure(metric=shown.name, times=_times_to_proto(shown, Times(counts)))
    most_first = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return status_pb2.Figure(
        metric=shown.name,
        counts=[
            status_pb2.FigureCount(of=key.split(), count=int(count))
            for key, count in most_first
            if count or shown.is_now
        ],
    )


def _times_to_proto(shown: Shown, times: Times) -> status_pb2.FigureTimes:
    within = shown.within or times.most
    return status_pb2.FigureTimes(
        count=times.count,
        median_seconds=times.quantile(0.5),
        p99_seconds=times.quantile(0.99),
        most_seconds=times.most,
        within_seconds=within,
        within_count=times.within(within),
    )


def concerns(status: Status) -> "list[status_pb2.ServiceStatus.Concern.ValueType]":
    """What somebody should look at."""
    works = any(status.is_alive(beat) and beat.role.works for beat in status.heartbeats)
    found = {
        Concern.CONCERN_NOBODY_WORKS: not works,
        Concern.CONCERN_OUTBOX_WAITS: status.age(status.outbox.oldest_at) >= LATE.total_seconds(),
        Concern.CONCERN_TIMERS_LATE: status.age(status.timers.oldest_at) >= LATE.total_seconds(),
        Concern.CONCERN_EVENTS_PARKED: bool(status.parked),
        Concern.CONCERN_CONSUMER_BEHIND: any(
            lag.waiting > FAR_BEHIND for lag in status.lag.values()
        ),
        Concern.CONCERN_AUDIT_UNSEALED: status.age(status.ledger.oldest_at) >= LATE.total_seconds(),
        Concern.CONCERN_AUDIT_OVERFLOWS: status.ledger.overflows,
    }
    return [concern for concern, is_so in found.items() if is_so]


def _consumer_to_proto(name: str, status: Status) -> status_pb2.ConsumerStatus:
    lag = status.lag.get(name)

    return status_pb2.ConsumerStatus(
        name=name,
        handled_last_hour=status.handled.get(name, 0),
        waiting_count=lag.waiting if lag else None,
        in_work_count=lag.in_work if lag else None,
        parked=[
            status_pb2.ParkedCount(
                reason=counts.reason,
                count=counts.waiting,
                newest_time=to_timestamp(counts.newest_at),
            )
            for counts in status.parked.get(name, ())
        ],
    )


def parked_to_proto(entry: parked.Parked) -> parked_pb2.ParkedEvent:
    """Without what the event holds."""
    return parked_pb2.ParkedEvent(
        id=str(entry.id),
        consumer=entry.consumer,
        event=entry.subject,
        key=entry.key,
        version=entry.version,
        facility_id=str(entry.facility_id or ""),
        reason=entry.reason,
        message=entry.message,
        attempts=entry.attempts,
        parked_time=to_timestamp(entry.parked_at),
        state=parked_pb2.ParkedEvent.State.Value(f"STATE_{entry.state}"),
        settled_time=to_timestamp(entry.settled_at),
        settled_reason=entry.settled_reason or "",
    )
