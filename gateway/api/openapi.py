"""OpenAPI 3.1 from the descriptor image: the contracts' comments are the documentation."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from gateway.api.accesses import OPENAPI as ACCESSES
from gateway.api.accesses import OPENAPI_PATH as ACCESSES_PATH
from gateway.api.binding import DEEPEST_PARAMETER
from gateway.api.image import Endpoint, Image, field_at
from gateway.api.ledgers import METHOD, ledgers_of
from gateway.api.ledgers import PATH as LEDGERS
from gateway.api.own_accesses import OPENAPI as OWN_ACCESSES
from gateway.api.own_accesses import OPENAPI_PATH as OWN_ACCESSES_PATH
from gateway.api.problems import TITLES, camel
from gateway.api.schemas import Schema, Schemas, is_required, schema_name
from gateway.api.stream import PATH as STREAM

SNAPSHOT = Path(__file__).with_name("openapi.json")
IMAGE = Path(__file__).parents[2] / "libs" / "contracts" / "contracts.binpb"

_ABOUT = """\
Every path is one RPC of the contracts in `protos/`; what is said here is said there.

- **JSON** is proto3 JSON: names in lowerCamelCase, instants in RFC 3339, 64-bit numbers as text. Fields are always
  present in answers, unless they hold a message that is not set. Unknown fields are refused.
- **Errors** are `application/problem+json`. Switch on `reason`, never on the words.
- **Versions**: answers carry `ETag`; send it back as `If-Match`, and a change by somebody else in between is 412.
- **Emergencies**: with the header `X-Purpose: EMERGENCY`, whoever has broken the glass sees that patient.
- **Retries**: send the same `Idempotency-Key` again and a change is made once.
- **Pages**: `pageSize` and `pageToken`; go on until `nextPageToken` is empty.
- **PATCH** changes the fields that the body names, unless `updateMask` says which.
- What may not be seen is **404**, as if it were not there.
"""
_CONDITION: Schema = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the version that you mean. If it is not the newest, nothing is changed: 412.",
    "schema": {"type": "string"},
}
_RETRY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 128 visible ASCII characters, your own for each change. Sent again, it is not done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_PROBLEM: Schema = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "/problems/ and the reason."},
        "title": {"type": "string", "description": "What kind of error, in a few words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What happened, for people. It may change."},
        "reason": {"type": "string", "description": "UPPER_SNAKE, for programs. It does not change."},
        "metadata": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What belongs to the reason, such as ids.",
        },
        "fieldViolations": {
            "type": "array",
            "description": "The fields of the request that are not right.",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "description": {"type": "string"}},
                "required": ["field", "description"],
            },
        },
        "requestId": {"type": "string", "format": "uuid", "description": "Quote it when you ask for help."},
    },
    "required": [
        "type", "title", "status", "detail", "reason", "metadata", "fieldViolations", "requestId"
    ],
}  # fmt: skip
# Paths that are no RPC and that programs use: this one, and the ledger of all services.
_STREAM: Schema = {
    "operationId": "Listen",
    "tags": ["stream"],
    "summary": "Tells what changes, as it does",
    "description": (
        "Server-sent events of what the caller may see: `task`, `loop`, `patient`, `encounter` and `feed`, each with "
        '`{"id", "patientId"}` (no `patientId` for a feed). `resync`: something may have been missed, so read '
        "everything again. The stream ends with the caller's right to it; open it anew. One per browser is enough."
    ),
    "parameters": [],
    "responses": {
        "200": {
            "description": "Events until one side ends it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    }
    | {str(n): {"$ref": f"#/components/responses/Problem{n}"} for n in (401, 429, 503)},
}
_ERRORS = (400, 401, 403, 404, 409, 412, 429, 503)


def document(image: Image) -> dict[str, Any]:
    """Return the OpenAPI document of all paths."""
    schemas = Schemas(image)
    paths: dict[str, dict[str, Any]] = {}
    names, ids = _names(image), operation_ids(image)
    for endpoint in image.endpoints:
        operation = _operation(endpoint, image, schemas, names[_shape(endpoint)])
        operation = {"operationId": ids[endpoint.method.full_name]} | operation
        path = path_of(endpoint, names[_shape(endpoint)])
        paths.setdefault(path, {})[endpoint.http_method.lower()] = operation
    paths[STREAM] = {"get": _STREAM}
    if ledgers := ledgers_of(image):
        ledger = next(iter(ledgers.values()))
        paths[LEDGERS] = {"get": _all_ledgers(ledger, image, schemas)}
        paths[ACCESSES_PATH] = {"get": ACCESSES}
        paths[OWN_ACCESSES_PATH] = {"get": OWN_ACCESSES}
    services = {one.method.containing_service.full_name for one in image.endpoints}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CareHub",
            "version": "1",
            "summary": "The open care-coordination hub of a regional health network.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": []}],
        "tags": [
            {"name": tag, "description": image.comment(name)}
            for tag, name in sorted({tag_of(name): name for name in _main_last(services)}.items())
        ]
        + [
            {"name": "audit", "description": "Who saw or changed what, in all services."},
            {"name": "stream", "description": "What changes, as it does."},
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted({**schemas.found, "Problem": _PROBLEM}.items())),
            "responses": {f"Problem{status}": _problem(status) for status in _ERRORS},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of the identity provider.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-carehub",
                    "description": "The session of a browser; begins at /signin. On this machine only: `carehub`.",
                },
            },
        },
    }


def _shape(endpoint: Endpoint) -> tuple[str, ...]:
    return (*endpoint.template.segments, endpoint.template.verb)


def _names(image: Image) -> dict[tuple[str, ...], list[str]]:
    """Return what the variables of a path are called: the same for every method that it has.

    The name of a plain field wins: `{staff_id}` of GET over `{staff_member.id}` of PATCH.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for endpoint in sorted(image.endpoints, key=lambda one: "." in one.template.text):
        names = [camel(one.field.replace(".", "_")) for one in endpoint.template.variables]
        found.setdefault(_shape(endpoint), names)
    return found


def path_of(endpoint: Endpoint, names: Sequence[str]) -> str:
    """Return a path as clients know it: `/v1/facilities/{facilityId}` for `{facility.id}`."""
    path = endpoint.template.text
    for variable, name in zip(endpoint.template.variables, names, strict=True):
        start = path.index("{" + variable.field)
        end = path.index("}", start) + 1
        path = path[:start] + "{" + name + "}" + path[end:]
    return path


def tag_of(service: str) -> str:
    """Return `registry` for carehub.registry.v1.RegistryService."""
    return service.split(".")[1]


def _main_last(services: Iterable[str]) -> list[str]:
    """Contracts of one service after another, the one that has its name behind those beside it: it is described."""
    return sorted(services, key=lambda name: name.endswith(f".{tag_of(name).capitalize()}Service"))


def operation_ids(image: Image) -> dict[str, str]:
    """Return what each RPC is called: by its name, and its service where several have one of that name."""
    methods = [one.method for one in image.endpoints]
    times = Counter(method.name for method in {one.full_name: one for one in methods}.values())

    def told(method: MethodDescriptor) -> str:
        service = tag_of(method.containing_service.full_name).capitalize()
        return method.name if times[method.name] == 1 else f"{method.name}Of{service}"

    return {method.full_name: told(method) for method in methods}


def _operation(
    endpoint: Endpoint, image: Image, schemas: Schemas, names: Sequence[str]
) -> dict[str, Any]:
    name = endpoint.method.full_name
    operation: dict[str, Any] = {
        "tags": [tag_of(endpoint.method.containing_service.full_name)],
        "summary": image.summary(name),
        "description": image.comment(name),
        "parameters": list(_parameters(endpoint, schemas, names)),
    }
    if endpoint.body:
        body = endpoint.resource or endpoint.request
        schema = schemas.reference(body) if endpoint.resource else _without_path(endpoint, schemas)
        operation["requestBody"] = {
            "required": bool(endpoint.resource or "required" in schema),
            "content": {"application/json": {"schema": schema}},
        }
    operation["responses"] = _responses(endpoint, schemas)
    if endpoint.access.is_anonymous:
        operation["security"] = []
    if endpoint.access.permission:
        operation["x-permission"] = endpoint.access.permission
    return operation


def _all_ledgers(one: Endpoint, image: Image, schemas: Schemas) -> dict[str, Any]:
    """What each service answers, asked of all of them."""
    operation = _operation(one, image, schemas, ())
    page = dict(schemas.found[schema_name(one.method.output_type)])
    page["properties"] = page["properties"] | {
        "unanswered": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The services that did not answer, whose rows are not in it.",
        }
    }
    page["required"] = [*page.get("required", ()), "unanswered"]
    operation["responses"]["200"]["content"]["application/json"]["schema"] = page
    words = {
        "operationId": METHOD,
        "tags": ["audit"],
        "summary": "Lists who saw or changed what in all services, the newest first",
        "description": "As each service answers: rows of the facilities where audit.read is held, and all of them for "
        "whoever holds it in the whole network. By `patientId` it says who has looked. Reading it is in it, too.",
    }
    return operation | words


def _without_path(endpoint: Endpoint, schemas: Schemas) -> Schema:
    """Return what the body holds where it is the whole request but for the path."""
    from_path = {variable.field for variable in endpoint.template.variables}
    fields = [field for field in endpoint.request.fields if field.name not in from_path]
    schema: Schema = {
        "type": "object",
        "properties": {field.json_name: schemas.of_field(field) for field in fields},
    }
    required = [field.json_name for field in fields if is_required(field)]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _parameters(endpoint: Endpoint, schemas: Schemas, names: Sequence[str]) -> Iterator[Schema]:
    from_path = {variable.field for variable in endpoint.template.variables}
    for variable, name in zip(endpoint.template.variables, names, strict=True):
        field = field_at(endpoint.request, variable.field)
        if field:
            yield _parameter(name, "path", field, schemas)
    if endpoint.body != "*":
        yield from _query(endpoint.request, "", from_path | {endpoint.body}, schemas)
    if not endpoint.is_safe:
        yield _RETRY
        if endpoint.etag_path:
            yield _CONDITION


def _query(
    message: Descriptor, prefix: str, without: set[str], schemas: Schemas
) -> Iterator[Schema]:
    """Yield the fields that a query can set: values, and values inside of messages."""
    if prefix.count(".") >= DEEPEST_PARAMETER:
        return
    for field in message.fields:
        if prefix + field.name in without:
            continue
        name = prefix + field.name
        inner = field.message_type
        if inner is None or "$ref" not in schemas.reference(inner):
            yield _parameter(camel(name), "query", field, schemas)
        elif not field.is_repeated:
            yield from _query(inner, f"{name}.", without, schemas)


def _parameter(name: str, place: str, field: FieldDescriptor, schemas: Schemas) -> Schema:
    schema = schemas.of_field(field)
    parameter: Schema = {"name": name, "in": place}
    if description := schema.pop("description", ""):
        parameter["description"] = description
    if place == "path" or is_required(field):
        parameter["required"] = True
    schema.pop("readOnly", None)
    return parameter | {"schema": schema}


def _responses(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    answer = endpoint.method.output_type
    fine: dict[str, Any] = {
        "description": "Done.",
        "content": {"application/json": {"schema": schemas.reference(answer)}},
    }
    if "etag" in answer.fields_by_name:
        fine["headers"] = {
            "ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}
        }
    errors = [status for status in _ERRORS if status != 412 or endpoint.etag_path]
    if endpoint.is_safe:
        errors = [status for status in errors if status not in {409, 412}]
    return {"200": fine} | {
        str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in errors
    }


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{TITLES[status]}.",
        "content": {"application/problem+json": {"schema": schema}},
    }


def snapshot() -> bytes:
    """Return the committed form of the document."""
    found = document(Image(IMAGE.read_bytes()))
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_openapi(to: Path = SNAPSHOT) -> bool:
    """Write the snapshot if it is another one; say whether it was."""
    text = snapshot()
    is_new = not to.exists() or to.read_bytes() != text
    if is_new:
        to.write_bytes(text)
    return is_new


if __name__ == "__main__":
    write_openapi()
