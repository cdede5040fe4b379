"""What each service may say and hear at the broker, from what it publishes and what its consumers listen to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from carehub.audit.v1 import audit_pb2
from google.protobuf.message import Message

from libs.conveyor.inbox import ACK_WAIT, Consumer
from libs.conveyor.streams import (
    Conveyor,
    connect,
    ensure_consumer,
    ensure_stream,
    inbox_of,
    stream_of,
)
from libs.ledger import heads
from libs.process.app import App, HostSettings

HEAD = audit_pb2.AuditHeadSealed.DESCRIPTOR.full_name
_API = "$JS.API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The subjects of one user; what is not listed is refused."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()


def allowed(app: App) -> Allowed:
    """Its own events and the heads of its ledger; its own stream's state; and of others' streams its own consumers.

    Nobody makes streams or consumers: the broker can be told to publish in another's name by how they are made.
    """
    consumers = _consumers(app)
    streams = {_stream(consumer) for consumer in consumers} | {app.name, stream_of(HEAD)}
    asked = [f"{_API}.STREAM.INFO.{name}" for name in streams]
    emptied = [f"{_API}.STREAM.PURGE.{app.name}", f"{_API}.CONSUMER.LIST.{app.name}"]
    heard = [subject for consumer in consumers for subject in _of(consumer)]
    return Allowed(
        publish=(f"carehub.{app.name}.v1.*", HEAD, *sorted({*asked, *emptied, *heard})),
        subscribe=(f"{inbox_of(app.name)}.>",),
    )


# The broker's administrator, as whom streams and consumers are made.
EVERYTHING = Allowed(publish=(">",), subscribe=(">",))


def users_of(apps: Iterable[App], listeners: Mapping[str, Iterable[type[Message]]]) -> str:
    """The configuration of a server whose users are these services, who only listens, and the administrator."""
    users = {app.name: allowed(app) for app in apps}
    users |= {name: listening(name, events) for name, events in listeners.items()}
    return configuration({**users, "admin": EVERYTHING})


async def set_up_at(
    settings: HostSettings, apps: Iterable[App], say: Callable[[str], None]
) -> None:
    """Set up the broker that a process is told of, as the user whom its URL names, and say what there is now."""
    conveyor = await connect(
        settings.nats_url,
        "carehub-setup",
        replicas=settings.stream_replicas,
        max_bytes=settings.stream_bytes,
    )
    try:
        for name in await set_up(conveyor, apps):
            say(name)
    finally:
        await conveyor.close()


async def set_up(conveyor: Conveyor, apps: Iterable[App]) -> list[str]:
    """Make every stream and every consumer, or set them right; their names. For whoever administers the broker."""
    done = []
    for app in apps:
        await ensure_stream(conveyor, app.name)
        done.append(app.name)
        for consumer in _consumers(app):
            await ensure_consumer(conveyor, consumer.name, list(consumer.types), ACK_WAIT)
            done.append(f"{_stream(consumer)}.{consumer.name}")
    return done


def _consumers(app: App) -> tuple[Consumer, ...]:
    return (*app.consumers, heads.consumer(app.name))


def listening(name: str, events: Iterable[type[Message]]) -> Allowed:
    """For who only hears what is published, as the gateway does for the screens."""
    heard = sorted(event.DESCRIPTOR.full_name for event in events)
    return Allowed(subscribe=(*heard, f"{inbox_of(name)}.>"))


def _stream(consumer: Consumer) -> str:
    return stream_of(next(iter(consumer.types)))


def _of(consumer: Consumer) -> list[str]:
    name = f"{_stream(consumer)}.{consumer.name}"
    verbs = ("INFO", "MSG.NEXT")
    return [*(f"{_API}.CONSUMER.{verb}.{name}" for verb in verbs), f"$JS.ACK.{name}.>"]


def configuration(users: Mapping[str, Allowed]) -> str:
    """The block `authorization` of a NATS server. Passwords come from its environment: IDENTITY_NATS_PASSWORD …"""
    lines = ["authorization {", "  users: ["]
    for name, told in users.items():
        lines += [f"    {{ user: {name}, password: ${name.upper()}_NATS_PASSWORD, permissions: {{"]
        for verb, subjects in (("publish", told.publish), ("subscribe", told.subscribe)):
            lines += [f"      {verb}: {{"]
            # An empty list would allow everything.
            lines += [f"        {'allow' if subjects else 'deny'}: ["]
            lines += [f'          "{subject}"' for subject in subjects or (">",)]
            lines += ["        ]", "      }"]
        lines += ["    } }"]
    return "\n".join([*lines, "  ]", "}", ""])
