"""Threads of people are found by the loop that they are about, to be labeled as it is."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE INDEX threads_by_loop ON threads (loop_id) WHERE loop_id IS NOT NULL")
