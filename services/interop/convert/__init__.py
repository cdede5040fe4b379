"""Feeds and messages between the domain and protobuf; `report` has what is told of a message."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from carehub.identity.v1 import staff_pb2
from carehub.interop.v1 import feed_pb2, interop_service_pb2, message_pb2
from google.protobuf.duration_pb2 import Duration

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp, to_uuid
from services.interop.convert.report import provenance_to_proto, report_to_proto
from services.interop.domain.classify import Verdict
from services.interop.domain.feed import (
    SILENCE_AFTER,
    Feed,
    FeedState,
    Figures,
    Provenance,
    Quirks,
)
from services.interop.domain.message import SET_ASIDE, Alike, Message, MessageState, Refusal
from services.interop.domain.silence import HeldRole, Mute, Notice, StaffMember
from services.interop.domain.trial import Trial

__all__ = [
    "feed_to_domain",
    "feed_to_proto",
    "feed_with_figures",
    "message_to_proto",
    "notice_to_proto",
    "refusal_to_proto",
    "report_to_proto",
    "to_alike",
    "to_duration",
    "to_message_state",
    "to_message_states",
    "to_person",
    "trial_to_proto",
]

_FEED_STATES = {
    feed_pb2.Feed.STATE_UNSPECIFIED: FeedState.ACTIVE,
    feed_pb2.Feed.STATE_ACTIVE: FeedState.ACTIVE,
    feed_pb2.Feed.STATE_PAUSED: FeedState.PAUSED,
}
_MESSAGE_STATES = {
    state: message_pb2.FeedMessage.State.Value(f"STATE_{state}") for state in MessageState
}
_STATES_ASKED = {number: state for state, number in _MESSAGE_STATES.items()}


def feed_to_proto(feed: Feed) -> feed_pb2.Feed:
    """A feed without figures."""
    message = feed_pb2.Feed(
        id=str(feed.id),
        etag=etag(feed.version),
        facility_id=str(feed.facility_id),
        name=feed.name,
        sending_facility=feed.sending_facility,
        sending_application=feed.sending_application,
        state=feed_pb2.Feed.State.Value(f"STATE_{feed.state}"),
        quirks=_quirks_to_proto(feed.quirks),
        provenance=provenance_to_proto(feed.provenance),
    )
    message.silence_after.FromTimedelta(feed.silence_after)
    if feed.mute:
        message.mute.CopyFrom(_mute_to_proto(feed.mute))
    return message


def _mute_to_proto(mute: Mute) -> feed_pb2.FeedMute:
    return feed_pb2.FeedMute(
        until_time=to_timestamp(mute.until_at),
        reason=mute.reason,
        staff_id=str(mute.staff_id),
        staff_name=mute.staff_name,
        time=to_timestamp(mute.at),
    )


def notice_to_proto(notice: Notice) -> feed_pb2.SilenceNotice:
    return feed_pb2.SilenceNotice(
        staff_id=str(notice.staff_id),
        staff_name=notice.staff_name,
        channel="email",
        time=to_timestamp(notice.sent_at),
    )


def feed_with_figures(feed: Feed, figures: Figures, now: datetime) -> feed_pb2.Feed:
    message = feed_to_proto(feed)
    if figures.last_message_at:
        message.last_message_time.FromDatetime(figures.last_message_at)
    message.messages_last_hour = figures.last_hour
    message.is_silent = feed.is_silent(figures.last_message_at, now)
    message.accounts.CopyFrom(
        feed_pb2.FeedAccounts(
            received=figures.received,
            pending=figures.pending,
            applied=figures.applied,
            no_op=figures.no_op,
            quarantined=figures.quarantined,
            ignored=figures.ignored,
            parked=figures.parked,
            duplicates=figures.duplicates,
            refused=figures.refused,
        )
    )
    return message


def feed_to_domain(
    message: feed_pb2.Feed, *, id: UUID, created_at: datetime, version: int = 1
) -> Feed:
    if message.state not in _FEED_STATES:
        raise InvalidArgument("FEED_STATE_UNKNOWN", "There is no such state.", field="feed.state")
    has_silence = message.HasField("silence_after")
    feed = Feed(
        id=id,
        facility_id=to_uuid("feed.facility_id", message.facility_id),
        name=message.name.strip(),
        sending_facility=message.sending_facility.strip(),
        sending_application=message.sending_application.strip(),
        state=_FEED_STATES[message.state],
        quirks=_quirks_to_domain(message.quirks),
        provenance=Provenance(
            is_part2_program=message.provenance.is_part2_program,
            sends_labels=message.provenance.sends_labels,
        ),
        silence_after=to_duration("feed.silence_after", message.silence_after)
        if has_silence
        else SILENCE_AFTER,
        created_at=created_at,
        version=version,
    )
    feed.check()
    return feed


def to_duration(field: str, value: Duration) -> timedelta:
    try:
        return value.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise InvalidArgument("DURATION_INVALID", "That is no time span.", field=field) from error


def _quirks_to_proto(quirks: Quirks) -> feed_pb2.Quirks:
    return feed_pb2.Quirks(
        time_zone=quirks.time_zone,
        charset=quirks.charset,
        patient_classes=quirks.patient_classes,
        dispositions=quirks.dispositions,
        facilities={name: str(id) for name, id in quirks.facilities.items()},
        default_assigner=quirks.default_assigner,
        processing_ids=quirks.processing_ids,
    )


def _quirks_to_domain(message: feed_pb2.Quirks) -> Quirks:
    return Quirks(
        time_zone=message.time_zone,
        charset=message.charset,
        patient_classes=dict(message.patient_classes),
        dispositions=dict(message.dispositions),
        facilities=_facilities(message.facilities),
        default_assigner=message.default_assigner,
        processing_ids=tuple(message.processing_ids),
    )


def _facilities(said: Mapping[str, str]) -> dict[str, UUID]:
    return {name: to_uuid("feed.quirks.facilities", id) for name, id in said.items()}


def message_to_proto(message: Message) -> message_pb2.FeedMessage:
    """A message without its content."""
    return message_pb2.FeedMessage(
        id=str(message.id),
        feed_id=str(message.feed_id),
        facility_id=str(message.facility_id),
        control_id=message.control_id,
        event_type=message.event_type,
        receive_time=to_timestamp(message.received_at),
        message_time=to_timestamp(message.message_at),
        state=_MESSAGE_STATES[message.state],
        reason=message.reason,
        explanation=message.explanation,
        is_control_id_reused=message.is_control_id_reused,
        patient_id=str(message.patient_id or ""),
        encounter_id=str(message.encounter_id or ""),
    )


def to_message_state(state: "message_pb2.FeedMessage.State.ValueType") -> MessageState | None:
    """The state that a list is asked for; None for any."""
    if not state:
        return None
    if state not in _STATES_ASKED:
        raise InvalidArgument("MESSAGE_STATE_UNKNOWN", "There is no such state.", field="state")
    return _STATES_ASKED[state]


def to_message_states(
    request: interop_service_pb2.ListMessagesRequest,
) -> tuple[MessageState | None, ...]:
    """The states that a list is asked for, each once; (None,) for any."""
    asked = [
        state for each in (request.state, *request.states) if (state := to_message_state(each))
    ]
    return tuple(dict.fromkeys(asked)) or (None,)


def to_alike(request: interop_service_pb2.ReplayMessagesRequest) -> Alike:
    state = to_message_state(request.state)
    if state not in SET_ASIDE:
        raise InvalidArgument(
            "STATE_NOT_SET_ASIDE", "Only what is set aside is replayed by reason.", field="state"
        )
    if not request.reason:
        raise InvalidArgument("REASON_MISSING", "Say which reason they share.", field="reason")
    return Alike(
        feed_id=to_uuid("feed_id", request.feed_id),
        state=state,
        reason=request.reason,
        explanation=request.explanation,
    )


def to_person(member: staff_pb2.StaffMember, version: int) -> StaffMember:
    return StaffMember(
        id=UUID(member.id),
        version=version,
        display_name=member.display_name,
        email=member.email,
        is_active=member.state == staff_pb2.StaffMember.STATE_ACTIVE,
        roles=tuple(
            HeldRole(role=r.role, facility_id=UUID(r.facility_id) if r.facility_id else None)
            for r in member.roles
        ),
    )


def refusal_to_proto(refusal: Refusal) -> interop_service_pb2.Refusal:
    return interop_service_pb2.Refusal(
        id=str(refusal.id),
        time=to_timestamp(refusal.refused_at),
        code=refusal.code,
        error_code=refusal.error_code,
        reason=refusal.reason,
        explanation=refusal.explanation,
        peer=refusal.peer,
        size_bytes=refusal.size_bytes,
    )


def trial_to_proto(verdict: Verdict, trial: Trial) -> interop_service_pb2.TryMessageResponse:
    return interop_service_pb2.TryMessageResponse(
        code=verdict.code.value,
        state=_MESSAGE_STATES[verdict.state]
        if verdict.state
        else message_pb2.FeedMessage.STATE_UNSPECIFIED,
        reason=verdict.reason,
        segments=[
            interop_service_pb2.SegmentReading(
                segment=segment.segment,
                line=segment.line,
                readings=segment.readings,
                problems=segment.problems,
            )
            for segment in trial.segments
        ],
        effects=trial.effects,
        feed_id=str(verdict.sender.feed.id) if verdict.sender else "",
    )
