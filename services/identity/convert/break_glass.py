"""Emergency access between the domain and protobuf."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from carehub.identity.v1 import break_glass_pb2
from carehub.identity.v1 import break_glass_service_pb2 as rpc

from libs.chassis import ids
from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp, to_uuid
from services.identity.domain.break_glass import Finding, Glass, Person, Reason, Wish

_OPEN = break_glass_pb2.BreakGlass.STATE_OPEN
_ENDED = break_glass_pb2.BreakGlass.STATE_ENDED
STATES = {0: "", _OPEN: "OPEN", _ENDED: "ENDED"}


def glass_to_proto(glass: Glass, at: datetime) -> break_glass_pb2.BreakGlass:
    return break_glass_pb2.BreakGlass(
        id=str(glass.id),
        etag=etag(glass.version),
        patient_id=str(glass.patient_id),
        person_id=str(glass.person_id),
        facility_id=str(glass.facility_id),
        reason=break_glass_pb2.BreakGlass.Reason.Value(f"REASON_{glass.reason}"),
        reason_text=glass.reason_text,
        is_part2_emergency=glass.is_part2_emergency,
        is_medical=glass.is_medical,
        state=_OPEN if glass.is_open(at) else _ENDED,
        open_time=to_timestamp(glass.opened_at),
        expire_time=to_timestamp(glass.expires_at),
        end_time=to_timestamp(glass.ended_at),
        uses_in_30_days=glass.uses_in_30_days,
        review=_review_to_proto(glass),
    )


def without_words(message: break_glass_pb2.BreakGlass) -> break_glass_pb2.BreakGlass:
    """The same, as others than its person and those who review it may have it."""
    message.ClearField("reason_text")
    if message.HasField("review"):
        message.review.ClearField("note")
    return message


def _review_to_proto(glass: Glass) -> break_glass_pb2.BreakGlassReview | None:
    if glass.finding is None:
        return None
    return break_glass_pb2.BreakGlassReview(
        finding=break_glass_pb2.BreakGlassReview.Finding.Value(f"FINDING_{glass.finding}"),
        note=glass.finding_note,
        reviewer_id=str(glass.reviewed_by_id),
        review_time=to_timestamp(glass.reviewed_at),
    )


def to_wish(request: rpc.BreakGlassRequest, new_id: Callable[[], UUID]) -> Wish:
    names = break_glass_pb2.BreakGlass.Reason
    # A number that this version does not know has no name.
    name = names.Name(request.reason) if request.reason in names.values() else ""
    reason = name.removeprefix("REASON_")
    if reason not in Reason.__members__:
        raise InvalidArgument("REASON_MISSING", "Choose a reason.", field="reason")
    return Wish(
        id=to_uuid("request_id", request.request_id) if request.request_id else new_id(),
        patient_id=to_uuid("patient_id", request.patient_id),
        facility_id=to_uuid("facility_id", request.facility_id),
        reason=Reason(reason),
        reason_text=request.reason_text,
        is_part2_emergency=request.is_part2_emergency,
    )


def to_finding(request: rpc.ReviewBreakGlassRequest) -> Finding:
    names = break_glass_pb2.BreakGlassReview.Finding
    name = names.Name(request.finding) if request.finding in names.values() else ""
    finding = name.removeprefix("FINDING_")
    if finding not in Finding.__members__:
        raise InvalidArgument("FINDING_MISSING", "Say what was found.", field="finding")
    return Finding(finding)


def to_state(request: rpc.ListBreakGlassRequest) -> str:
    """The state to list; empty: any."""
    if request.state in STATES:
        return STATES[request.state]
    raise InvalidArgument("STATE_UNKNOWN", "Open or ended, or none.", field="state")


def to_person(call: Call) -> Person:
    caller = call.caller
    since = caller.authenticated_at  # as the provider's clock has it
    return Person(
        id=caller.subject,
        facilities=call.facilities,
        roles=caller.roles,
        acr=caller.acr,
        authenticated_at=ids.from_machine(since) if since else None,
    )
