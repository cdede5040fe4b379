"""A visit of which no beginning is told is kept, too: it does not count."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE seen ALTER COLUMN began_at DROP NOT NULL")
