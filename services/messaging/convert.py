"""Messaging's domain and its contract, and what its neighbors tell."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import preferences_pb2
from carehub.identity.v1 import facility_pb2, staff_pb2, team_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.messaging.v1 import (
    contact_pb2,
    patient_message_pb2,
    reply_pb2,
    telephone_pb2,
    thread_pb2,
)
from carehub.registry.v1 import patient_pb2
from carehub.scheduling.v1 import appointment_pb2
from carehub.tasking.v1 import loop_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_datetime, to_timestamp, to_uuid
from libs.chassis.ids import to_id
from services.messaging.domain.contact import Channel, Consent, Contact
from services.messaging.domain.directory import Directory, Facility, HeldRole, Staff, Team
from services.messaging.domain.labels import NORMAL, WITHHELD
from services.messaging.domain.message import Message, MessageState
from services.messaging.domain.plan import Appointment, Transition
from services.messaging.domain.program import KnownFeed
from services.messaging.domain.reply import Meaning, Reply
from services.messaging.domain.telephone import Entry
from services.messaging.domain.thread import Post, Priority, Thread
from services.messaging.domain.wish import Wish

# The best first: HL7 table 0201, the mobile phone (or beeper of old), home, other, work. Emergency contacts are others.
_BEST_USE = {"PRS": 0, "CP": 0, "PRN": 1, "ORN": 2, "": 3, "WPN": 4}
_NEVER_USE = frozenset({"EMR", "ASN", "BPN"})


# Out.


def labels_to_proto(labels: Iterable[str]) -> list["access_pb2.Label.ValueType"]:
    return [access_pb2.Label.Value(f"LABEL_{label}") for label in labels]


def contact_to_proto(contact: Contact) -> contact_pb2.Contact:
    return contact_pb2.Contact(
        id=str(contact.patient_id),
        etag=etag(contact.version),
        phone=contact.number,
        email=contact.address,
        language=contact.speaks,
        preferred_channel=contact.preferred_channel,
        consents=[
            contact_pb2.ChannelConsent(
                channel=channel,
                state=contact_pb2.ChannelConsent.State.Value(f"STATE_{contact.consent(channel)}"),
            )
            for channel in Channel
        ],
        best_from_hour=contact.best_from,
        best_until_hour=contact.best_until,
        is_shared_phone=contact.is_shared_phone,
        is_deceased=contact.is_deceased,
        wishes=_wishes_to_proto(contact.wish) if contact.wish else None,
    )


def _wishes_to_proto(wish: Wish) -> contact_pb2.Wishes:
    return contact_pb2.Wishes(
        facility_id=str(wish.facility_id),
        language=wish.language,
        has_no_texts=wish.has_no_texts,
        has_no_calls=wish.has_no_calls,
        best_from=wish.best_from,
        best_until=wish.best_until,
        sleeps_from=wish.sleeps_from,
        sleeps_until=wish.sleeps_until,
        update_time=to_timestamp(wish.updated_at),
    )


def message_to_proto(
    message: Message, replies: Sequence[Reply] = (), *, waits_for: str = ""
) -> patient_message_pb2.PatientMessage:
    return patient_message_pb2.PatientMessage(
        id=str(message.id),
        facility_id=str(message.facility_id),
        patient_id=str(message.patient_id),
        template=message.template,
        appointment_id=_id(message.appointment_id),
        loop_id=_id(message.loop_id),
        state=patient_message_pb2.PatientMessage.State.Value(f"STATE_{message.state}"),
        reason=message.reason,
        channel=message.channel,
        text=message.text,
        language=message.language,
        due_time=to_timestamp(message.due_at) if message.state is MessageState.PENDING else None,
        sent_time=to_timestamp(message.sent_at),
        sent_by_id=_id(message.sent_by_id),
        replies=[
            patient_message_pb2.PatientReply(reply=reply_to_proto(reply), text=reply.text)
            for reply in replies
        ],
        labels=labels_to_proto(message.labels),
        waits_for=waits_for,
    )


def reply_to_proto(reply: Reply) -> reply_pb2.Reply:
    """What is about the channel alone is of no meaning to others."""
    meaning = Meaning.TEXT if reply.meaning.is_about_channel else reply.meaning
    return reply_pb2.Reply(
        id=str(reply.id),
        facility_id=str(reply.facility_id),
        patient_id=str(reply.patient_id),
        message_id=str(reply.message_id),
        appointment_id=_id(reply.appointment_id),
        loop_id=_id(reply.loop_id),
        meaning=reply_pb2.Reply.Meaning.Value(f"MEANING_{meaning}"),
        barrier=reply_pb2.Reply.Barrier.Value(f"BARRIER_{reply.barrier or 'UNSPECIFIED'}"),
        time=to_timestamp(reply.received_at),
    )


def thread_to_proto(
    thread: Thread, directory: Directory, posts: Sequence[thread_pb2.Post] = (), *, unread: int = 0
) -> thread_pb2.Thread:
    return thread_pb2.Thread(
        id=str(thread.id),
        etag=etag(thread.version),
        facility_id=str(thread.facility_id),
        patient_id=str(thread.patient_id),
        title=thread.title,
        priority=thread_pb2.Thread.Priority.Value(f"PRIORITY_{thread.priority}"),
        state=thread_pb2.Thread.State.Value(f"STATE_{thread.state}"),
        reason=thread.reason,
        answering_facility_id=str(thread.answering_facility_id),
        team_id=_id(thread.team_id),
        staff_id=_id(thread.staff_id),
        accountable_staff_id=str(thread.accountable_id),
        accountable_name=directory.name(thread.accountable_id),
        clock_time=to_timestamp(thread.clock_at),
        escalation_level=thread.escalation_level,
        start_time=to_timestamp(thread.started_at),
        last_post_time=to_timestamp(thread.last_post_at),
        unread_count=unread,
        posts=posts,
        loop_id=_id(thread.loop_id),
        labels=labels_to_proto(thread.labels),
    )


def post_to_proto(
    post: Post, directory: Directory, read_by: Iterable[UUID] = ()
) -> thread_pb2.Post:
    return thread_pb2.Post(
        id=str(post.id),
        staff_id=_id(post.staff_id),
        staff_name=directory.name(post.staff_id),
        facility_id=str(post.facility_id),
        text=post.text,
        time=to_timestamp(post.posted_at),
        read_by_ids=[str(each) for each in read_by],
        reply_id=_id(post.reply_id),
    )


def entry_to_proto(entry: Entry) -> telephone_pb2.TelephoneEntry:
    direction = "WRITTEN" if entry.is_written else "RECEIVED"
    return telephone_pb2.TelephoneEntry(
        id=str(entry.id),
        patient_id=str(entry.patient_id),
        phone=entry.phone,
        direction=telephone_pb2.TelephoneEntry.Direction.Value(f"DIRECTION_{direction}"),
        channel=entry.channel,
        text=entry.text,
        time=to_timestamp(entry.at),
    )


# In: requests.


def to_priority(value: "thread_pb2.Thread.Priority.ValueType") -> Priority:
    name = thread_pb2.Thread.Priority.Name(value).removeprefix("PRIORITY_")
    return Priority.ROUTINE if name == "UNSPECIFIED" else Priority(name)


def to_labels(sent: Iterable["access_pb2.Label.ValueType"]) -> tuple[str, ...]:
    names = {access_pb2.Label.Name(each).removeprefix("LABEL_") for each in sent}
    if "UNSPECIFIED" in names:
        raise InvalidArgument("LABEL_INVALID", "That is no label.", field="labels")
    plain = names - {"NORMAL"}
    return WITHHELD if "WITHHELD" in plain else tuple(sorted(plain)) or NORMAL


def to_consents(sent: Iterable[contact_pb2.ChannelConsent]) -> dict[str, str]:
    said: dict[str, str] = {}
    for each in sent:
        state = contact_pb2.ChannelConsent.State.Name(each.state).removeprefix("STATE_")
        if each.channel not in list(Channel) or state not in list(Consent):
            raise InvalidArgument(
                "CONSENT_UNREADABLE",
                "A consent names a channel and what was said.",
                field="contact.consents",
            )
        said[each.channel] = state
    return said


def to_words(field: str, value: str, most: int) -> str:
    """The words in a field, or INVALID_ARGUMENT if there are none, or too many."""
    words = value.strip()
    if not words or len(words) > most:
        raise InvalidArgument("WORDS_INVALID", f"Between 1 and {most:,} characters.", field=field)
    return words


def to_optional_id(field: str, value: str) -> UUID | None:
    return to_uuid(field, value) if value else None


# In: what neighbors tell.


def to_contact(told: patient_pb2.Patient, version: int) -> Contact:
    """How the record says that a patient is reached: the newest mobile or home number before others."""
    kinds = patient_pb2.Telecom.System
    phones = [
        t for t in told.telecoms if t.system == kinds.SYSTEM_PHONE and t.use not in _NEVER_USE
    ]
    phones.sort(key=lambda telecom: _BEST_USE.get(telecom.use, 3))
    emails = [t for t in told.telecoms if t.system == kinds.SYSTEM_EMAIL]
    return Contact(
        patient_id=to_id(told.id),
        told_version=version,
        facility_ids=tuple(sorted(map(to_id, told.facility_ids))),
        told_phone=phones[0].value if phones else "",
        told_email=emails[0].value if emails else "",
        told_language=told.language,
        is_deceased=told.is_deceased,
        merged_into_id=to_id(told.merged_into_id) if told.merged_into_id else None,
    )


def to_appointment(told: appointment_pb2.Appointment, version: int) -> Appointment:
    return Appointment(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        state=appointment_pb2.Appointment.State.Name(told.state).removeprefix("STATE_"),
        start_at=to_datetime(told.start_time),
        labels=_told_labels(told.labels),
    )


def to_transition(told: loop_pb2.Loop, version: int) -> Transition:
    return Transition(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        state=loop_pb2.Loop.State.Name(told.state).removeprefix("STATE_"),
        anchor_at=to_datetime(told.anchor_time) if told.HasField("anchor_time") else None,
        labels=_told_labels(told.labels),
    )


def to_wish(told: preferences_pb2.Preferences, version: int) -> Wish:
    """What messages need of preferences. Of what is not ordinary: that there was something."""
    kinds = preferences_pb2.Preferences.Telephone
    known = told.telephone in kinds.values()
    telephone = kinds.Name(told.telephone) if known else "UNSPECIFIED"
    wish = Wish(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        patient_id=to_id(told.patient_id),
        language=told.language,
        telephone=telephone.removeprefix("TELEPHONE_"),
        best_from=told.best_from,
        best_until=told.best_until,
        sleeps_from=told.sleeps_from,
        sleeps_until=told.sleeps_until,
        updated_at=to_datetime(told.update_time),
    )
    return wish if _told_labels(told.labels) == NORMAL else wish.dropped()


def to_facility(told: facility_pb2.Facility, version: int) -> Facility:
    return Facility(
        id=to_id(told.id),
        version=version,
        name=told.name,
        time_zone=told.time_zone,
        phone=told.phone,
        duty_team_id=to_id(told.duty_team_id) if told.duty_team_id else None,
    )


def to_team(told: team_pb2.Team, version: int) -> Team:
    return Team(
        id=to_id(told.id),
        version=version,
        facility_id=to_id(told.facility_id),
        name=told.name,
        lead_id=to_id(told.lead_id),
        member_ids=tuple(sorted(map(to_id, told.member_ids))),
    )


def to_staff(told: staff_pb2.StaffMember, version: int) -> Staff:
    return Staff(
        id=to_id(told.id),
        version=version,
        display_name=told.display_name,
        is_active=told.state == staff_pb2.StaffMember.STATE_ACTIVE,
        roles=tuple(
            HeldRole(
                role=held.role, facility_id=to_id(held.facility_id) if held.facility_id else None
            )
            for held in told.roles
        ),
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


def _told_labels(told: Iterable["access_pb2.Label.ValueType"]) -> tuple[str, ...]:
    """What was told; what only a later version knows, or nobody said, leaves its facility to nobody."""
    known = [n for n in told if n in access_pb2.Label.values() and n]
    names = {access_pb2.Label.Name(n).removeprefix("LABEL_") for n in known}
    if not names or len(known) != len(list(told)) or "WITHHELD" in names:
        return ("WITHHELD",)
    return tuple(sorted(names - {"NORMAL"})) or NORMAL


def _id(value: UUID | None) -> str:
    return str(value) if value else ""
