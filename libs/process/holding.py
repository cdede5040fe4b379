"""What every service does that holds data of patients: apply at once what identity decides, and hear of it in time.

Identity pushes what takes something away, and answers only when it is in force here. What it publishes comes by the
conveyor; where that stays away, identity is asked, so that a broker that is down costs nobody the view across facilities.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import holder_service_pb2, identity_events_pb2
from google.protobuf.message import Message
from sqlalchemy import ARRAY, Column, DateTime, MetaData, Table, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from libs.chassis import audit
from libs.chassis.access import (
    PatientAccess,
    end_bases,
    heartbeat,
    keep_beat,
    project_access,
    to_access,
)
from libs.chassis.caller import Call
from libs.chassis.database import Database, Transaction, param, sql
from libs.chassis.errors import InvalidArgument, Unavailable
from libs.chassis.faults import is_weather, rest
from libs.chassis.fields import to_datetime, to_uuid
from libs.chassis.tokens import CallerVerifier
from libs.chassis.wire import CallFailed
from libs.conveyor.inbox import Delivery, Unprocessable

if TYPE_CHECKING:
    import asyncio

    from libs.process.app import Runtime

log = logging.getLogger(__name__)

# Whose contract has this method holds data of patients.
APPLY = "ApplyAccess"
# Seconds: what is given may come a moment later, many at a time, at each of the holders. What is taken away comes by `ApplyAccess`.
ACCESS_GATHERS = 0.25
# Longer than any caller token lives.
REFUSED = timedelta(seconds=60)
_REREAD_SECONDS = 5.0
# Half of what makes grants show nothing (libs/chassis/schema.py): time enough to ask, and to ask again.
SILENCE = timedelta(seconds=15)
_LOOK_SECONDS = 2.0
_ASK_SECONDS = 5.0
_LIST = holder_service_pb2.DESCRIPTOR.services_by_name["HolderService"].methods_by_name[
    "ListAccess"
]

deactivated = Table(
    "deactivated",
    MetaData(),
    Column("person_id", Uuid, primary_key=True),
    Column("deactivated_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deactivated:
    person_id: UUID
    deactivated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    position: int
    is_fresh: bool


_at = param("at", type_=DateTime(timezone=True))
_left = insert(deactivated).from_select(
    ["person_id", "deactivated_at"], select(func.unnest(param("ids", type_=ARRAY(Uuid))), _at)
)
DEACTIVATE = sql(
    _left.on_conflict_do_update(
        index_elements=["person_id"], set_={"deactivated_at": _left.excluded.deactivated_at}
    )
)
FORGET = sql(delete(deactivated).where(deactivated.c.deactivated_at <= _at))
LATELY = sql(select(deactivated).where(deactivated.c.deactivated_at > _at), row=_Deactivated)
HEARD = sql(
    select(
        heartbeat.c.position,
        (heartbeat.c.beat_at > func.clock_timestamp() - SILENCE).label("is_fresh"),
    ),
    row=_Heard,
)


class Holding:
    """Applies what identity decides. Its methods declare no transaction: what they write is behind the system's door."""

    def __init__(self, database: Database, verifier: CallerVerifier) -> None:
        self._database = database
        self._verifier = verifier

    async def ApplyAccess(
        self, request: access_pb2.ApplyAccessRequest, call: Call
    ) -> access_pb2.ApplyAccessResponse:
        try:
            access = [to_access(one) for one in request.access]
        except ValueError as error:  # an id that is none
            raise InvalidArgument("ACCESS_UNKNOWN", "It cannot be read.", field="access") from error
        ended = [to_uuid("ended_basis_ids", text) for text in request.ended_basis_ids]
        left = [to_uuid("deactivated_ids", text) for text in request.deactivated_ids]
        async with self._database.system() as tx:
            await project_access(tx, access)
            await end_bases(tx, ended, tx.at)
            await deactivate(tx, left)
            call.show(*(one.patient_id for one in access))
            audit.record(tx, call, "")
        self._verifier.refuse(left, (tx.at + REFUSED).timestamp())
        return access_pb2.ApplyAccessResponse()


async def deactivate(tx: Transaction, people: Iterable[UUID]) -> None:
    """Have nobody of these answered any more by any process of this service."""
    if ids := sorted(people):
        await tx.run(FORGET, at=tx.at - REFUSED)
        await tx.run(DEACTIVATE, ids=ids, at=tx.at)


async def refuse_deactivated(
    database: Database, verifier: CallerVerifier, stopping: "asyncio.Event"
) -> None:
    """Tell the verifier, again and again, what another process of this service was told."""
    while not stopping.is_set():
        try:
            async with database.system() as tx:
                lately = await tx.fetch(LATELY, at=tx.at - REFUSED)
            for each in lately:
                verifier.refuse([each.person_id], (each.deactivated_at + REFUSED).timestamp())
        except Exception as error:
            if not is_weather(error):
                raise
        await rest(stopping, _REREAD_SECONDS)


async def follow_access(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Keep what identity tells: the changes, and that they were heard. One consumer hears all: no beat overtakes a change."""
    changes, beats, ended = list[PatientAccess](), list[tuple[datetime, int]](), list[UUID]()
    for delivery in deliveries:
        event: Message = delivery.event
        try:
            if isinstance(event, identity_events_pb2.AccessChanged):
                changes.append(to_access(event.access))
            elif isinstance(event, identity_events_pb2.AccessBeat):
                beats.append((to_datetime(event.beat_time), event.position))
            elif isinstance(event, identity_events_pb2.BasisEnded):
                ended.append(to_uuid("basis_id", event.basis_id))
        except (InvalidArgument, ValueError) as error:
            raise Unprocessable("ACCESS_UNREADABLE", "It cannot be read.") from error
    await project_access(tx, changes)
    await end_bases(tx, ended, tx.at)
    if beats:
        await keep_beat(tx, *max(beats))


async def keep_lease(runtime: "Runtime") -> None:
    """Ask identity for what the conveyor does not bring: a holder that hears nothing shows nothing by a grant."""
    while not runtime.stopping.is_set():
        try:
            await catch_up(runtime)
        except Exception as error:
            if not isinstance(error, CallFailed | Unavailable) and not is_weather(error):
                raise
            log.warning("identity was not asked", extra={"reason": type(error).__name__})
        await rest(runtime.stopping, _LOOK_SECONDS)


async def catch_up(runtime: "Runtime") -> None:
    """Unless identity was heard a moment ago, ask for all that was decided since."""
    async with runtime.database.system() as tx:
        heard = await tx.one_or_none(HEARD)
    if heard and heard.is_fresh:
        return None
    request = holder_service_pb2.ListAccessRequest(after_position=heard.position if heard else 0)
    while True:
        token = runtime.caller_token()
        answer = cast(
            "holder_service_pb2.ListAccessResponse",
            await runtime.channels.call(_LIST, request, caller_token=token, timeout=_ASK_SECONDS),
        )
        async with runtime.database.system() as tx:
            await project_access(tx, map(to_access, answer.access))
            await end_bases(tx, map(UUID, answer.ended_basis_ids), tx.at)
            if not answer.next_page_token:
                return await keep_beat(tx, to_datetime(answer.beat_time), answer.position)
        request.page_token = answer.next_page_token
