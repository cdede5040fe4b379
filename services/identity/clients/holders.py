"""Tells every service that holds data of patients what was decided, and hears that it is in force there."""

import asyncio
import importlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import carehub
from carehub.access.v1 import access_pb2
from google.protobuf.descriptor import MethodDescriptor

from libs.chassis.channels import Channels, NoAddress
from libs.chassis.contracts import ContractError
from libs.chassis.errors import DomainError
from libs.chassis.wire import CallFailed
from libs.process.holding import APPLY

log = logging.getLogger(__name__)

# So long whoever took something away waits for a holder that does not answer.
WITHIN_SECONDS = 1.0
_AGAIN_SECONDS = 0.05
_PASSES = frozenset({"UNAVAILABLE", "ABORTED"})
_AT_ONCE = 200


def holders() -> Mapping[str, MethodDescriptor]:
    """The services whose contract says that they apply access, and how they are told."""
    found = {
        method.full_name.split(".")[1]: method
        for module in _contracts()
        for service in importlib.import_module(module).DESCRIPTOR.services_by_name.values()
        if (method := service.methods_by_name.get(APPLY))
    }
    if not found:  # nobody to tell would look as if everybody had been told
        raise ContractError(f"no contract has {APPLY}: are all of them installed?")
    return found


def _contracts() -> Iterator[str]:
    for folder in carehub.__path__:
        for path in sorted(Path(folder).glob("*/v1/*_service_pb2.py")):
            yield f"carehub.{path.parent.parent.name}.v1.{path.stem}"


class Holders:
    """All of them; told at the same time, as identity itself."""

    def __init__(self, channels: Channels, caller_token: Callable[[], str]) -> None:
        self._channels = channels
        self._caller_token = caller_token
        self._methods = holders()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._methods)

    async def tell(
        self,
        access: Sequence[access_pb2.PatientAccess] = (),
        ended: Collection[UUID] = (),
        deactivated: Collection[UUID] = (),
        to: Collection[str] | None = None,
    ) -> frozenset[str]:
        """Tell them, again and again for a while; those at whom all of it is in force now."""
        told = sorted(self.names if to is None else to)
        requests = _requests(access, ended, deactivated)
        heard = await asyncio.gather(*(self._insist(name, requests) for name in told))
        return frozenset(name for name, is_heard in zip(told, heard, strict=True) if is_heard)

    async def _insist(self, holder: str, requests: Sequence[access_pb2.ApplyAccessRequest]) -> bool:
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                for request in requests:
                    await self._apply(holder, request)
        except (CallFailed, DomainError, TimeoutError) as error:
            log.warning(
                "a holder was not told", extra={"service": holder, "reason": type(error).__name__}
            )
            return False
        return True

    async def _apply(self, holder: str, request: access_pb2.ApplyAccessRequest) -> None:
        """Ask until it is done, or it is no use."""
        while True:
            try:
                await self._channels.call(
                    self._methods[holder],
                    request,
                    caller_token=self._caller_token(),
                    timeout=WITHIN_SECONDS,
                )
            except CallFailed as failure:
                if failure.code not in _PASSES or isinstance(failure, NoAddress):
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return


def _requests(
    access: Sequence[access_pb2.PatientAccess],
    ended: Collection[UUID],
    deactivated: Collection[UUID],
) -> list[access_pb2.ApplyAccessRequest]:
    """What ends by its name first: it concerns the most."""
    first = access_pb2.ApplyAccessRequest(
        ended_basis_ids=map(str, ended), deactivated_ids=map(str, deactivated)
    )
    others = [
        access_pb2.ApplyAccessRequest(access=access[i : i + _AT_ONCE])
        for i in range(0, len(access), _AT_ONCE)
    ]
    return [*([first] if ended or deactivated else []), *others]
