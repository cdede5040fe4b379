"""Who is asking, and the call that a method works in."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from google.protobuf.message import Message

from libs.chassis.errors import Unauthenticated

if TYPE_CHECKING:
    from libs.chassis.database import Transaction

M = TypeVar("M", bound=Message)


class CallerKind(StrEnum):
    PERSON = "PERSON"
    SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """As what somebody asks, besides for their facilities: their teams, their organizations; and for which purposes."""

    teams: frozenset[UUID] = frozenset()
    organizations: frozenset[UUID] = frozenset()
    purposes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whom identity vouches for, for the next seconds.

    `roles` and `permissions` say at which facilities they are held; a role of the whole network lists every facility.
    A permission may be held with no facility: in a network that has none yet. `everywhere` names the permissions that
    are held in the network as a whole, and so also over what belongs to no facility. `acr` and `authenticated_at` are the
    provider's: how sure it is of them, and since when.
    """

    subject: UUID
    kind: CallerKind
    name: str
    roles: Mapping[str, frozenset[UUID]]
    permissions: Mapping[str, frozenset[UUID]]
    purpose: str
    everywhere: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    teams: frozenset[UUID] = frozenset()
    organization_of: Mapping[UUID, UUID] = field(default_factory=dict)
    acr: str = ""
    authenticated_at: datetime | None = None

    def at(self, facilities: frozenset[UUID]) -> Capacity:
        """As what they ask where they ask for these facilities: whose organizations they are then."""
        known = self.organization_of
        return Capacity(
            teams=self.teams,
            organizations=frozenset(known[f] for f in facilities if f in known),
            purposes=self.purposes or frozenset({self.purpose}),
        )


def as_service(name: str) -> Caller:
    """A service that asks for itself: no roles, no permissions, no facility. What it may call, contracts list by its name."""
    return Caller(
        subject=uuid5(NAMESPACE_OID, f"carehub-service/{name}"),
        kind=CallerKind.SERVICE,
        name=name,
        roles={},
        permissions={},
        purpose="OPERATIONS",
    )


class Own(Protocol):
    """The transactions of a method that opens them itself, since it asks a neighbor before its change."""

    def look(self) -> "AbstractAsyncContextManager[Transaction]":
        """One to read in what the neighbor has to be asked. What it holds, others may have changed by the next one."""

    async def change(self, work: "Callable[[Transaction], Awaitable[M]]") -> M:
        """The last one: the change, with its idempotency record and its audit row; its answer is the method's."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One request: its caller, its transaction, its end, and whom its answer tells about."""

    method: str
    request_id: str
    deadline: float
    facilities: frozenset[UUID] = frozenset()
    maybe_caller: Caller | None = None
    maybe_tx: "Transaction | None" = None
    maybe_own: Own | None = None
    shown: set[UUID] = field(default_factory=set)
    address: str = ""  # of the network, where the gateway told
    steps: "list[Callable[[], Awaitable[None]]]" = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        """The caller. Raises for an anonymous call: no caller is an error, never an empty answer."""
        if self.maybe_caller is None:
            raise Unauthenticated("CALLER_MISSING", "Sign in first.")
        return self.maybe_caller

    @property
    def tx(self) -> "Transaction":
        """The transaction that the contract declares."""
        if self.maybe_tx is None:
            raise RuntimeError(f"{self.method} declares no transaction")
        return self.maybe_tx

    @property
    def own(self) -> Own:
        """The transactions that the contract leaves to the method."""
        if self.maybe_own is None:
            raise RuntimeError(f"{self.method} does not open its transactions itself")
        return self.maybe_own

    @property
    def capacity(self) -> Capacity:
        """As what the caller asks."""
        return self.maybe_caller.at(self.facilities) if self.maybe_caller else Capacity()

    def afterwards(self, step: "Callable[[], Awaitable[None]]") -> None:
        """Have something done once this has committed and before it is answered, such as telling a neighbor.

        If it fails, or takes longer than there is to answer, the answer is given without: it has committed. And a crash
        forgets it: leave a timer as well for what must not be lost.
        """
        self.steps.append(step)

    def forget(self) -> None:
        """Begin anew: what it was about to show and to do was not committed."""
        self.shown.clear()
        self.steps.clear()

    def show(self, *patient_ids: UUID) -> None:
        """Note the patients whose data the answer holds; the audit row names them."""
        self.shown.update(patient_ids)
