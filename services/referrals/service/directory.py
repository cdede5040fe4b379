"""The directory: taking one over, giving it back, and finding who helps."""

import json
from collections.abc import Iterable
from uuid import UUID

from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.caller import Call
from libs.chassis.fields import to_datetime
from libs.chassis.pages import bad_token, decode_cursor, encode_cursor, page_size
from services.referrals.convert.directory import (
    match_to_proto,
    organization_to_proto,
    remark_to_proto,
)
from services.referrals.convert.referral import maybe_uuid, to_line, to_need
from services.referrals.deciding import search
from services.referrals.domain.directory import Organization, Service
from services.referrals.domain.hsds import Reading, counted, read
from services.referrals.domain.matching import Wanted
from services.referrals.domain.reading import organization_of, service_of
from services.referrals.events import save_services
from services.referrals.store import DirectoryStore

MOST_MATCHES = 50
_NOWHERE = UUID(int=0)


async def import_directory(
    request: rpc.ImportDirectoryRequest, call: Call
) -> rpc.ImportDirectoryResponse:
    reading, directory = read(request.json), DirectoryStore(call.tx)
    told = [organization_of(body) for body in reading.organizations.values()]
    is_dry = request.is_dry_run
    organizations_of = directory.organizations if is_dry else directory.hold_organizations
    known = await organizations_of(
        {one.id for one in told} | {UUID(s["organization_id"]) for s in reading.services.values()}
    )
    services = _of_known(reading, {*known, *(one.id for one in told)})
    services_of = directory.services if is_dry else directory.hold
    there = await services_of(each.id for each in services)
    organizations = [known[o.id].become(o) if o.id in known else o for o in told]
    after = [there[s.id].become(s) if s.id in there else s for s in services]
    new = [o for o in organizations if known.get(o.id) is not o]
    changed = [s for s in after if there.get(s.id) is not s]
    if not is_dry:
        await directory.save_organizations(new)
        await save_services(call.tx, *changed)
    created = sum(o.version == 1 for o in new) + sum(s.version == 1 for s in changed)
    return rpc.ImportDirectoryResponse(
        created=created,
        changed=len(new) + len(changed) - created,
        unchanged=len(organizations) + len(after) - len(new) - len(changed),
        refused=reading.refused,
        remarks=[remark_to_proto(remark, count) for remark, count in counted(reading.remarks)],
    )


def _of_known(reading: Reading, organizations: set[UUID]) -> list[Service]:
    """The services whose organization is known, or comes along."""
    found = []
    for body in reading.services.values():
        if UUID(body["organization_id"]) in organizations:
            found.append(service_of(body, reading))
        else:
            text = "Its organization is neither in this directory nor known."
            reading.refuse("service", body["id"], "organization", "ORGANIZATION_UNKNOWN", text)
    return found


async def export_directory(
    request: rpc.ExportDirectoryRequest, call: Call
) -> rpc.ExportDirectoryResponse:
    size = page_size(request.page_size, most=200)
    page, services, token = await _page(request, call, size)
    told = [
        {**one.body, "services": [_given_back(s) for s in services if s.organization_id == one.id]}
        for one in page
    ]
    return rpc.ExportDirectoryResponse(
        json=json.dumps(told, ensure_ascii=False), next_page_token=token
    )


def _given_back(service: Service) -> dict[str, object]:
    """As it came; whose it is, is said by where it stands."""
    return {name: value for name, value in service.body.items() if name != "organization_id"}


async def list_organizations(
    request: rpc.ListOrganizationsRequest, call: Call
) -> rpc.ListOrganizationsResponse:
    page, services, token = await _page(request, call, page_size(request.page_size))
    return rpc.ListOrganizationsResponse(
        organizations=[organization_to_proto(one, services) for one in page],
        next_page_token=token,
    )


async def _page(
    request: rpc.ListOrganizationsRequest | rpc.ExportDirectoryRequest, call: Call, size: int
) -> tuple[list[Organization], Iterable[Service], str]:
    """A page of organizations by name, and their services."""
    directory = DirectoryStore(call.tx)
    match decode_cursor(request.page_token, request):
        case None:
            name, id = "", _NOWHERE
        case [str(name), str(text)]:
            id = maybe_uuid("page_token", text) or _NOWHERE
        case _:
            raise bad_token()
    found = await directory.organizations_after(name, id, size + 1)
    page = found[:size]
    token = encode_cursor([page[-1].name, str(page[-1].id)], request) if found[size:] else ""
    return page, await directory.services_of(one.id for one in page), token


async def search_services(
    request: rpc.SearchServicesRequest, call: Call
) -> rpc.SearchServicesResponse:
    wanted = Wanted(
        need=to_need("need", request.need),
        postal_code=to_line("postal_code", request.postal_code, 10)[:5],
        county=to_line("county", request.county, 60),
        start_at=to_datetime(request.start_time) if request.HasField("start_time") else None,
        end_at=to_datetime(request.end_time) if request.HasField("end_time") else None,
        language=to_line("language", request.language, 8).lower()[:2],
        needs_wheelchair=request.needs_wheelchair,
        age=max(0, request.age),
    )
    facility_id = maybe_uuid("facility_id", request.facility_id) or _NOWHERE
    found = await search(call.tx, wanted, facility_id, MOST_MATCHES + 1)
    return rpc.SearchServicesResponse(
        matches=[match_to_proto(each, call.tx.at) for each in found[:MOST_MATCHES]],
        has_more=len(found) > MOST_MATCHES,
    )
