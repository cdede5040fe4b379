"""Who sees patients, loops and tasks: their own facilities, and whom identity lets."""

from libs.chassis.schema import by_access, show

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    patients = by_access("DEMOGRAPHICS", source="facility_ids", patient="id", is_shared=True)
    show("patients", using=patients, check="false")
    for table in ("loops", "tasks"):
        show(table, using=by_access("COORDINATION"))
