"""What is known of a feed that makes its messages sensitive."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # A process of the version before knows no such column: its feeds are ordinary ones.
    op.execute(
        """ALTER TABLE feeds ADD COLUMN provenance jsonb NOT NULL
            DEFAULT '{"is_part2_program": false, "sends_labels": false}'"""
    )
