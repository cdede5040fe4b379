"""Over which days and facilities something is measured, and the measures as they come out."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from carehub.analytics.v1 import analytics_service_pb2 as rpc
from carehub.analytics.v1 import measure_pb2

from libs.chassis.caller import Call
from libs.chassis.errors import InvalidArgument
from libs.chassis.fields import to_uuid
from services.analytics.convert.shown import measure_to_proto, to_day
from services.analytics.domain.instrument import read_instrument
from services.analytics.domain.measures import definitions
from services.analytics.domain.rate import Status, Times
from services.analytics.store import Count, Span, Took

TWO_YEARS, TEN_YEARS = timedelta(days=730), timedelta(days=3653)


def span_of(request: rpc.ListMeasuresRequest | rpc.ListMeasureUnitsRequest, call: Call) -> Span:
    """Two years up to today at all of the caller's facilities, unless the request says otherwise."""
    end = call.tx.at.date() + timedelta(days=1)  # it may be tomorrow already where a facility is
    if request.HasField("end_date"):
        end = to_day("end_date", request.end_date)
    start = max(end, date.min + TEN_YEARS) - TWO_YEARS
    if request.HasField("start_date"):
        start = to_day("start_date", request.start_date)
    if not timedelta() <= end - start <= TEN_YEARS:
        raise InvalidArgument(
            "SPAN_UNREADABLE", "Ask for at most ten years, first day first.", field="start_date"
        )
    places = set(call.facilities)
    if request.facility_id:
        places &= {to_uuid("facility_id", request.facility_id)}
    return Span(facility_ids=tuple(sorted(places)), start=start, end=end)


def timed() -> list[str]:
    """The measures that say how long it took, too."""
    return [key for key, told in definitions().items() if told.get("is_timed")]


def measured(counts: Iterable[Count], times: Iterable[Took]) -> list[measure_pb2.Measure]:
    """Every measure of the catalog, also one of which nothing is known."""
    found = defaultdict[str, dict[date, dict[Status, int]]](lambda: defaultdict(dict))
    for count in counts:
        found[count.measure][count.month][count.status] = count.units
    took = dict.fromkeys(timed(), Times())
    took |= {each.measure: Times(median=each.median, ninetieth=each.ninetieth) for each in times}
    version = str(read_instrument("measures-2026")["version"])
    return [
        measure_to_proto(key, told, version, sorted(found[key].items()), took.get(key))
        for key, told in definitions().items()
    ]
