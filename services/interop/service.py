"""InteropService. The contract, its paths and its permissions: protos/carehub/interop/v1."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from carehub.interop.v1 import feed_pb2, interop_service_pb2, message_pb2
from google.protobuf.message import Message as ProtoMessage

from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from libs.chassis.fields import apply_mask, check_etag, to_uuid
from libs.chassis.pages import decode_cursor, encode_cursor, id_in_token, page_size
from services.interop import convert, events, ingest
from services.interop.domain import hl7
from services.interop.domain.classify import Verdict, classify, classify_for
from services.interop.domain.feed import Feed, Sender
from services.interop.domain.message import NO_FEED, SET_ASIDE, Message, Refusal
from services.interop.domain.silence import Mute
from services.interop.domain.trial import explain
from services.interop.ingest import Arrival
from services.interop.store.feeds import AccountStore, FeedStore, sender_taken
from services.interop.store.messages import LAST_ID, MessageStore
from services.interop.store.refusals import RefusalStore
from services.interop.store.silences import SilenceStore

rpc = interop_service_pb2
_FIRST = ("", UUID(int=0))
_MOST_BYTES = 1024 * 1024
_MOST_REPLAYED = 100
_Row = Message | Refusal


class InteropService:
    """Each RPC: one transaction. The guard has authenticated the caller, checked the permission and opened it."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._now = now
        self._new_id = new_id

    async def GetFeed(self, request: rpc.GetFeedRequest, call: Call) -> feed_pb2.Feed:
        feed = await FeedStore(call.tx).get(to_uuid("feed_id", request.feed_id))
        return await self._with_figures(call, feed)

    async def ListFeeds(self, request: rpc.ListFeedsRequest, call: Call) -> rpc.ListFeedsResponse:
        most = page_size(request.page_size)
        cursor = decode_cursor(request.page_token, request)
        after = (str(cursor[0]), id_in_token(cursor[-1])) if cursor else _FIRST
        feeds = await FeedStore(call.tx).list_page(after, most + 1)
        page = feeds[:most]
        last = [page[-1].name, str(page[-1].id)] if len(feeds) > most else None
        return rpc.ListFeedsResponse(
            feeds=await show_feeds(call.tx, page, self._now()),
            next_page_token=encode_cursor(last, request) if last else "",
        )

    async def CreateFeed(self, request: rpc.CreateFeedRequest, call: Call) -> feed_pb2.Feed:
        id = to_uuid("feed.id", request.feed.id) if request.feed.id else self._new_id()
        feed = convert.feed_to_domain(request.feed, id=id, created_at=self._now())
        _check_within(call, feed)
        store = FeedStore(call.tx)
        if (existing := await store.find(id)) is not None:
            if replace(existing, created_at=feed.created_at, version=1) != feed:
                raise FailedPrecondition("FEED_EXISTS", "There is such a feed, and it differs.")
            return await self._with_figures(call, existing)
        if not await store.add(feed):
            raise sender_taken(feed)
        await events.feed_changed(call.tx, feed)
        return await self._with_figures(call, feed)

    async def UpdateFeed(self, request: rpc.UpdateFeedRequest, call: Call) -> feed_pb2.Feed:
        store = FeedStore(call.tx)
        feed = await store.get(to_uuid("feed.id", request.feed.id))
        check_etag(request.feed.etag, feed.version)
        wanted = convert.feed_to_proto(feed)
        apply_mask(wanted, request.feed, request.update_mask)
        changed = convert.feed_to_domain(
            wanted, id=feed.id, created_at=feed.created_at, version=feed.version + 1
        )
        changed = replace(changed, mute=feed.mute)
        _check_within(call, changed)
        await store.save(changed)
        await events.feed_changed(call.tx, changed)
        return await self._with_figures(call, changed)

    async def MuteFeed(self, request: rpc.MuteFeedRequest, call: Call) -> feed_pb2.Feed:
        store = FeedStore(call.tx)
        feed = await store.get(to_uuid("feed_id", request.feed_id))
        check_etag(request.etag, feed.version)
        changed = feed.with_mute(self._mute(request, call))
        await store.save(changed)
        await events.feed_changed(call.tx, changed)
        return await self._with_figures(call, changed)

    async def SendMessage(
        self, request: rpc.SendMessageRequest, call: Call
    ) -> rpc.SendMessageResponse:
        store = FeedStore(call.tx)
        sender = await store.sender(await store.get(to_uuid("feed_id", request.feed_id)))
        raw = _raw(request.message)
        arrival = self._arrival(raw, classify_for(sender, raw, self._now()))
        _check_reported(call, arrival.verdict)
        (receipt,) = await ingest.store(call.tx, [arrival])
        acknowledgement = receipt.acknowledgement(arrival, self._now())
        return rpc.SendMessageResponse(
            acknowledgement=acknowledgement.decode(errors="replace"),
            code=arrival.verdict.code.value,
            message_id=str(receipt.message_id or ""),
        )

    async def ListMessages(
        self, request: rpc.ListMessagesRequest, call: Call
    ) -> rpc.ListMessagesResponse:
        most = page_size(request.page_size)
        feed_id = to_uuid("feed_id", request.feed_id) if request.feed_id else None
        states = convert.to_message_states(request)
        before = _before(decode_cursor(request.page_token, request))
        found = await MessageStore(call.tx).list_states(
            call.facilities, feed_id, states, before, most + 1
        )
        page = found[:most]
        page = [
            message
            if _may_know_of_whom(call, message)
            else replace(message, patient_id=None, encounter_id=None)
            for message in page
        ]
        call.show(*(m.patient_id for m in page if m.patient_id))
        return rpc.ListMessagesResponse(
            messages=[convert.message_to_proto(message) for message in page],
            next_page_token=_next(page, found, request),
        )

    async def GetMessage(
        self, request: rpc.GetMessageRequest, call: Call
    ) -> message_pb2.FeedMessage:
        store = MessageStore(call.tx)
        message = await store.get(to_uuid("message_id", request.message_id))
        if message.patient_id:
            call.show(message.patient_id)
        feed = await FeedStore(call.tx).find(message.feed_id)
        answer = convert.message_to_proto(message)
        answer.raw = hl7.to_text(await store.raw(message.id), feed.quirks.charset if feed else "")
        return answer

    async def ReplayMessage(
        self, request: rpc.ReplayMessageRequest, call: Call
    ) -> message_pb2.FeedMessage:
        feeds, messages = FeedStore(call.tx), MessageStore(call.tx)
        message = await messages.get(to_uuid("message_id", request.message_id))
        message.check_replayable()
        sender = await feeds.sender(await feeds.get(message.feed_id))
        return convert.message_to_proto(await _replay(call, message, sender))

    async def ReplayMessages(
        self, request: rpc.ReplayMessagesRequest, call: Call
    ) -> rpc.ReplayMessagesResponse:
        most = page_size(request.page_size, most=_MOST_REPLAYED)
        cursor = decode_cursor(request.page_token, request)
        after = id_in_token(cursor[0]) if cursor else UUID(int=0)
        feeds, alike = FeedStore(call.tx), convert.to_alike(request)
        sender = await feeds.sender(await feeds.get(alike.feed_id))
        found = await MessageStore(call.tx).oldest_alike(call.facilities, alike, after, most + 1)
        page = found[:most]
        replayed = [await _replay(call, message, sender) for message in page]
        return rpc.ReplayMessagesResponse(
            replayed=len(page),
            went_through=sum(message.state not in SET_ASIDE for message in replayed),
            next_page_token=_next(page, found, request),
        )

    async def TryMessage(
        self, request: rpc.TryMessageRequest, call: Call
    ) -> rpc.TryMessageResponse:
        raw = _raw(request.message)
        verdict = await self._on_trial(request.feed_id, raw, call)
        return convert.trial_to_proto(verdict, explain(raw, verdict))

    async def ListRefusals(
        self, request: rpc.ListRefusalsRequest, call: Call
    ) -> rpc.ListRefusalsResponse:
        most = page_size(request.page_size)
        if request.feed_id:
            feed_id = (await FeedStore(call.tx).get(to_uuid("feed_id", request.feed_id))).id
        else:
            await _check_network_wide(call)
            feed_id = NO_FEED
        before = _before(decode_cursor(request.page_token, request))
        found = await RefusalStore(call.tx).list_page(feed_id, before, most + 1)
        page = found[:most]
        return rpc.ListRefusalsResponse(
            refusals=[convert.refusal_to_proto(refusal) for refusal in page],
            next_page_token=_next(page, found, request),
        )

    def _mute(self, request: rpc.MuteFeedRequest, call: Call) -> Mute | None:
        """The mute that is asked for; None where no time is left."""
        duration = convert.to_duration("duration", request.duration)
        if duration <= timedelta():
            return None
        caller = call.caller
        return Mute.ask(duration, request.reason, caller.subject, caller.name, self._now())

    async def _with_figures(self, call: Call, feed: Feed) -> feed_pb2.Feed:
        return (await show_feeds(call.tx, [feed], self._now()))[0]

    async def _on_trial(self, feed_id: str, raw: bytes, call: Call) -> Verdict:
        """The verdict on a message of a feed: the one named, else the one that MSH-4 names."""
        store = FeedStore(call.tx)
        now = self._now()
        if feed_id:
            sender = await store.sender(await store.get(to_uuid("feed_id", feed_id)))
            return classify_for(sender, raw, now)
        name = hl7.sending_facility(raw)
        feed = await store.find_by_sender(name) if name else None
        found = await store.sender(feed) if feed else None
        return classify(raw, _only(found), now)

    def _arrival(self, raw: bytes, verdict: Verdict) -> Arrival:
        return Arrival(id=self._new_id(), raw=raw, verdict=verdict, received_at=self._now())


async def show_feeds(tx: Transaction, feeds: Sequence[Feed], now: datetime) -> list[feed_pb2.Feed]:
    """Feeds with their figures, their hours, and what is known of a silence that lasts."""
    ids = [feed.id for feed in feeds]
    accounts, silences = AccountStore(tx), SilenceStore(tx)
    figures = await accounts.figures(ids, now)
    since, counts = await accounts.by_hour(ids, now)
    began, notices = await silences.began(ids), await silences.notices(ids)
    shown = []
    for feed in feeds:
        message = convert.feed_with_figures(feed, figures[feed.id], now)
        message.messages_by_hour.extend(counts[feed.id])
        message.hours_since_time.FromDatetime(since)
        if message.is_silent and feed.id in began:
            message.alarm_time.FromDatetime(began[feed.id])
            told = (convert.notice_to_proto(each) for each in notices if each.feed_id == feed.id)
            message.silence_notices.extend(told)
        shown.append(message)
    return shown


async def _replay(call: Call, message: Message, sender: Sender) -> Message:
    """Read a message again as its feed reads today, and tell the record."""
    messages = MessageStore(call.tx)
    raw = await messages.raw(message.id)
    verdict = classify_for(sender, raw, message.received_at, is_stored=True)
    replayed = message.replayed(verdict)
    _check_reported(call, verdict)
    await messages.save_replay(replayed)
    if verdict.report is not None:
        await events.reported(call.tx, verdict.report, replayed)
    return replayed


def _only(sender: Sender | None) -> Callable[[str, str], Sender | None]:
    def find(facility: str, application: str) -> Sender | None:
        return sender if sender and sender.feed.is_of(facility, application) else None

    return find


def _raw(message: str) -> bytes:
    if not message:
        raise InvalidArgument("MESSAGE_MISSING", "message is required.", field="message")
    raw = hl7.encode(message)
    if len(raw) > _MOST_BYTES:
        raise InvalidArgument("MESSAGE_TOO_LONG", "A message has 1 MiB at most.", field="message")
    return raw


def _next(page: Sequence[_Row], found: Sequence[_Row], request: ProtoMessage) -> str:
    """The token of the page after this one; "" if there was no more to be found."""
    return encode_cursor([str(page[-1].id)], request) if len(found) > len(page) else ""


def _may_know_of_whom(call: Call, message: Message) -> bool:
    """Whether the caller may hear which patient a message was about: not everybody who looks after feeds may."""
    held = call.caller.permissions
    return any(message.facility_id in held.get(p, ()) for p in ("messages.read", "patients.read"))


def _before(cursor: list[str | int] | None) -> UUID:
    return id_in_token(cursor[0]) if cursor else LAST_ID


def _check_within(call: Call, feed: Feed) -> None:
    """A feed speaks for facilities of the caller's only."""
    if not {feed.facility_id, *feed.quirks.facilities.values()} <= call.facilities:
        raise PermissionDenied(
            "FACILITY_NOT_YOURS", "The feed would speak for a facility that is not yours."
        )


def _check_reported(call: Call, verdict: Verdict) -> None:
    """A message is stored with the facility that it is about, which may be another than the feed's."""
    if verdict.facility_id is not None and verdict.facility_id not in call.facilities:
        raise PermissionDenied(
            "FACILITY_NOT_YOURS", "The message is about a facility that is not yours."
        )


async def _check_network_wide(call: Call) -> None:
    """Senders that no feed knows belong to no facility: only who looks after all sees them."""
    known = {facility.id for facility in await FeedStore(call.tx).facilities()}
    if not known <= call.facilities:
        raise PermissionDenied(
            "NETWORK_WIDE_ONLY", "Ask for the refusals of a feed, or look after the whole network."
        )
