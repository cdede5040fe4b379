"""Every RPC and every caller: who gets past the guard, over a wire with gRPC and through the gateway."""

from functools import partial

import pytest

from tests.component.spine.calling import IMAGE, calling, methods, path_of, until_answered
from tests.reference.callers import CALLERS, GROUPS, LET_THROUGH

OVER_GRPC, OVER_REST = 6_188, 3_536


@pytest.fixture
async def here(hub, servers):
    async with calling(hub, servers) as running:
        yield running


def test_every_rpc_has_expected_answers():
    """A new RPC is written down in tests/reference/callers.py before anybody may call it."""
    assert {path_of(method) for method in methods()} == set(LET_THROUGH)
    assert all(group <= set(CALLERS) for group in GROUPS.values())


@pytest.mark.timeout(600)
async def test_every_caller_of_every_rpc_over_grpc(here):
    wrong, cells = [], 0
    for method in methods():
        for caller in CALLERS:
            refused = await until_answered(partial(here.over_grpc, method, caller))
            cells += 1
            if bool(refused) is (caller in LET_THROUGH[path_of(method)]):
                wrong.append(f"{path_of(method)} by {caller}: {refused or 'let through'}")
    print(f"{cells:,} cells over gRPC")
    assert cells == OVER_GRPC
    assert wrong == []


@pytest.mark.timeout(600)
async def test_every_person_at_every_path_of_the_gateway(here):
    """Services never come this way: what is for them alone has no path."""
    wrong, cells = [], 0
    people = [caller for caller in CALLERS if not caller.startswith("service ")]
    for endpoint in IMAGE.endpoints:
        expected = LET_THROUGH[path_of(endpoint.method)]
        if not expected & set(people):
            wrong.append(f"{endpoint.template.text} leads to what only services may call")
        for caller in people:
            refused = await until_answered(partial(here.over_rest, endpoint, caller))
            cells += 1
            if bool(refused) is (caller in expected):
                wrong.append(
                    f"{endpoint.http_method} {endpoint.template.text} by {caller}: {refused or 'let through'}"
                )
    print(f"{cells:,} cells over REST")
    assert cells == OVER_REST
    assert wrong == []
