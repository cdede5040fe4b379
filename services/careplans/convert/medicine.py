"""Lists of medicines and their reconciliations."""

from collections.abc import Iterable

from carehub.careplans.v1 import reconciliation_pb2

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import etag, to_timestamp
from services.careplans.convert.words import id_to_proto, labels_to_proto
from services.careplans.domain.medicine import Medicine, check_medicines
from services.careplans.domain.reconciliation import (
    Decision,
    Line,
    MedicineList,
    Reconciliation,
    Side,
)

_REC, _LIST = reconciliation_pb2.Reconciliation, reconciliation_pb2.MedicineList


def reconciliation_to_proto(found: Reconciliation) -> reconciliation_pb2.Reconciliation:
    return _REC(
        id=str(found.id),
        etag=etag(found.version),
        facility_id=str(found.facility_id),
        patient_id=str(found.patient_id),
        encounter_id=str(found.encounter_id),
        state=_REC.State.Value(f"STATE_{found.state}"),
        lines=[_line(each) for each in found.lines],
        signed_by_id=id_to_proto(found.signed_by_id),
        sign_time=to_timestamp(found.signed_at),
        earlier_signatures=[
            _REC.Signature(signed_by_id=str(each.by_id), sign_time=to_timestamp(each.at))
            for each in found.earlier_signatures
        ],
        labels=labels_to_proto(found.labels),
        undecided_count=len(found.undecided),
        unanswered_count=len(found.unanswered),
    )


def told_to_others(found: Reconciliation) -> reconciliation_pb2.Reconciliation:
    """Without anything that names a medicine: which list it is on and what was decided, and no word of it."""
    told = reconciliation_to_proto(found)
    for line in told.lines:
        for side in ("before", "after"):
            if line.HasField(side):
                getattr(line, side).Clear()
                getattr(line, side).SetInParent()
        line.ClearField("note")
        line.ClearField("answer")
    return told


def _line(line: Line) -> reconciliation_pb2.Reconciliation.Line:
    return _REC.Line(
        id=str(line.id),
        before=medicine_to_proto(line.before) if line.before else None,
        after=medicine_to_proto(line.after) if line.after else None,
        decision=_decision(line.decision),
        note=line.note,
        ask_role=line.ask_role,
        ask_due_time=to_timestamp(line.ask_due_at),
        answer_time=to_timestamp(line.answered_at),
        difference=_REC.Difference.Value(f"DIFFERENCE_{line.difference}"),
        differing=line.differing,
        answer_decision=_decision(line.answer_decision),
        answer=line.answer,
    )


def _decision(decision: Decision | None) -> "reconciliation_pb2.Reconciliation.Decision.ValueType":
    return _REC.Decision.Value(f"DECISION_{decision or 'UNSPECIFIED'}")


def medicine_to_proto(medicine: Medicine) -> reconciliation_pb2.Reconciliation.Medicine:
    return _REC.Medicine(
        name=medicine.name,
        dose=medicine.dose,
        frequency=medicine.frequency,
        rxnorm=medicine.rxnorm,
    )


def list_to_proto(found: MedicineList) -> reconciliation_pb2.MedicineList:
    return _LIST(
        id=str(found.id),
        etag=etag(found.version),
        facility_id=str(found.facility_id),
        patient_id=str(found.patient_id),
        encounter_id=str(found.encounter_id),
        side=_LIST.Side.Value(f"SIDE_{found.side}"),
        source=found.source,
        medicines=[medicine_to_proto(each) for each in found.medicines],
        entered_by_id=str(found.entered_by_id),
        enter_time=to_timestamp(found.entered_at),
        labels=labels_to_proto(found.labels),
    )


def to_medicines(
    told: Iterable[reconciliation_pb2.Reconciliation.Medicine],
) -> tuple[Medicine, ...]:
    return check_medicines(
        [
            Medicine(name=m.name, dose=m.dose, frequency=m.frequency, rxnorm=m.rxnorm.strip())
            for m in told
        ]
    )


def to_side(value: "reconciliation_pb2.MedicineList.Side.ValueType") -> Side:
    name = _LIST.Side.Name(value).removeprefix("SIDE_") if value in _LIST.Side.values() else ""
    if name not in list(Side):
        raise InvalidArgument("SIDE_MISSING", "Say before or after the stay.", field="side")
    return Side(name)


def to_decision(
    value: "reconciliation_pb2.Reconciliation.Decision.ValueType",
) -> Decision | None:
    """What is decided; None takes it back."""
    if value not in _REC.Decision.values():
        raise InvalidArgument("DECISION_UNKNOWN", "Choose one of the four.", field="decision")
    name = _REC.Decision.Name(value).removeprefix("DECISION_")
    return None if name == "UNSPECIFIED" else Decision(name)


def to_answer(value: "reconciliation_pb2.Reconciliation.Decision.ValueType") -> Decision:
    decision = to_decision(value)
    if decision is None or decision is Decision.ASK:
        raise InvalidArgument(
            "ANSWER_MISSING", "Say what came of it: continue, change or stop.", field="decision"
        )
    return decision
