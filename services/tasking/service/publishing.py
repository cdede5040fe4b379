"""The publication of a protocol by a person."""

from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from services.tasking.domain.protocol import parse_protocol
from services.tasking.domain.publication import PublishedProtocol, publish
from services.tasking.events import protocol_published
from services.tasking.store import ProtocolStore


async def publish_text(call: Call, text: str, wanted_key: str) -> PublishedProtocol:
    """The next version of the protocol in `text`; the newest one, if its text is the same."""
    key = parse_protocol(text).key
    if wanted_key and wanted_key != key:
        raise InvalidArgument(
            "PROTOCOL_KEY_DIFFERS", f"The text is of the protocol {key}.", field="protocol.id"
        )
    store = ProtocolStore(call.tx)
    await store.lock(key)
    newest = await store.find(key)
    published = publish(text, newest, by=call.caller.subject, at=call.tx.at)
    if published is not newest:
        await store.add(published)
        await protocol_published(call.tx, published)
    return published
