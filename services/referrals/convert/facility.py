"""Facilities as identity tells of them."""

from carehub.identity.v1 import identity_events_pb2

from libs.chassis.fields import to_uuid
from services.referrals.domain.facility import Facility


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
