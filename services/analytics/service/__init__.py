"""AnalyticsService. The contract, its paths and its permissions: protos/carehub/analytics/v1."""

from carehub.analytics.v1 import analytics_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.errors import NotFound
from libs.chassis.fields import to_uuid
from libs.chassis.pages import encode_cursor, page_size, page_start, token_after
from services.analytics.convert.shown import risk_to_proto, to_status, unit_to_proto
from services.analytics.domain.measures import definitions
from services.analytics.service.measuring import measured, span_of, timed
from services.analytics.service.pages import before_day, first_place
from services.analytics.store import LAST, ComputedStore, RecordStore


class AnalyticsService:
    """Reads only: what is computed, consumers write. The guard does the rest."""

    async def ListRisks(self, request: rpc.ListRisksRequest, call: Call) -> rpc.ListRisksResponse:
        size = page_size(request.page_size)
        asked = to_uuid("patient_id", request.patient_id)
        patient_id = (await RecordStore(call.tx).survivors([asked]))[asked]
        before = page_start(request.page_token, request, LAST)
        found = await ComputedStore(call.tx).risk_page(patient_id, before, size + 1)
        page = found[:size]
        is_more = len(found) > size
        token = token_after(page[-1].admitted_at, page[-1].id, request) if is_more else ""
        call.show(*(each.patient_id for each in page))
        return rpc.ListRisksResponse(
            risks=[risk_to_proto(each) for each in page], next_page_token=token
        )

    async def ListMeasures(
        self, request: rpc.ListMeasuresRequest, call: Call
    ) -> rpc.ListMeasuresResponse:
        size, start = page_size(request.page_size), first_place(request.page_token, request)
        store, span = ComputedStore(call.tx), span_of(request, call)
        left = measured(await store.counts(span), await store.times(span, timed()))[start:]
        token = encode_cursor([start + size], request) if len(left) > size else ""
        return rpc.ListMeasuresResponse(measures=left[:size], next_page_token=token)

    async def ListMeasureUnits(
        self, request: rpc.ListMeasureUnitsRequest, call: Call
    ) -> rpc.ListMeasureUnitsResponse:
        if request.measure not in definitions():
            raise NotFound("MEASURE_NOT_FOUND", "There is no such measure.")
        size, status = page_size(request.page_size), to_status(request.status)
        before = before_day(request.page_token, request)
        found = await ComputedStore(call.tx).unit_page(
            span_of(request, call), request.measure, status, before, size + 1
        )
        page = found[:size]
        token = token_after(page[-1].day, page[-1].id, request) if len(found) > size else ""
        call.show(*(each.patient_id for each in page))
        units = [unit_to_proto(each) for each in page]
        return rpc.ListMeasureUnitsResponse(units=units, next_page_token=token)
