"""Feeds, as interop tells of them."""

from uuid import UUID

from carehub.interop.v1 import interop_events_pb2


def feed_changed(
    feed_id: UUID, *facility_ids: UUID, version: int = 1, is_program: bool = True
) -> interop_events_pb2.FeedChanged:
    """A feed that speaks for these facilities, the first of which is its own; of a program under 42 CFR Part 2 or not."""
    event = interop_events_pb2.FeedChanged(version=version)
    event.feed.id, event.feed.facility_id = str(feed_id), str(facility_ids[0])
    for number, each in enumerate(facility_ids):
        event.feed.quirks.facilities[f"F{number}"] = str(each)
    event.feed.provenance.is_part2_program = is_program
    return event
