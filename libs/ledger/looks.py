"""Who has looked at a patient: the ledger by person and day, which every service answers alike and which is in it, too."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import available_timezones

from carehub.audit.v1 import audit_pb2
from google.type import date_pb2
from sqlalchemy import Boolean, Date, Integer, Text, Uuid, cast, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, array

from libs.chassis.audit import audit, record
from libs.chassis.caller import Call
from libs.chassis.database import Database, param, sql
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_timestamp, to_uuid
from libs.chassis.ids import to_id
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, page_size
from libs.ledger.entries import PERMISSION

Wanted = audit_pb2.ListLooksRequest | audit_pb2.ListOwnLooksRequest
_BEGINNING = date(9999, 1, 1), UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one person saw or changed of a patient on one day. What was said together is one text, with blanks."""

    day: date
    subject: UUID
    roles: list[str]
    facilities: list[str]
    purposes: list[str]
    methods: list[str]
    count: int
    first_at: datetime
    last_at: datetime


_a = audit.c
_day = cast(func.timezone(param("zone", type_=Text), _a.at), Date)
_LOOKS = sql(
    select(
        _day.label("day"),
        _a.subject,
        func.array_agg(func.array_to_string(_a.roles, " ").distinct()).label("roles"),
        func.array_agg(func.array_to_string(_a.facilities, " ").distinct()).label("facilities"),
        func.array_agg(_a.purpose.distinct()).label("purposes"),
        func.array_agg(_a.method.distinct()).label("methods"),
        func.count().label("count"),
        func.min(_a.at).label("first_at"),
        func.max(_a.at).label("last_at"),
    )
    .where(
        _a.patients.contains(array([param("patient", type_=Uuid)])),
        _a.outcome == "OK",
        _a.subject.is_not(None),
        or_(
            param("everywhere", type_=Boolean),
            _a.facilities.overlap(param("here", type_=ARRAY(Uuid))),
        ),
        tuple_(_day, _a.subject)
        < tuple_(param("before_day", type_=Date), param("before_subject", type_=Uuid)),
    )
    .group_by(_day, _a.subject)
    .order_by(_day.desc(), _a.subject.desc())
    .limit(param("limit", type_=Integer)),
    row=_Look,
)


class Looks:
    """Answers for one service. The ledger is behind the system's door, so what may be seen of it is said here.

    Whether the caller may see the patient at all is not: the gateway asks registry first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListLooks(
        self, request: audit_pb2.ListLooksRequest, call: Call
    ) -> audit_pb2.ListLooksResponse:
        is_officer = PERMISSION in call.caller.permissions
        looks, token = await self._told(request, call, everywhere=is_officer)
        return audit_pb2.ListLooksResponse(looks=looks, next_page_token=token)

    async def ListOwnLooks(
        self, request: audit_pb2.ListOwnLooksRequest, call: Call
    ) -> audit_pb2.ListOwnLooksResponse:
        """For the patient, who may know of everybody; the gateway leaves out what who acts for them may not."""
        looks, token = await self._told(request, call, everywhere=True)
        return audit_pb2.ListOwnLooksResponse(looks=looks, next_page_token=token)

    async def _told(
        self, request: Wanted, call: Call, *, everywhere: bool
    ) -> tuple[list[audit_pb2.Look], str]:
        size, zone = page_size(request.page_size), request.time_zone or "UTC"
        if zone not in available_timezones():
            raise InvalidArgument(
                "TIME_ZONE_UNKNOWN", "There is no such time zone.", field="time_zone"
            )
        patient = to_uuid("patient_id", request.patient_id)
        before_day, before_subject = place_in(request)
        async with self._database.system() as tx:
            found = await tx.fetch(
                _LOOKS,
                zone=zone,
                patient=patient,
                everywhere=everywhere,
                here=sorted(call.facilities),
                before_day=before_day,
                before_subject=before_subject,
                limit=size + 1,
            )
            call.show(patient)
            record(tx, call, request.patient_id)
        looks = [_to_proto(look) for look in found[:size]]
        return looks, cursor(looks[-1], request) if len(found) > size else ""


def place_in(request: Wanted) -> tuple[date, UUID]:
    """Before which day and person the page is."""
    match decode_cursor(request.page_token, request):
        case None:
            return _BEGINNING
        case [str(day), str(subject)]:
            with suppress(ValueError):
                return date.fromisoformat(day), to_id(subject)
    raise bad_token()


def cursor(look: audit_pb2.Look, request: Wanted) -> str:
    """The place after a look: the same in every service."""
    return encode_cursor([day_of(look).isoformat(), look.person_id], request)


def day_of(look: audit_pb2.Look) -> date:
    return date(look.day.year, look.day.month, look.day.day)


def _to_proto(look: _Look) -> audit_pb2.Look:
    return audit_pb2.Look(
        day=date_pb2.Date(year=look.day.year, month=look.day.month, day=look.day.day),
        person_id=str(look.subject),
        roles=_apart(look.roles),
        facility_ids=_apart(look.facilities),
        purposes=sorted(filter(None, look.purposes)),
        methods=sorted(look.methods),
        count=look.count,
        first_time=to_timestamp(look.first_at),
        last_time=to_timestamp(look.last_at),
    )


def _apart(texts: Iterable[str]) -> list[str]:
    return sorted({word for text in texts for word in text.split()})
