"""Random messages of any type, and one type that has a field of every kind."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf import struct_pb2, wrappers_pb2  # noqa: F401 in the pool for the file below
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

F = descriptor_pb2.FieldDescriptorProto
SCALARS = [
    F.TYPE_DOUBLE, F.TYPE_FLOAT, F.TYPE_INT64, F.TYPE_UINT64, F.TYPE_INT32, F.TYPE_FIXED64, F.TYPE_FIXED32, F.TYPE_BOOL,
    F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_UINT32, F.TYPE_SFIXED32, F.TYPE_SFIXED64, F.TYPE_SINT32, F.TYPE_SINT64,
]  # fmt: skip
GOOGLES = ["Timestamp", "Duration", "FieldMask", "Struct", "Value", "StringValue", "Int64Value", "BoolValue", "DoubleValue"]


def _everything() -> Descriptor:
    file = descriptor_pb2.FileDescriptorProto(
        name="tests/everything.proto",
        package="tests",
        syntax="proto3",
        dependency=[
            "google/protobuf/timestamp.proto",
            "google/protobuf/duration.proto",
            "google/protobuf/field_mask.proto",
            "google/protobuf/struct.proto",
            "google/protobuf/wrappers.proto",
        ],
    )
    color = file.enum_type.add(name="Color")
    for number, name in enumerate(("COLOR_UNSPECIFIED", "COLOR_RED", "COLOR_BLUE")):
        color.value.add(name=name, number=number)
    message = file.message_type.add(name="Everything")
    counter = iter(range(1, 500))

    def add(name: str, type_: int, label: int = F.LABEL_OPTIONAL, **more: Any) -> Any:
        return message.field.add(name=name, number=next(counter), type=type_, label=label, **more)

    for type_ in SCALARS:
        name = F.Type.Name(type_).removeprefix("TYPE_").lower()
        add(f"one_{name}", type_)
        add(f"many_{name}", type_, F.LABEL_REPEATED)
    for type_ in (F.TYPE_INT32, F.TYPE_STRING, F.TYPE_BOOL):
        name = f"maybe_{F.Type.Name(type_).removeprefix('TYPE_').lower()}"
        add(name, type_, proto3_optional=True)
    add("color", F.TYPE_ENUM, type_name=".tests.Color")
    add("colors", F.TYPE_ENUM, F.LABEL_REPEATED, type_name=".tests.Color")
    for name in GOOGLES:
        add(f"google_{name.lower()}", F.TYPE_MESSAGE, type_name=f".google.protobuf.{name}")
    add("instants", F.TYPE_MESSAGE, F.LABEL_REPEATED, type_name=".google.protobuf.Timestamp")
    add("child", F.TYPE_MESSAGE, type_name=".tests.Everything")
    add("children", F.TYPE_MESSAGE, F.LABEL_REPEATED, type_name=".tests.Everything")
    keys = (F.TYPE_STRING, F.TYPE_INT64, F.TYPE_BOOL, F.TYPE_INT32)
    for at, key in enumerate(keys):
        value = (F.TYPE_STRING, F.TYPE_MESSAGE, F.TYPE_ENUM, F.TYPE_BYTES)[at]
        entry = message.nested_type.add(name=f"Map{at}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=key, label=F.LABEL_OPTIONAL)
        type_name = {F.TYPE_MESSAGE: ".tests.Everything", F.TYPE_ENUM: ".tests.Color"}.get(value)
        entry.field.add(name="value", number=2, type=value, label=F.LABEL_OPTIONAL, type_name=type_name)
        add(f"map{at}", F.TYPE_MESSAGE, F.LABEL_REPEATED, type_name=f".tests.Everything.Map{at}Entry")
    message.oneof_decl.add(name="choice")
    add("this_one", F.TYPE_STRING, oneof_index=0)
    add("that_one", F.TYPE_MESSAGE, type_name=".tests.Everything", oneof_index=0)
    for field in message.field:
        if field.proto3_optional:
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.Default()
    try:
        return pool.FindMessageTypeByName("tests.Everything")
    except KeyError:
        pool.Add(file)
        return pool.FindMessageTypeByName("tests.Everything")


EVERYTHING = _everything()

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
INTEGERS = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1),
}
LIKE = {
    F.TYPE_SINT32: F.TYPE_INT32,
    F.TYPE_SFIXED32: F.TYPE_INT32,
    F.TYPE_FIXED32: F.TYPE_UINT32,
    F.TYPE_SINT64: F.TYPE_INT64,
    F.TYPE_SFIXED64: F.TYPE_INT64,
    F.TYPE_FIXED64: F.TYPE_UINT64,
}
JSON = st.recursive(
    st.booleans() | TEXT | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def values(draw: Any, field: FieldDescriptor, depth: int) -> Any:
    kind = LIKE.get(field.type, field.type)
    if kind in INTEGERS:
        return draw(st.integers(*INTEGERS[kind]))
    if kind == F.TYPE_DOUBLE:
        return draw(st.floats(allow_nan=False, allow_infinity=False))
    if kind == F.TYPE_FLOAT:
        return draw(st.floats(width=32, allow_nan=False, allow_infinity=False))
    if kind == F.TYPE_BOOL:
        return draw(st.booleans())
    if kind == F.TYPE_BYTES:
        return draw(st.binary(max_size=6))
    if kind == F.TYPE_ENUM:
        return draw(st.sampled_from([value.number for value in field.enum_type.values]))
    if kind == F.TYPE_MESSAGE:
        return fill(draw, field.message_type, depth + 1)
    return draw(TEXT)


def fill(draw: Any, descriptor: Descriptor, depth: int = 0) -> Message:
    name = descriptor.full_name.removeprefix("google.protobuf.")
    message: Any = GetMessageClass(descriptor)()
    if name == "Timestamp":
        return timestamp_pb2.Timestamp(
            seconds=draw(st.integers(-62135596800, 253402300799)), nanos=draw(st.integers(0, 999_999_999))
        )
    if name == "Duration":
        return duration_pb2.Duration(seconds=draw(st.integers(-10**11, 10**11)))
    if name == "FieldMask":
        paths = st.lists(st.from_regex(r"[a-z]+(_[a-z]+)?(\.[a-z]+)?", fullmatch=True), max_size=3)
        return field_mask_pb2.FieldMask(paths=draw(paths))
    if name == "Struct":
        message.update(draw(st.dictionaries(TEXT, JSON, max_size=2)))
        return message
    if name == "Value":
        message.string_value = draw(TEXT)
        return message
    known = [one for one in descriptor.fields if depth < 2 or not one.message_type]
    some = st.lists(st.sampled_from(known), max_size=6 - 2 * depth, unique_by=lambda one: one.name)
    for field in draw(some) if known and depth < 3 else []:
        entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
        if entry:
            key = values(draw, entry.fields_by_name["key"], depth)
            value = values(draw, entry.fields_by_name["value"], depth)
            if isinstance(value, Message):
                getattr(message, field.name)[key].CopyFrom(value)
            else:
                getattr(message, field.name)[key] = value
        elif field.is_repeated:
            getattr(message, field.name).extend(
                values(draw, field, depth) for _ in range(draw(st.integers(1, 2)))
            )
        elif field.message_type:
            getattr(message, field.name).CopyFrom(values(draw, field, depth))
        else:
            setattr(message, field.name, values(draw, field, depth))
    return message


@st.composite
def messages(draw: Any, descriptor: Descriptor) -> Message:
    return fill(draw, descriptor)
