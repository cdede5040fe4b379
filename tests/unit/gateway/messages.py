"""Random messages of any type, and the image of a contract that has everything."""

import tempfile
from pathlib import Path
from typing import Any

import google.api
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from hypothesis import strategies as st

from gateway.api.image import Image

HERE = Path(__file__).parent
GOOGLE = (Path(next(iter(google.api.__path__))).parents[1], Path(protoc.__file__).parent / "_proto")


def compiled() -> bytes:
    """The image of everything.proto, made as protos/generate.sh makes the real one."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "image"
        folders = (HERE, HERE.parents[2] / "protos", *GOOGLE)
        arguments = [f"-I{one}" for one in folders]
        arguments += ["--include_imports", "--include_source_info", f"--descriptor_set_out={to}"]
        assert protoc.main(["protoc", *arguments, "everything.proto"]) == 0
        return to.read_bytes()


EVERYTHING_IMAGE = compiled()
EVERYTHING = Image(EVERYTHING_IMAGE).pool.FindMessageTypeByName("tests.everything.Everything")

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
JSON = st.recursive(
    st.booleans() | TEXT | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
SMALL, UNSIGNED = st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1)
LARGE, LARGE_UNSIGNED = st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**64 - 1)
D = FieldDescriptor
SCALARS = {
    D.TYPE_INT32: SMALL,
    D.TYPE_SINT32: SMALL,
    D.TYPE_SFIXED32: SMALL,
    D.TYPE_UINT32: UNSIGNED,
    D.TYPE_FIXED32: UNSIGNED,
    D.TYPE_INT64: LARGE,
    D.TYPE_SINT64: LARGE,
    D.TYPE_SFIXED64: LARGE,
    D.TYPE_UINT64: LARGE_UNSIGNED,
    D.TYPE_FIXED64: LARGE_UNSIGNED,
    D.TYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    D.TYPE_FLOAT: st.floats(width=32, allow_nan=False, allow_infinity=False),
    D.TYPE_BOOL: st.booleans(),
    D.TYPE_BYTES: st.binary(max_size=6),
    D.TYPE_STRING: TEXT,
}
WELL_KNOWN = {
    "Timestamp": st.fixed_dictionaries(
        {
            "seconds": st.integers(-62135596800, 253402300799),
            "nanos": st.integers(0, 999_999_999) | st.sampled_from([0, 120_000_000, 7_000]),
        }
    ),
    "Duration": st.fixed_dictionaries({"seconds": st.integers(-(10**11), 10**11)}),
    "FieldMask": st.fixed_dictionaries(
        {
            "paths": st.lists(
                st.from_regex(r"[a-z]+(_[a-z]+)?(\.[a-z]+)?", fullmatch=True), max_size=3
            )
        }
    ),
    "Value": st.fixed_dictionaries({"string_value": TEXT}),
}


def fill(draw: Any, descriptor: Descriptor, depth: int = 0) -> Message:
    name = descriptor.full_name.removeprefix("google.protobuf.")
    if name in WELL_KNOWN:
        return GetMessageClass(descriptor)(**draw(WELL_KNOWN[name]))
    message: Any = GetMessageClass(descriptor)()
    if name == "Struct":
        message.update(draw(st.dictionaries(TEXT, JSON, max_size=2)))
        return message
    known = [one for one in descriptor.fields if depth < 2 or not one.message_type]
    some = st.lists(st.sampled_from(known), max_size=6 - 2 * depth, unique_by=lambda one: one.name)
    for field in draw(some) if known and depth < 3 else []:
        put(draw, message, field, depth)
    return message


def put(draw: Any, message: Any, field: FieldDescriptor, depth: int) -> None:
    """Give a field some value."""
    inner = field.message_type
    if inner and inner.GetOptions().map_entry:
        entry = fill(draw, inner, depth + 1)
        put(draw, entry, inner.fields_by_name["key"], depth)
        if inner.fields_by_name["value"].message_type:
            getattr(message, field.name)[entry.key].CopyFrom(entry.value)
        else:
            getattr(message, field.name)[entry.key] = entry.value
    elif field.is_repeated:
        getattr(message, field.name).extend(one_of(draw, field, depth) for _ in range(2))
    elif inner:
        getattr(message, field.name).CopyFrom(one_of(draw, field, depth))
    else:
        setattr(message, field.name, one_of(draw, field, depth))


def one_of(draw: Any, field: FieldDescriptor, depth: int) -> Any:
    if field.message_type:
        return fill(draw, field.message_type, depth + 1)
    if field.enum_type:
        return draw(st.sampled_from([value.number for value in field.enum_type.values]))
    return draw(SCALARS[field.type])


@st.composite
def messages(draw: Any, descriptor: Descriptor) -> Message:
    return fill(draw, descriptor)
