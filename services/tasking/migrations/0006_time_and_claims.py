"""Minutes worked, which are only ever added to; and what physicians say of transitions, for what could be billed."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, protect, show

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE time_entries (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            staff_id uuid NOT NULL,
            role_class text NOT NULL CHECK (role_class IN ('physician_npp', 'clinical_staff', 'auxiliary_chw', 'admin')),
            program text NOT NULL,
            start_at timestamptz NOT NULL,
            end_at timestamptz NOT NULL CHECK (end_at > start_at),
            activity text NOT NULL,
            is_face_to_face boolean NOT NULL,
            is_interactive boolean NOT NULL,
            task_id uuid,
            recorded_by_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            revision integer NOT NULL,
            -- An entry is replaced once, or never.
            replaces_id uuid UNIQUE,
            reason text NOT NULL,
            is_withdrawn boolean NOT NULL,
            CHECK (replaces_id IS NULL OR reason <> '')
        );
        CREATE INDEX time_entries_by_patient ON time_entries (patient_id, start_at DESC, id);
        CREATE INDEX time_entries_by_staff ON time_entries (staff_id, start_at DESC, id);
        CREATE TABLE decisions (
            loop_id uuid PRIMARY KEY REFERENCES loops,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            mdm text NOT NULL CHECK (mdm IN ('UNKNOWN', 'LOW', 'MODERATE', 'HIGH')),
            is_billed_elsewhere boolean NOT NULL,
            is_global_period boolean NOT NULL,
            staff_id uuid NOT NULL,
            said_at timestamptz NOT NULL
        );
        CREATE INDEX loops_by_anchor ON loops (facility_id, anchor_at DESC, id DESC) WHERE anchor_at IS NOT NULL;
    """)
    for table, people in (
        ("time_entries", "SELECT, INSERT"),
        ("decisions", "SELECT, INSERT, UPDATE"),
    ):
        add_labels(table)
        protect(table, people=people)
        show(table, using=by_access("BILLING", labels="labels"))
