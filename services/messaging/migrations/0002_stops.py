"""What a STOP closed, so that a START of the same number gives back that and nothing else."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Of refusals that are there nobody knows where they came from: no START takes those back for others.
    op.execute("ALTER TABLE contacts ADD COLUMN stops jsonb NOT NULL DEFAULT '[]'")
