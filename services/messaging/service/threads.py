"""Threads: started, shown with who has read what, listed, taken up to be changed."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from carehub.messaging.v1 import messaging_service_pb2 as rpc
from carehub.messaging.v1 import thread_pb2

from libs.chassis.caller import Call
from libs.chassis.errors import FailedPrecondition, PermissionDenied
from libs.chassis.fields import check_etag, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.messaging.convert import (
    post_to_proto,
    thread_to_proto,
    to_labels,
    to_optional_id,
    to_priority,
    to_words,
)
from services.messaging.domain.directory import Directory
from services.messaging.domain.labels import inherit
from services.messaging.domain.thread import (
    MOST_TEXT,
    MOST_TITLE,
    Opened,
    Post,
    Thread,
    pause,
)
from services.messaging.events import start_thread
from services.messaging.service.contacts import contact_alone
from services.messaging.service.labels import labels_at, labels_of_loop
from services.messaging.service.patients import NEWEST
from services.messaging.store import DirectoryStore, ThreadFilter, ThreadStore

_NOT_AT_WORK = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})


async def start(request: rpc.StartThreadRequest, call: Call, new_id: Callable[[], UUID]) -> Thread:
    """A thread with its first words, in front of whoever answers."""
    asked = request.thread
    text = to_words("text", request.text, MOST_TEXT)
    facility_id = to_uuid("thread.facility_id", asked.facility_id)
    labels = await labels_at(call, facility_id, to_labels(asked.labels))
    # Whoever labels the loop anew holds this lock, too: the thread has its labels from before and is found, or from after.
    contact = await contact_alone(call, to_uuid("thread.patient_id", asked.patient_id))
    if facility_id not in call.facilities:
        raise PermissionDenied("ASKER_NOT_THERE", "Ask for a facility at which you may.")
    answering = to_optional_id("answering_facility_id", asked.answering_facility_id) or facility_id
    directory = await DirectoryStore(call.tx).at([answering])
    team_id = _team(directory, answering, to_optional_id("team_id", asked.team_id))
    ladder = directory.ladder(answering, team_id)
    if not ladder:
        raise FailedPrecondition("NOBODY_TO_ANSWER", "Nobody works there who could answer.")
    priority = to_priority(asked.priority)
    loop_id = to_optional_id("loop_id", asked.loop_id)
    thread = Thread(
        id=new_id(),
        facility_id=facility_id,
        patient_id=contact.patient_id,
        title=to_words("thread.title", asked.title, MOST_TITLE),
        priority=priority,
        reason=Opened.PEOPLE,
        answering_facility_id=answering,
        team_id=team_id,
        accountable_id=ladder[0],
        clock_at=call.tx.at + pause(priority, 0),
        started_at=call.tx.at,
        last_post_at=call.tx.at,
        loop_id=loop_id,
        labels=inherit((labels, await labels_of_loop(call, contact.patient_id, loop_id))),
    )
    first = Post(
        id=new_id(),
        thread_id=thread.id,
        facility_id=facility_id,
        staff_id=call.caller.subject,
        text=text,
        posted_at=call.tx.at,
    )
    await start_thread(call.tx, thread, first)
    return thread


def _team(directory: Directory, facility_id: UUID, team_id: UUID | None) -> UUID | None:
    """The team that is asked: the one named, if it is of that place, else the duty team."""
    if team_id is not None:
        team = directory.teams.get(team_id)
        if team is None or team.facility_id != facility_id:
            raise FailedPrecondition("TEAM_NOT_THERE", "That is no team of the facility asked.")
        return team_id
    facility = directory.facilities.get(facility_id)
    return facility.duty_team_id if facility else None


async def take_up(call: Call, thread_id: str, etag: str) -> Thread:
    """The thread, to be changed by somebody of the facility that asks or of the one that answers."""
    thread = await ThreadStore(call.tx).get(to_uuid("thread_id", thread_id))
    sides = {thread.facility_id, thread.answering_facility_id}
    if call.facilities.isdisjoint(sides) or call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied(
            "NOT_YOUR_THREAD", "Only people of the facilities of a thread can take or close it."
        )
    check_etag(etag, thread.version)
    return thread


async def post_of(
    request: rpc.PostMessageRequest, call: Call, thread: Thread, post_id: UUID
) -> tuple[Post, Directory]:
    """What the caller says, and for which facility they say it."""
    thread.must_be_open()
    if call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied("NOT_AT_WORK", "A thread is of those who care for the patient.")
    named = to_optional_id("facility_id", request.facility_id)
    post = Post(
        id=post_id,
        thread_id=thread.id,
        facility_id=_speaks_for(call, thread, named),
        staff_id=call.caller.subject,
        text=to_words("text", request.text, MOST_TEXT),
        posted_at=call.tx.at,
    )
    return post, await DirectoryStore(call.tx).named([call.caller.subject])


def _speaks_for(call: Call, thread: Thread, named: UUID | None) -> UUID:
    if named is not None and named in call.facilities:
        return named
    sides = (thread.answering_facility_id, thread.facility_id, *sorted(call.facilities))
    own = [facility for facility in sides if facility in call.facilities]
    if named is not None or not own:
        raise PermissionDenied("SPEAKER_NOT_THERE", "Speak for a facility at which you may.")
    return own[0]


async def show_thread(call: Call, thread: Thread) -> thread_pb2.Thread:
    """A thread with everything said, who has read it, and the note of whose it is."""
    call.show(thread.patient_id)
    store = ThreadStore(call.tx)
    posts = await store.posts([thread.id])
    read = {each.staff_id: each.read_at for each in await store.reads([thread.id])}
    people = {post.staff_id for post in posts if post.staff_id} | {thread.accountable_id}
    directory = await DirectoryStore(call.tx).named(people)
    shown = [
        post_to_proto(
            post,
            directory,
            sorted(
                who for who, at in read.items() if at >= post.posted_at and who != post.staff_id
            ),
        )
        for post in posts
    ]
    seen = read.get(call.caller.subject)
    unread = _unread(posts, call.caller.subject, seen)
    return thread_to_proto(thread, directory, shown, unread=unread)


def _unread(posts: Sequence[Post], who: UUID, seen: datetime | None) -> int:
    return sum(
        1 for post in posts if post.staff_id != who and (seen is None or post.posted_at > seen)
    )


async def list_threads(request: rpc.ListThreadsRequest, call: Call) -> rpc.ListThreadsResponse:
    """A page of threads, without what was said."""
    size = page_size(request.page_size)
    before_at, before_id = page_start(request.page_token, request, NEWEST)
    facility_id = to_optional_id("facility_id", request.facility_id)
    places = [facility_id] if facility_id else sorted(call.facilities)
    where = ThreadFilter(
        patient_id=to_optional_id("patient_id", request.patient_id),
        facility_ids=places,
        accountable_id=call.caller.subject if request.is_mine else None,
        before_at=before_at,
        before_id=before_id,
        limit=size + 1,
    )
    found = await ThreadStore(call.tx).page(where)
    page = found[:size]
    token = ""
    if len(found) > size:
        token = token_after(page[-1].started_at, page[-1].id, request)
    return rpc.ListThreadsResponse(threads=await _rows(call, page), next_page_token=token)


async def _rows(call: Call, threads: Sequence[Thread]) -> list[thread_pb2.Thread]:
    call.show(*(thread.patient_id for thread in threads))
    store, me = ThreadStore(call.tx), call.caller.subject
    ids = [thread.id for thread in threads]
    said = defaultdict[UUID, list[Post]](list)
    for post in await store.posts(ids):
        said[post.thread_id].append(post)
    seen = {each.thread_id: each.read_at for each in await store.reads(ids) if each.staff_id == me}
    directory = await DirectoryStore(call.tx).named(thread.accountable_id for thread in threads)
    return [
        thread_to_proto(each, directory, unread=_unread(said[each.id], me, seen.get(each.id)))
        for each in threads
    ]
