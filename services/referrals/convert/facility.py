"""Facilities as identity tells of them, and feeds as interop does."""

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2

from libs.chassis.fields import to_uuid
from libs.chassis.ids import to_id
from services.referrals.domain.facility import Facility
from services.referrals.domain.program import KnownFeed


def to_facility(event: identity_events_pb2.FacilityChanged) -> Facility:
    told = event.facility
    return Facility(
        id=to_uuid("facility.id", told.id),
        version=event.version,
        name=told.name,
        time_zone=told.time_zone,
        holiday_calendar=told.holiday_calendar,
        phone=told.phone,
    )


def to_feed(event: interop_events_pb2.FeedChanged) -> KnownFeed:
    feed = event.feed
    places = {feed.facility_id, *feed.quirks.facilities.values()}
    return KnownFeed(
        id=to_id(feed.id),
        version=event.version,
        facility_ids=tuple(sorted(to_id(place) for place in places)),
        is_program=feed.provenance.is_part2_program,
    )
