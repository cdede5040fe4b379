"""Emergency access as identity tells it, and loops that are about one."""

from alembic import op

from libs.chassis.schema import protect

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE glasses (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            opened_at timestamptz NOT NULL,
            is_part2_emergency boolean NOT NULL,
            uses_in_30_days integer NOT NULL,
            reviewed_at timestamptz,
            reviewed_by_id uuid,
            waits_for text NOT NULL CHECK (waits_for IN ('', 'planning', 'protocol', 'facility', 'owner'))
        );
        CREATE INDEX glasses_by_patient ON glasses (patient_id);
        CREATE INDEX glasses_waiting ON glasses (facility_id) WHERE waits_for <> '';
        ALTER TABLE loops ADD COLUMN break_glass_id uuid;
        -- A loop is about a visit or about an emergency. The code before this writes the one and not the other.
        ALTER TABLE loops ALTER COLUMN encounter_id DROP NOT NULL;
        ALTER TABLE loops ADD CHECK (num_nonnulls(encounter_id, break_glass_id) = 1);
        CREATE UNIQUE INDEX loops_by_break_glass ON loops (break_glass_id, protocol);
    """)
    protect("glasses", using="false", check="false", people="")
