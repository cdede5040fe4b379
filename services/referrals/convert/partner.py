"""What a partner is shown, in protobuf."""

from datetime import datetime

from carehub.referrals.v1 import partner_service_pb2 as rpc

from libs.chassis.fields import to_timestamp
from services.referrals.domain.directory import Service
from services.referrals.domain.facility import Facility
from services.referrals.domain.needs import RIDES
from services.referrals.domain.partner import expiry, number_of
from services.referrals.domain.referral import UNDER_WAY, Referral, State

_STEP = rpc.PartnerRequest.Step


def request_to_proto(
    referral: Referral, service: Service, facility: Facility, at: datetime
) -> rpc.PartnerRequest:
    """What there is to do, and what the partner may see of it now."""
    told = rpc.PartnerRequest(
        number=number_of(referral.id),
        step=_step(referral),
        service_name=referral.service_name,
        need=referral.need,
        is_ride=referral.need == RIDES,
        facility_name=facility.name,
        facility_phone=facility.phone,
        time_zone=facility.calendar.time_zone,
        asks_capacity=_asks_capacity(referral, service),
    )
    if referral.has_ended:
        return told
    details = referral.told
    told.MergeFrom(
        rpc.PartnerRequest(
            answer_due_time=to_timestamp(referral.answer_due_at),
            expire_time=to_timestamp(expiry(referral.sent_at or at, details.end_at)),
            start_time=to_timestamp(details.start_at),
            end_time=to_timestamp(details.end_at),
            area=details.area,
            language=details.language,
            needs_wheelchair=details.needs_wheelchair,
            first_name=details.first_name,
            telephone=details.telephone,
            address=details.address,
            destination=details.destination,
        )
    )
    return told


def _asks_capacity(referral: Referral, service: Service) -> bool:
    has_answered = referral.state in UNDER_WAY or referral.state is State.REJECTED
    said, sent = service.capacity_at, referral.sent_at
    return has_answered and not (said and sent and said >= sent)


def _step(referral: Referral) -> "rpc.PartnerRequest.Step.ValueType":
    if referral.state is State.REQUESTED:
        return _STEP.Value("STEP_ANSWER")
    if referral.state in UNDER_WAY:
        return _STEP.Value("STEP_DO")
    return _STEP.Value("STEP_DONE" if referral.state is State.COMPLETED else "STEP_CLOSED")
