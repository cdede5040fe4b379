"""The row that each request leaves in the ledger: who saw or changed what of whom, from where and with what outcome."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Column, DateTime, MetaData, Table, Text, Uuid, insert
from sqlalchemy.dialects.postgresql import ARRAY

from libs.chassis.caller import Call, Caller
from libs.chassis.database import Transaction, every_field, sql
from libs.chassis.errors import DomainError
from libs.chassis.ids import new_id

SIGNED_IN = "SIGNED_IN"

audit = Table(
    "audit",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("subject", Uuid),
    Column("method", Text),
    Column("resource", Text),
    Column("patients", ARRAY(Uuid)),
    Column("outcome", Text),
    Column("reason", Text),
    Column("purpose", Text),
    Column("facilities", ARRAY(Uuid)),
    Column("request_id", Text),
    Column("roles", ARRAY(Text)),
    Column("address", Text),
)

_RECORD = sql(insert(audit).values(every_field(audit)).inline())


def record(
    tx: Transaction, call: Call, resource: str, outcome: str = "OK", reason: str = ""
) -> None:
    """Have the row of this call written, with the last statements before COMMIT: no row, no data."""
    caller = call.maybe_caller
    _write(
        tx,
        call,
        subject=caller.subject if caller else None,
        resource=resource,
        outcome=outcome,
        reason=reason,
        purpose=caller.purpose if caller else "",
        facilities=sorted(call.facilities or _works_at(caller)),
        roles=sorted(caller.roles) if caller else [],
    )


def record_sign_in(
    tx: Transaction,
    call: Call,
    subject: UUID | None,
    roles: Mapping[str, frozenset[UUID]],
    refused: DomainError | None = None,
) -> None:
    """Have it written that somebody signed in, or was refused: nobody is the caller of that yet."""
    _write(
        tx,
        call,
        subject=subject,
        resource=str(subject or ""),
        outcome=refused.code if refused else "OK",
        reason=refused.reason if refused else SIGNED_IN,
        purpose="",
        facilities=sorted(frozenset[UUID]().union(*roles.values())),
        roles=sorted(roles),
    )


def _write(tx: Transaction, call: Call, **told: object) -> None:
    patients: list[UUID] = sorted(call.shown)
    tx.defer(
        _RECORD,
        id=new_id(),
        at=tx.at,
        method=call.method,
        patients=patients,
        request_id=call.request_id,
        address=call.address,
        **told,
    )


def _works_at(caller: Caller | None) -> Iterable[UUID]:
    """Where somebody who was refused everywhere has a role: there it is looked into."""
    return frozenset[UUID]().union(*caller.roles.values()) if caller else ()
