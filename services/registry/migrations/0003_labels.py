"""How sensitive a visit is, and the messages that say so."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, show

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE visit_messages
            ADD COLUMN provenance jsonb NOT NULL DEFAULT '{"is_part2_program": false, "sends_labels": false}',
            ADD COLUMN sent text[] NOT NULL DEFAULT '{}';
        ALTER TABLE visit_messages ALTER COLUMN provenance DROP DEFAULT, ALTER COLUMN sent DROP DEFAULT;
        -- Version 0 is older than any: what is here is labeled at the next start.
        ALTER TABLE encounters ADD COLUMN label_version integer NOT NULL DEFAULT 0;
        ALTER TABLE encounters ALTER COLUMN label_version DROP DEFAULT;
    """)
    add_labels("encounters")
    show("encounters", using=by_access("VISITS", labels="labels"))
