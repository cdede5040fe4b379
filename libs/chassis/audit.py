"""The ledger: who saw or changed what of whom, from where and with what outcome."""

from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, MetaData, Table, Text, Uuid, insert

from libs.chassis.caller import Call
from libs.chassis.database import Transaction, every_field, sql
from libs.chassis.ids import new_id

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
)

_RECORD = sql(insert(audit).values(every_field(audit)).inline())


def record(
    tx: Transaction, call: Call, resource: str, outcome: str = "OK", reason: str = ""
) -> None:
    """Have the row of this call written, with the last statements before COMMIT: no row, no data."""
    caller = call.maybe_caller
    patients: list[UUID] = sorted(call.shown)
    tx.defer(
        _RECORD,
        id=new_id(),
        at=tx.at,
        subject=caller.subject if caller else None,
        method=call.method,
        resource=resource,
        patients=patients,
        outcome=outcome,
        reason=reason,
        purpose=caller.purpose if caller else "",
        facilities=sorted(call.facilities),
        request_id=call.request_id,
    )
