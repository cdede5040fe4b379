"""Binding: whatever a contract can say, from URL and body to message."""

import base64
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.app import build
from gateway.api.binding import Binder
from gateway.api.image import Image
from gateway.api.openapi import document
from gateway.api.problems import Problem
from tests.unit.gateway.doubles import PUBLIC_URL
from tests.unit.gateway.messages import EVERYTHING, EVERYTHING_IMAGE, messages

IMAGE = Image(EVERYTHING_IMAGE)
Everything = GetMessageClass(EVERYTHING)
LIST = next(one for one in IMAGE.endpoints if one.method.name == "List")


def parameters(message: Any, prefix: str, spell: str) -> list[tuple[str, str]]:
    """A message as the parameters of a query: every value that is not inside of a list or map."""
    found: list[tuple[str, str]] = []
    for field, value in message.ListFields():
        name = prefix + getattr(field, spell)
        inner = field.message_type
        if not inner:
            texts = value if field.is_repeated else [value]
            found += [(name, text_of(field, one)) for one in texts]
        elif inner.full_name in {
            "google.protobuf.Timestamp",
            "google.protobuf.Duration",
            "google.protobuf.FieldMask",
        }:
            found.append((name, value.ToJsonString()))
        elif not field.is_repeated and prefix.count(".") < 3:
            found += parameters(value, f"{name}.", spell)
    return found


def text_of(field: Any, value: Any) -> str:
    if field.enum_type:
        return field.enum_type.values_by_number[value].name
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


KEPT = {one.name for one in EVERYTHING.fields if not one.message_type} | {
    "instant",
    "span",
    "mask",
    "child",
}


def only_values(message: Any, depth: int = 0) -> Any:
    """The message without what a query cannot say."""
    kept = type(message)()
    for field, value in message.ListFields():
        if field.name not in KEPT:
            continue
        if field.name == "child":
            inner = only_values(value, depth + 1)
            if depth < 3 and inner.ListFields():
                kept.child.CopyFrom(inner)
        elif field.is_repeated:
            getattr(kept, field.name).extend(value)
        elif field.message_type:
            getattr(kept, field.name).CopyFrom(value)
        else:
            setattr(kept, field.name, value)
    return kept


@settings(max_examples=300, deadline=None)
@given(messages(EVERYTHING), st.sampled_from(["name", "json_name"]))
def test_a_query_brings_the_message_that_it_was_made_of(message, spell):
    wanted = only_values(message)
    query = urlencode(parameters(wanted, "", spell)).encode()
    if query.count(b"&") < 99:
        found = Binder(LIST).bind(["v1", "everything"], query, b"")
        assert drop_empty(found) == drop_empty(wanted)


def drop_empty(message: Any) -> Any:
    """An empty message inside, such as a mask without paths, may come back as set or not."""
    copy = type(message)()
    copy.CopyFrom(message)
    for name in ("mask", "instant", "span"):
        if not getattr(copy, name).ByteSize():
            copy.ClearField(name)
    if copy.HasField("child"):
        copy.child.CopyFrom(drop_empty(copy.child))
        if not copy.child.ByteSize():
            copy.ClearField("child")
    return copy


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1),
    st.integers(-(2**31), 2**31 - 1),
)
def test_a_path_brings_any_text(text, number):
    endpoint = IMAGE.endpoints[1]
    from gateway.api.paths import split_path

    raw = f"/v1/everything/{quote(text, safe='')}/of/{number}/COLOR_BLUE".encode()
    segments, verb = split_path(raw)
    found: Any = Binder(endpoint).bind(segments, b"", b"")
    assert verb == ""
    assert found == Everything(child={"id": text}, one_int32=number, color=2)


@settings(max_examples=100, deadline=None)
@given(messages(EVERYTHING))
def test_a_body_brings_the_message_that_it_was_made_of(message):
    put = next(one for one in IMAGE.endpoints if one.method.name == "Put")
    message.id = "e1"
    body = json_format.MessageToJson(message).encode()
    found: Any = Binder(put).bind(["v1", "everything", "e1"], b"isDryRun=true", body)
    assert found.everything == message
    assert found.is_dry_run


@pytest.mark.parametrize(
    "query",
    [
        b"oneBool=1",
        b"oneBool=True",
        b"oneInt32=1.5",
        b"oneInt32=0x10",
        b"oneInt32=%D9%A1",
        b"oneInt64=9223372036854775808",
        b"oneUint32=-1",
        b"oneDouble=nan",
        b"oneDouble=1e999",
        b"oneDouble=1_000",
        b"oneFloat=1e300",
        b"oneBytes=*",
        b"oneString=%ED%A0%80",
        b"oneString=%00",
        b"color=red",
        b"color=3",
        b"color=-1",
        b"manyBool=true&manyBool=x",
        b"child=x",
        b"children.id=x",
        b"words=x",
        b"words.a=x",
        b"words[a]=x",
        b"instants=2026-01-01T00:00:00Z",
        b"instant=2026-01-01",
        b"instant=2026-01-01T00:00:00",
        b"instant=2026-02-30T00:00:00Z",
        b"instant.seconds=1",
        b"span=5",
        b"span=99999999999999s",
        b"mask=a%20b,%00",
        b"child.child.child.child.child.id=x",
        b"child.=x",
        b".id=x",
        b"id.x=1",
    ],
)
def test_what_is_no_such_value_is_refused(query):
    with pytest.raises(Problem) as refused:
        Binder(LIST).bind(["v1", "everything"], query, b"")
    assert refused.value.status == 400


async def test_every_kind_of_path_and_method(neighbors, gateway_settings):
    for name in ("List", "Put", "Delete", "Knock"):
        neighbors.answers[name] = lambda request: getattr(request, "everything", request)
    app = build(neighbors, gateway_settings, EVERYTHING_IMAGE)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=PUBLIC_URL,
        headers={"Authorization": "Bearer good"},
    ) as client:
        found = (await client.get("/v1/files/a/b%2Fc/d")).json()
        assert found["oneString"] == "a/b/c/d"
        found = (await client.get("/v1/shelves/1/books/2:read")).json()
        assert found["oneString"] == "shelves/1/books/2"
        found = (
            await client.get("/v1/everything/x/of/5/COLOR_RED?manyString=a&manyString=b")
        ).json()
        assert (found["child"]["id"], found["oneInt32"], found["color"]) == ("x", 5, "COLOR_RED")
        assert found["manyString"] == ["a", "b"]
        assert (await client.get("/v1/everything/x/of/many/COLOR_RED")).status_code == 400
        assert (await client.get("/v1/everything/x/of/5/1?child.id=y")).status_code == 400
        assert (await client.put("/v1/everything/7", json={"oneInt64": "5"})).json()["id"] == "7"
        assert (await client.delete("/v1/everything/7?oneBool=true")).json()["oneBool"] is True
        knocked = await client.request("KNOCK", "/v1/everything", headers={"Authorization": ""})
        assert knocked.status_code == 200
        assert neighbors.last("Knock").caller_token is None
        refused = await client.post("/v1/everything")
        assert refused.headers["allow"] == "GET, KNOCK, HEAD"


def test_its_document_is_whole():
    found = document(IMAGE)
    assert "/v1/everything/{childId}/of/{oneInt32}/{color}" in found["paths"]
    assert found["paths"]["/v1/everything"]["knock"]["security"] == []
    everything = found["components"]["schemas"]["tests.everything.Everything"]["properties"]
    assert everything["oneInt64"] == {"type": "string", "format": "int64"}
    assert everything["words"]["additionalProperties"] == {"type": "string"}
    assert everything["instant"]["format"] == "date-time"
