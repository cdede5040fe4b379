"""How sensitive a visit is, and what is done because of it."""

from libs.chassis.schema import add_labels, by_access, show

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    add_labels("encounters")
    for table in ("loops", "tasks"):
        add_labels(table)
        show(table, using=by_access("COORDINATION", labels="labels"))
