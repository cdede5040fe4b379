"""What interop tells the others."""

from carehub.interop.v1 import interop_events_pb2

from libs.chassis.database import Transaction
from libs.conveyor import outbox
from services.interop.convert import feed_to_proto, report_to_proto
from services.interop.domain.feed import Feed
from services.interop.domain.message import Message
from services.interop.domain.report import Report


async def reported(tx: Transaction, report: Report, message: Message) -> None:
    """VisitReported, AppointmentReported, ResultReported, PersonReported or MergeReported; a replay is the next version of the same."""
    await outbox.add(
        tx,
        report_to_proto(report, message),
        key=message.id,
        version=message.replay + 1,
        facility_id=report.facility_id,
        received_at=None if message.replay else message.received_at,
    )


async def feed_changed(tx: Transaction, feed: Feed) -> None:
    event = interop_events_pb2.FeedChanged(feed=feed_to_proto(feed), version=feed.version)
    await outbox.add(tx, event, key=feed.id, version=feed.version, facility_id=feed.facility_id)
