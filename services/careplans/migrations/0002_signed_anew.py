"""When a patient left a stay whose medicines were compared, and the signatures from before that."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Of a stay told of before today nobody knows when it ended, until registry tells of it once more.
    op.execute("""
        ALTER TABLE reconciliations
            ADD COLUMN left_at timestamptz,
            ADD COLUMN earlier_signatures jsonb NOT NULL DEFAULT '[]';
    """)
