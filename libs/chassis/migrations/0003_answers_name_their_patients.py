"""A kept answer remembers whom it tells about, for the audit of its replay, and where it was allowed."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE idempotency
            ADD COLUMN patients uuid[] NOT NULL DEFAULT '{}',
            ADD COLUMN facilities uuid[] NOT NULL DEFAULT '{}'
    """)
