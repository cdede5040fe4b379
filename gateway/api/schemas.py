"""Messages of the contracts as JSON Schema, the dialect of OpenAPI 3.1."""

from collections.abc import Mapping
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.api.image import Image

Schema = dict[str, Any]

_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "required": ["@type"]},
    "google.protobuf.DoubleValue": {"type": ["number", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "null"]},
    "google.protobuf.Int64Value": {"type": ["string", "null"], "format": "int64"},
    "google.protobuf.UInt64Value": {"type": ["string", "null"], "format": "uint64"},
    "google.protobuf.Int32Value": {"type": ["integer", "null"], "format": "int32"},
    "google.protobuf.UInt32Value": {"type": ["integer", "null"], "format": "uint32"},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
}
_SMALL: Schema = {"type": "integer", "format": "int32"}
_LARGE: Schema = {"type": "string", "format": "int64"}
_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: _SMALL,
    FieldDescriptor.TYPE_SINT32: _SMALL,
    FieldDescriptor.TYPE_SFIXED32: _SMALL,
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "uint32", "minimum": 0},
    FieldDescriptor.TYPE_FIXED32: {"type": "integer", "format": "uint32", "minimum": 0},
    FieldDescriptor.TYPE_INT64: _LARGE,
    FieldDescriptor.TYPE_SINT64: _LARGE,
    FieldDescriptor.TYPE_SFIXED64: _LARGE,
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
    FieldDescriptor.TYPE_FIXED64: {"type": "string", "format": "uint64"},
}


class Schemas:
    """Collects the schemas of the messages that are asked for, and of all that these hold."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.found: dict[str, Schema] = {}

    def reference(self, message: Descriptor) -> Schema:
        """Return a reference to a message's schema, or the schema itself of google's small ones."""
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        name = schema_name(message)
        if name not in self.found:
            self.found[name] = {}  # a message may hold itself
            self.found[name] = self._object(message)
        return {"$ref": f"#/components/schemas/{name}"}

    def of_field(self, field: FieldDescriptor) -> Schema:
        """Return the schema of a field, with what its comment says."""
        entry = field.message_type if _is_map(field) else None
        if entry:
            values = self._of_one(entry.fields_by_name["value"])
            schema: Schema = {"type": "object", "additionalProperties": values}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._of_one(field)}
        else:
            schema = self._of_one(field)
        if comment := self._image.comment(field.full_name):
            values_of = f"\n\n{schema['description']}" if "description" in schema else ""
            schema["description"] = comment + values_of
        if field_behavior_pb2.OUTPUT_ONLY in behaviors(field):
            schema["readOnly"] = True
        return schema

    def _of_one(self, field: FieldDescriptor) -> Schema:
        if field.message_type:
            return self.reference(field.message_type)
        if field.enum_type:
            return self._enum(field.enum_type)
        return dict(_SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        lines = [
            f"- `{value.name}`: {self._image.comment(f'{enum.full_name}.{value.name}')}"
            for value in enum.values
        ]
        return {
            "type": "string",
            "enum": [value.name for value in enum.values],
            "description": "\n".join(lines),
        }

    def _object(self, message: Descriptor) -> Schema:
        schema: Schema = {"type": "object"}
        if comment := self._image.comment(message.full_name):
            schema["description"] = comment
        schema["properties"] = {field.json_name: self.of_field(field) for field in message.fields}
        required = [field.json_name for field in message.fields if is_required(field)]
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        return schema


def schema_name(message: Descriptor) -> str:
    """Return `registry.Patient` for carehub.registry.v1.Patient: short, and still one for each."""
    parts = [part for part in message.full_name.split(".") if part not in {"carehub", "v1"}]
    return ".".join(parts)


def behaviors(field: FieldDescriptor) -> list[int]:
    return list(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def is_required(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.REQUIRED in behaviors(field)


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
