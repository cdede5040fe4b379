"""proto3 JSON: google's json_format is the oracle."""

import json

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.image import Image
from gateway.api.proto_json import Reading, TooMuch, form_of
from tests.unit.gateway.doubles import IMAGE
from tests.unit.gateway.messages import EVERYTHING, messages

CONTRACTS = sorted(
    {one.method.output_type.full_name for one in Image(IMAGE).endpoints}
    | {one.request.full_name for one in Image(IMAGE).endpoints}
)
TYPES = [EVERYTHING, *(Image(IMAGE).pool.FindMessageTypeByName(name) for name in CONTRACTS)]
ANY = st.sampled_from(TYPES).flatmap(messages)


def read(descriptor, value):
    message, reading = GetMessageClass(descriptor)(), Reading()
    form_of(descriptor).read(value, message, "", reading)
    return message, reading.violations


def violations(value) -> dict[str, str]:
    return {one.field: one.description for one in read(EVERYTHING, value)[1]}


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_it_writes_what_json_format_writes(message):
    ours = json.loads(orjson.dumps(form_of(message.DESCRIPTOR).write(message)))
    theirs = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    assert ours == json.loads(json.dumps(theirs))


@settings(max_examples=300, deadline=None)
@given(ANY, st.booleans())
def test_it_reads_what_json_format_writes(message, in_proto_names):
    value = json_format.MessageToDict(message, preserving_proto_field_name=in_proto_names)
    found, wrong = read(message.DESCRIPTOR, json.loads(json.dumps(value)))
    assert wrong == []
    assert found == message


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_what_it_writes_it_reads_again(message):
    written = json.loads(orjson.dumps(form_of(message.DESCRIPTOR).write(message)))
    found, wrong = read(message.DESCRIPTOR, written)
    assert wrong == []
    assert found == message


NAMES = st.sampled_from([field.json_name for field in EVERYTHING.fields] + ["nothing"])
SCRIBBLES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(
        [
            "NaN",
            "1e400",
            "-0",
            "2026-11-21T10:00:00Z",
            "9999-12-31T23:59:59-23:59",
            "1s",
            "\ud800",
            "\x00",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, SCRIBBLES, max_size=4))
def test_scribbles_are_refused_and_nothing_breaks(value):
    message, wrong = read(EVERYTHING, value)
    if not wrong:
        message.SerializeToString()
        form_of(EVERYTHING).write(message)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"oneInt32": 2**31}, "oneInt32"),
        ({"oneInt32": 1.5}, "oneInt32"),
        ({"oneInt32": True}, "oneInt32"),
        ({"oneUint32": -1}, "oneUint32"),
        ({"oneBool": 1}, "oneBool"),
        ({"oneBool": "true"}, "oneBool"),
        ({"oneString": 1}, "oneString"),
        ({"oneString": "a\x00b"}, "oneString"),
        ({"oneString": "\ud800"}, "oneString"),
        ({"oneDouble": "NaN"}, "oneDouble"),
        ({"oneFloat": 1e300}, "oneFloat"),
        ({"oneBytes": "*"}, "oneBytes"),
        ({"color": "COLOR_GREEN"}, "color"),
        ({"color": 9}, "color"),
        ({"colors": ["COLOR_RED", "x"]}, "colors[1]"),
        ({"manyString": "x"}, "manyString"),
        ({"manyString": [None]}, "manyString[0]"),
        ({"child": []}, "child"),
        ({"children": [{"child": {"color": []}}]}, "children[0].child.color"),
        ({"children": [None]}, "children[0]"),
        ({"words": {"k": 1}}, "words[k]"),
        ({"byNumber": {"k": {}}}, "byNumber[k]"),
        ({"byTruth": {"yes": 0}}, "byTruth[yes]"),
        ({"instant": "yesterday"}, "instant"),
        ({"instant": 5}, "instant"),
        ({"span": "1h"}, "span"),
        ({"struct": {"a": "\x00"}}, "struct"),
        ({"one_int32": 1, "oneInt32": 2}, "oneInt32"),
        ({"thisOne": "a", "thatOne": {}}, "thatOne"),
        ({"nothing": 1}, "nothing"),
        ({"child": {"nothing": 1}}, "child.nothing"),
        ({"[ext]": 1}, "[ext]"),
    ],
)
def test_what_is_wrong_is_named(value, field):
    assert list(violations(value)) == [field]


def test_null_leaves_a_field_as_it_is():
    message, wrong = read(EVERYTHING, {"oneString": None, "child": None, "manyString": None})
    assert wrong == []
    assert message == GetMessageClass(EVERYTHING)()


def test_only_so_much_is_read():
    deep: dict = {}
    for _ in range(100):
        deep = {"child": deep}
    wide = {"children": [{}] * 30_000}
    free = {"struct": {"a": [[[]] * 30_000]}}
    for value in (deep, wide, free):
        with pytest.raises(TooMuch):
            read(EVERYTHING, value)


def test_of_many_mistakes_some_are_named():
    assert len(violations({f"x{number}": 1 for number in range(100)})) == 20


def test_no_description_quotes_what_was_sent():
    told = violations(
        {
            "oneInt32": "Ejemplo",
            "instant": "Ejemplo",
            "color": "Ejemplo",
            "byNumber": {"1": "Ejemplo"},
        }
    )
    assert "Ejemplo" not in str(told)
