"""Results of laboratories, loops that are about critical ones, and who read back what they were told."""

from alembic import op

from libs.chassis.schema import add_labels, protect

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE results (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            told_at timestamptz NOT NULL,
            waits_for text NOT NULL CHECK (waits_for IN ('', 'planning', 'protocol', 'facility', 'owner')),
            state text NOT NULL,
            analyte text NOT NULL,
            criticality text NOT NULL,
            quantity double precision,
            verified_at timestamptz NOT NULL,
            critical_at timestamptz
        );
        CREATE INDEX results_by_patient ON results (patient_id) WHERE critical_at IS NOT NULL;
        CREATE INDEX results_of_patient ON results (patient_id);
        CREATE INDEX results_waiting ON results (facility_id) WHERE waits_for <> '';
    """)
    add_labels("results")
    protect("results", using="false", check="false", people="")
    op.execute("""
        ALTER TABLE tasks ADD COLUMN read_back jsonb;
        ALTER TABLE loops ADD COLUMN result_id uuid;
        ALTER TABLE loops DROP CONSTRAINT loops_about_one_thing;
        ALTER TABLE loops ADD CONSTRAINT loops_about_one_thing CHECK (
            num_nonnulls(encounter_id, break_glass_id, appointment_id, referral_id, reply_id, question_id, result_id) = 1);
    """)
