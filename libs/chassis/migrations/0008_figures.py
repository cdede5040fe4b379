"""What the metrics of a process show, beside its sign of life: for an operations page that asks no Prometheus."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE heartbeats ADD COLUMN figures jsonb NOT NULL DEFAULT '{}'")
