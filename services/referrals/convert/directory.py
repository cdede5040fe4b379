"""The directory, between the domain and protobuf."""

from collections.abc import Iterable
from datetime import datetime

from carehub.referrals.v1 import directory_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp
from services.referrals.domain.directory import CapacityStatus, Organization, Service
from services.referrals.domain.hsds import Remark
from services.referrals.domain.matching import Match

_STATUS = directory_pb2.Capacity.Status


def service_to_proto(service: Service, at: datetime) -> directory_pb2.DirectoryService:
    return directory_pb2.DirectoryService(
        id=str(service.id),
        etag=etag(service.version),
        organization_id=str(service.organization_id),
        organization_name=service.organization_name,
        name=service.name,
        description=service.description,
        status=service.status,
        service_types=service.service_types,
        needs=service.needs,
        postal_codes=service.postal_codes,
        counties=service.counties,
        languages=service.languages,
        is_wheelchair_accessible=service.is_wheelchair_accessible,
        eligibility=service.eligibility,
        minimum_age=service.minimum_age,
        maximum_age=service.maximum_age,
        hours=[
            directory_pb2.OpeningHours(
                days=each.days, opens_at=each.opens_at, closes_at=each.closes_at
            )
            for each in service.hours
        ],
        capacity=capacity_to_proto(service, at),
        drivers=service.drivers,
        answer_hours=service.answer_hours,
        phones=service.phones,
        has_email=bool(service.email),
        assured_date=service.assured_on.isoformat() if service.assured_on else "",
    )


def capacity_to_proto(service: Service, at: datetime) -> directory_pb2.Capacity:
    """As it is believed now, with its age."""
    status = service.capacity_now(at)
    is_said = status is not CapacityStatus.UNVERIFIED
    return directory_pb2.Capacity(
        status=_STATUS.Value(f"STATUS_{status}") if is_said else _STATUS.STATUS_UNSPECIFIED,
        update_time=to_timestamp(service.capacity_at),
        expire_time=to_timestamp(service.capacity_until if is_said else None),
        wait=service.wait if is_said else "",
    )


def to_capacity(value: "directory_pb2.Capacity.Status.ValueType") -> CapacityStatus:
    """What a service said; unspecified is nothing said."""
    name = _STATUS.Name(value).removeprefix("STATUS_") if value in _STATUS.values() else ""
    if name in ("", "UNSPECIFIED"):
        raise InvalidArgument("CAPACITY_MISSING", "Say what it said.", field="status")
    return CapacityStatus(name)


def organization_to_proto(
    organization: Organization, services: Iterable[Service]
) -> directory_pb2.DirectoryOrganization:
    return directory_pb2.DirectoryOrganization(
        id=str(organization.id),
        etag=etag(organization.version),
        name=organization.name,
        description=organization.description,
        service_ids=[str(each.id) for each in services if each.organization_id == organization.id],
    )


def match_to_proto(match: Match, at: datetime) -> directory_pb2.Match:
    return directory_pb2.Match(
        service=service_to_proto(match.service, at),
        fits=match.fits,
        reasons=[
            directory_pb2.MatchReason(code=each.code, is_for=each.is_for, text=each.text)
            for each in match.reasons
        ],
    )


def remark_to_proto(remark: Remark, count: int) -> directory_pb2.ImportRemark:
    return directory_pb2.ImportRemark(
        entity=remark.entity,
        id=remark.id,
        field=remark.field,
        reason=remark.reason,
        text=remark.text,
        is_refusal=remark.is_refusal,
        count=count,
    )
