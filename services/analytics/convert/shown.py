"""Scores, measures and units as they are shown and told."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from carehub.access.v1 import access_pb2
from carehub.analytics.v1 import measure_pb2, risk_pb2
from google.protobuf.duration_pb2 import Duration
from google.type.date_pb2 import Date

from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_timestamp
from services.analytics.domain.labels import Labels
from services.analytics.domain.rate import Rate, Status, Times
from services.analytics.domain.record import MeasuredUnit, Risk
from services.analytics.domain.risk import Term


def risk_to_proto(risk: Risk) -> risk_pb2.RiskScore:
    return risk_pb2.RiskScore(
        id=str(risk.id),
        facility_id=str(risk.facility_id),
        patient_id=str(risk.patient_id),
        encounter_id=str(risk.encounter_id),
        instrument=risk.instrument,
        variant=risk.variant,
        score=risk.score,
        band=risk_pb2.RiskScore.Band.Value(f"BAND_{risk.band}"),
        is_partial=risk.is_partial,
        terms=[_term(each) for each in risk.terms],
        compute_time=to_timestamp(risk.computed_at),
        labels=_labels(risk.labels),
    )


def _term(term: Term) -> risk_pb2.RiskScore.Term:
    return risk_pb2.RiskScore.Term(
        key=term.key, finding=term.finding, points=term.points or 0, is_missing=term.is_missing
    )


def rate_to_proto(counts: Mapping[Status, int]) -> measure_pb2.Rate:
    met, missed = counts.get(Status.MET, 0), counts.get(Status.NOT_MET, 0)
    rate = Rate(numerator=met, denominator=met + missed)
    low, high = rate.range or (None, None)
    return measure_pb2.Rate(
        numerator=rate.numerator,
        denominator=rate.denominator,
        value=rate.value,
        low=low,
        high=high,
        pending=counts.get(Status.PENDING, 0),
        excluded=counts.get(Status.EXCLUDED, 0),
        is_small=rate.is_small,
    )


def measure_to_proto(
    key: str,
    told: Mapping[str, Any],
    version: str,
    months: Sequence[tuple[date, Mapping[Status, int]]],
    times: Times | None,
) -> measure_pb2.Measure:
    total: dict[Status, int] = {}
    for _, counts in months:
        for status, units in counts.items():
            total[status] = total.get(status, 0) + units
    return measure_pb2.Measure(
        key=key,
        title=told["title"],
        definition=told["definition"].strip(),
        version=version,
        source=told["source"],
        better=measure_pb2.Measure.Better.Value(f"BETTER_{told['better'].upper()}"),
        unit=told["unit"],
        rate=rate_to_proto(total),
        months=[
            measure_pb2.MonthlyRate(month=day_to_proto(month), rate=rate_to_proto(counts))
            for month, counts in months
        ],
        times=_times(times),
    )


def _times(times: Times | None) -> measure_pb2.Times | None:
    if times is None:
        return None
    return measure_pb2.Times(median=_duration(times.median), ninetieth=_duration(times.ninetieth))


def _duration(value: timedelta | None) -> Duration | None:
    if value is None:
        return None
    duration = Duration()
    duration.FromTimedelta(value)
    return duration


def unit_to_proto(unit: MeasuredUnit) -> measure_pb2.MeasureUnit:
    return measure_pb2.MeasureUnit(
        id=str(unit.id),
        measure=unit.measure,
        subject_id=str(unit.subject_id),
        patient_id=str(unit.patient_id),
        facility_id=str(unit.facility_id),
        date=day_to_proto(unit.day),
        status=measure_pb2.MeasureUnit.Status.Value(f"STATUS_{unit.status}"),
        reason=unit.reason,
        evidence_id=str(unit.evidence_id) if unit.evidence_id else "",
        settle_time=to_timestamp(unit.settles_at),
        took=_duration(unit.took),
    )


def to_status(value: "measure_pb2.MeasureUnit.Status.ValueType") -> str:
    """The word of a status; empty for any."""
    name = measure_pb2.MeasureUnit.Status.Name(value).removeprefix("STATUS_")
    return "" if name == "UNSPECIFIED" else name


def to_day(field: str, told: Date) -> date:
    try:
        return date(told.year, told.month, told.day)
    except ValueError:
        raise InvalidArgument("DAY_UNREADABLE", "There is no such day.", field=field) from None


def day_to_proto(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)


def _labels(labels: Labels) -> list["access_pb2.Label.ValueType"]:
    return [access_pb2.Label.Value(f"LABEL_{label}") for label in labels]
