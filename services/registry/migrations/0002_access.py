"""Who sees a record, and who sees a visit: their own facilities, and whom identity lets."""

from libs.chassis.schema import by_access, show

revision = "0002"
down_revision = "0001"

HERE = "facility_ids && (SELECT caller_facilities())::uuid[]"


def upgrade() -> None:
    show(
        "patients",
        using=by_access("DEMOGRAPHICS", source="facility_ids", patient="id", is_shared=True),
        check=HERE,
    )
    # Seeing who somebody is no longer shows where they have been.
    show("encounters", using=by_access("VISITS"))
