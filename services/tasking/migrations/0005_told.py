"""What scheduling, messaging, referrals, careplans and analytics tell, and loops that are about it."""

from alembic import op

from libs.chassis.schema import add_labels, protect

revision = "0005"
down_revision = "0004"

_TABLES = {
    "appointments": """
        state text NOT NULL,
        purpose text NOT NULL,
        start_at timestamptz NOT NULL,
        arrived_at timestamptz,
        rebooked_from_id uuid""",
    "replies": """
        appointment_id uuid,
        loop_id uuid,
        meaning text NOT NULL,
        barrier text NOT NULL,
        at timestamptz NOT NULL""",
    "referrals": """
        need text NOT NULL,
        state text NOT NULL,
        appointment_id uuid,
        loop_id uuid,
        follows_id uuid,
        sent_at timestamptz,
        answer_due_at timestamptz,
        ended_at timestamptz""",
    "reconciliations": """
        encounter_id uuid NOT NULL,
        state text NOT NULL,
        signed_at timestamptz,
        signed_by_id uuid,
        lines jsonb NOT NULL""",
    "risks": """
        encounter_id uuid NOT NULL,
        instrument text NOT NULL,
        score integer NOT NULL,
        is_partial boolean NOT NULL""",
}


def upgrade() -> None:
    for name, columns in _TABLES.items():
        op.execute(f"""
            CREATE TABLE {name} (
                id uuid PRIMARY KEY,
                version bigint NOT NULL,
                patient_id uuid NOT NULL,
                facility_id uuid NOT NULL,
                told_at timestamptz NOT NULL,
                waits_for text NOT NULL CHECK (waits_for IN ('', 'planning', 'protocol', 'facility', 'owner')),
                {columns}
            );
            CREATE INDEX {name}_by_patient ON {name} (patient_id);
            CREATE INDEX {name}_waiting ON {name} (facility_id) WHERE waits_for <> '';
        """)
        add_labels(name)
        protect(name, using="false", check="false", people="")
    _loops()


def _loops() -> None:
    """A loop is about exactly one thing. The code before this knows two of them, and writes one."""
    op.execute("""
        ALTER TABLE loops
            ADD COLUMN appointment_id uuid,
            ADD COLUMN referral_id uuid,
            ADD COLUMN reply_id uuid,
            ADD COLUMN question_id uuid;
        DO $$
        DECLARE old text;
        BEGIN
            SELECT conname INTO STRICT old FROM pg_constraint
            WHERE conrelid = 'loops'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%num_nonnulls%';
            EXECUTE format('ALTER TABLE loops DROP CONSTRAINT %I', old);
        END $$;
        ALTER TABLE loops ADD CONSTRAINT loops_about_one_thing CHECK (
            num_nonnulls(encounter_id, break_glass_id, appointment_id, referral_id, reply_id, question_id) = 1);
    """)
