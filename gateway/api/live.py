"""What changes in the hub, as far as each connected caller may know of it: kinds and ids only."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.analytics.v1 import analytics_events_pb2
from carehub.careplans.v1 import careplans_events_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.messaging.v1 import messaging_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.scheduling.v1 import scheduling_events_pb2
from carehub.tasking.v1 import tasking_events_pb2
from google.protobuf.message import Message

from libs.chassis.caller import Caller
from libs.conveyor.listen import Heard, listen

MOST_WAITING = 500
LISTEN_AGAIN_AFTER = 1.0
SEES_PATIENTS, SEES_PLANS = "patients.read", "care_plans.read"
SEES_RISKS = "risks.read"

_log = logging.getLogger(__name__)
Listen: TypeAlias = Callable[[], AsyncIterator[Heard | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something changed: of which kind, which one, whose, and who may hear of it: perhaps only its own facility."""

    kind: str
    id: str
    permission: str
    facilities: frozenset[UUID]
    patient_id: str = ""
    is_kept_at_home: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id


# What needs the patient's word to be seen elsewhere: that something is there would be told by its change.
_KEPT_AT_HOME = frozenset(
    {access_pb2.LABEL_PART2, access_pb2.LABEL_COUNSELING_NOTES, access_pb2.LABEL_WITHHELD}
)


def _is_kept_at_home(row: Any) -> bool:
    return not _KEPT_AT_HOME.isdisjoint(row.labels)


def _at(*ids: str) -> frozenset[UUID]:
    return frozenset(UUID(id) for id in ids)


def _of_task(event: Any) -> Change:
    task = event.task
    return Change(
        kind="task",
        id=task.id,
        permission="tasks.read",
        facilities=_at(task.facility_id),
        patient_id=task.patient_id,
        is_kept_at_home=_is_kept_at_home(task),
    )


def _of_loop(event: Any) -> Change:
    loop = event.loop
    return Change(
        kind="loop",
        id=loop.id,
        permission="tasks.read",
        facilities=_at(loop.facility_id),
        patient_id=loop.patient_id,
        is_kept_at_home=_is_kept_at_home(loop),
    )


def _of_risk(event: Any) -> Change:
    return _about(event.risk, "risk", SEES_RISKS)


def _of_plan(event: Any) -> Change:
    return _about(event.care_plan, "care_plan")


def _of_reconciliation(event: Any) -> Change:
    return _about(event.reconciliation, "reconciliation")


def _of_preferences(event: Any) -> Change:
    return _about(event.preferences, "preferences")


def _about(row: Any, kind: str, permission: str = SEES_PLANS) -> Change:
    return Change(
        kind=kind,
        id=row.id,
        permission=permission,
        facilities=_at(row.facility_id),
        patient_id=row.patient_id,
        is_kept_at_home=_is_kept_at_home(row),
    )


def _of_patient(event: Any) -> Change:
    patient = event.patient
    return Change(
        kind="patient",
        id=patient.id,
        permission=SEES_PATIENTS,
        facilities=_at(*patient.facility_ids),
        patient_id=patient.id,
    )


def _of_program(event: Any) -> Change:
    return Change(
        kind="patient",
        id=event.patient.id,
        permission=SEES_PATIENTS,
        facilities=_at(event.facility_id),
        patient_id=event.patient.id,
        is_kept_at_home=True,
    )


def _of_encounter(event: Any) -> Change:
    encounter = event.encounter
    return Change(
        kind="encounter",
        id=encounter.id,
        permission=SEES_PATIENTS,
        facilities=_at(encounter.facility_id),
        patient_id=encounter.patient_id,
        is_kept_at_home=_is_kept_at_home(encounter),
    )


def _of_result(event: Any) -> Change:
    return _about(event.observation, "observation", SEES_PATIENTS)


def _of_appointment(event: Any) -> Change:
    appointment = event.appointment
    return Change(
        kind="appointment",
        id=appointment.id,
        permission="appointments.read",
        facilities=_at(appointment.facility_id),
        patient_id=appointment.patient_id,
        is_kept_at_home=_is_kept_at_home(appointment),
    )


def _of_referral(event: Any) -> Change:
    referral = event.referral
    return Change(
        kind="referral",
        id=referral.id,
        permission="referrals.read",
        facilities=_at(referral.facility_id),
        patient_id=referral.patient_id,
        is_kept_at_home=_is_kept_at_home(referral),
    )


def _of_access(event: Any) -> Change:
    """Perhaps a patient of elsewhere came into sight. One who went out of it is no news for anybody who sees them no more."""
    access = event.access
    return Change(
        kind="patient",
        id=access.patient_id,
        permission=SEES_PATIENTS,
        facilities=_at(*(grant.grantee_id for grant in access.grants)),
        patient_id=access.patient_id,
    )


def _of_feed(event: Any) -> Change:
    feed = event.feed
    return Change(
        kind="feed", id=feed.id, permission="feeds.read", facilities=_at(feed.facility_id)
    )


def _of_report(event: Any) -> Change:
    return Change(
        kind="feed", id=event.feed_id, permission="feeds.read", facilities=_at(event.facility_id)
    )


def _of_thread(event: Any) -> Change:
    return Change(
        kind="thread",
        id=event.thread_id,
        permission="threads.read",
        facilities=_at(event.facility_id, event.answering_facility_id),
        patient_id=event.patient_id,
        is_kept_at_home=_is_kept_at_home(event),
    )


def _of_message(event: Any) -> Change:
    return Change(
        kind="message",
        id=event.message_id,
        permission="threads.read",
        facilities=_at(event.facility_id),
        patient_id=event.patient_id,
        is_kept_at_home=_is_kept_at_home(event),
    )


def _of_reply(event: Any) -> Change:
    return Change(
        kind="message",
        id=event.reply.message_id,
        permission="threads.read",
        facilities=_at(event.reply.facility_id),
        patient_id=event.reply.patient_id,
        is_kept_at_home=_is_kept_at_home(event),
    )


_READERS: Mapping[type[Message], Callable[[Any], Change | None]] = {
    analytics_events_pb2.RiskScored: _of_risk,
    tasking_events_pb2.TaskChanged: _of_task,
    tasking_events_pb2.LoopChanged: _of_loop,
    careplans_events_pb2.CarePlanChanged: _of_plan,
    careplans_events_pb2.ReconciliationChanged: _of_reconciliation,
    careplans_events_pb2.PreferencesChanged: _of_preferences,
    registry_events_pb2.PatientChanged: _of_patient,
    registry_events_pb2.ProgramRecordChanged: _of_program,
    registry_events_pb2.EncounterChanged: _of_encounter,
    registry_events_pb2.ResultReceived: _of_result,
    registry_events_pb2.ReportHandled: _of_report,
    scheduling_events_pb2.AppointmentChanged: _of_appointment,
    referrals_events_pb2.ReferralChanged: _of_referral,
    identity_events_pb2.AccessChanged: _of_access,
    interop_events_pb2.FeedChanged: _of_feed,
    messaging_events_pb2.ThreadChanged: _of_thread,
    messaging_events_pb2.MessageSent: _of_message,
    messaging_events_pb2.PatientMessageChanged: _of_message,
    messaging_events_pb2.ReplyReceived: _of_reply,
}


# What the gateway hears at the broker, and needs to be allowed there.
EVENTS = tuple(_READERS)


def change_of(event: Message) -> Change | None:
    """Return what an event changes; nothing if nobody waits for that, or it says too little."""
    read = _READERS.get(type(event))
    try:
        return read(event) if read else None
    except ValueError:  # an id that is none
        return None


class Subscriber:
    """What waits to be told to one connection, each thing once: `own` at once, `foreign` if identity agrees."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.own: dict[tuple[str, str], Change] = {}
        self.foreign: dict[tuple[str, str], Change] = {}
        self.has_missed = False
        self.news = asyncio.Event()

    def offer(self, change: Change) -> None:
        held = self.caller.permissions.get(change.permission)
        if held is None or self.has_missed:
            return
        if not held.isdisjoint(change.facilities):
            self.own[change.key] = change
        elif change.is_kept_at_home:
            return
        elif change.patient_id and SEES_PATIENTS in self.caller.permissions:
            self.foreign[change.key] = change
        else:
            return
        if len(self.own) + len(self.foreign) > MOST_WAITING:
            self.miss()
        self.news.set()

    def miss(self) -> None:
        """Forget what waits: the client has to look at everything again."""
        self.has_missed = True
        self.own.clear()
        self.foreign.clear()
        self.news.set()


class Live:
    """Hears what is published, once for all connections, from the first one on."""

    def __init__(self, listen: Listen) -> None:
        self._listen = listen
        self._subscribers: set[Subscriber] = set()
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    def at(cls, nats_url: str) -> "Live":
        return cls(lambda: listen(nats_url, "gateway", EVENTS))

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.add(subscriber)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._run(), name="gateway-live")

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with contextlib.aclosing(self._listen()) as heard:  # type: ignore[type-var]
                    async for one in heard:
                        self._pass_on(one)
            except Exception as error:  # noqa: BLE001 it outlives everything but its process
                _log.warning("listening again", extra={"reason": type(error).__name__})
            await asyncio.sleep(LISTEN_AGAIN_AFTER)

    def _pass_on(self, heard: Heard | None) -> None:
        if heard is None:
            for subscriber in self._subscribers:
                subscriber.miss()
        elif change := change_of(heard.event):
            for subscriber in self._subscribers:
                subscriber.offer(change)
