"""Why somebody may see a patient, between the domain and protobuf."""

from collections.abc import Collection
from uuid import UUID

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import access_service_pb2 as rpc

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_timestamp
from services.identity.domain.access.explain import Line
from services.identity.domain.access.terms import DataClass, Label, Purpose
from services.identity.domain.explaining import Answer, Asked, headline


def purpose_asked(request: rpc.ExplainAccessRequest) -> Purpose:
    if not request.purpose:
        return Purpose.TREATMENT
    return Purpose(word("purpose", "Purpose", request.purpose))


def classes_asked(request: rpc.ExplainAccessRequest) -> tuple[DataClass, ...]:
    if not request.data_class:
        return tuple(DataClass)
    return (DataClass(word("data_class", "DataClass", request.data_class)),)


def labels_asked(request: rpc.ExplainAccessRequest) -> frozenset[Label]:
    return frozenset(Label(word("labels", "Label", one)) for one in request.labels)


def explanation_to_proto(
    patient_id: UUID, asked: Asked, told: Collection[Answer]
) -> rpc.AccessExplanation:
    return rpc.AccessExplanation(
        headline=_line_to_proto(headline(told)),
        answers=map(_answer_to_proto, told),
        person_id=str(asked.person.id),
        patient_id=str(patient_id),
        purpose=access_pb2.Purpose.Value(f"PURPOSE_{asked.purpose}"),
        source_facility_id=str(asked.source_id),
        decide_time=to_timestamp(asked.at),
    )


def _answer_to_proto(answer: Answer) -> rpc.AccessAnswer:
    return rpc.AccessAnswer(
        data_classes=[
            access_pb2.DataClass.Value(f"DATA_CLASS_{one}") for one in answer.data_classes
        ],
        labels=[access_pb2.Label.Value(f"LABEL_{one}") for one in sorted(answer.labels)],
        is_allowed=answer.is_allowed,
        lines=map(_line_to_proto, answer.lines),
    )


def _line_to_proto(line: Line) -> rpc.AccessLine:
    return rpc.AccessLine(
        key=line.key,
        params=line.params,
        fact_id=str(line.fact_id or ""),
        sentence=line.sentence,
    )


def word(field: str, enum: str, number: int) -> str:
    """The word of the domain for a number that this version knows, and that says something."""
    known = access_pb2.DESCRIPTOR.enum_types_by_name[enum].values_by_number
    if number not in known or number == 0:
        raise InvalidArgument("WORD_UNKNOWN", f"{field} has a value unknown here.", field=field)
    prefix = known[0].name.removesuffix("UNSPECIFIED")
    return str(known[number].name.removeprefix(prefix))
