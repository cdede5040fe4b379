"""Which backups were restored here, and where the ledger was cut: what is told since counts from then."""

from alembic import op

from libs.chassis.schema import open_to_service

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE restores (
            epoch bigint PRIMARY KEY CHECK (epoch > 0),
            set_id uuid NOT NULL,
            taken_at timestamptz NOT NULL,
            restored_at timestamptz NOT NULL,
            lift bigint NOT NULL,
            sequence bigint,
            chained bytea,
            key_id text,
            signature bytea
        )
    """)
    open_to_service("restores", people="SELECT")
