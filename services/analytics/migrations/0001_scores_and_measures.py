"""What neighbors told, the scores of stays, and the units of measures."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, open_to_service, protect, show

revision = "0001"
down_revision = None


def upgrade() -> None:
    _neighbors()
    _record()
    _computed()


def _neighbors() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            time_zone text NOT NULL
        );
        -- Ids alone: which record lives on in which.
        CREATE TABLE merges (
            retired_id uuid PRIMARY KEY,
            survivor_id uuid NOT NULL
        );
        CREATE INDEX merges_by_survivor ON merges (survivor_id);
    """)
    for table in ("facilities", "merges"):
        open_to_service(table, people="SELECT")


def _record() -> None:
    """What is computed from. Nobody reads it but the consumers."""
    op.execute("""
        CREATE TABLE visits (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            visit_class text NOT NULL,
            is_taken_back boolean NOT NULL,
            admitted_at timestamptz NOT NULL,
            discharged_at timestamptz,
            admission_type text NOT NULL,
            disposition text NOT NULL,
            diagnoses text[] NOT NULL,
            labels text[] NOT NULL
        );
        CREATE INDEX visits_by_patient ON visits (patient_id);
        CREATE INDEX visits_by_facility ON visits (facility_id);
        CREATE TABLE discharges (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            encounter_id uuid NOT NULL,
            discharged_at timestamptz,
            contact_due_at timestamptz,
            contacted_at timestamptz,
            contact_evidence_id uuid,
            close_reason text NOT NULL,
            closed_at timestamptz,
            labels text[] NOT NULL
        );
        CREATE INDEX discharges_by_patient ON discharges (patient_id);
        CREATE INDEX discharges_by_facility ON discharges (facility_id);
        CREATE TABLE referrals (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            sent_at timestamptz,
            ended_at timestamptz,
            is_completed boolean NOT NULL,
            state_reason text NOT NULL,
            labels text[] NOT NULL
        );
        CREATE INDEX referrals_by_patient ON referrals (patient_id);
        CREATE INDEX referrals_by_facility ON referrals (facility_id);
    """)
    for table in ("visits", "discharges", "referrals"):
        protect(table, using="false", check="false", people="")


def _computed() -> None:
    op.execute("""
        CREATE TABLE risks (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            encounter_id uuid NOT NULL,
            instrument text NOT NULL CHECK (instrument IN ('LACE', 'HOSPITAL')),
            variant text NOT NULL,
            score integer NOT NULL,
            band text NOT NULL CHECK (band IN ('LOW', 'MODERATE', 'HIGH')),
            is_partial boolean NOT NULL,
            terms jsonb NOT NULL,
            admitted_at timestamptz NOT NULL,
            computed_at timestamptz NOT NULL
        );
        CREATE INDEX risks_by_patient ON risks (patient_id, admitted_at, id);
        CREATE TABLE units (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            measure text NOT NULL,
            subject_id uuid NOT NULL,
            day date NOT NULL,
            status text NOT NULL CHECK (status IN ('MET', 'NOT_MET', 'PENDING', 'EXCLUDED')),
            reason text NOT NULL,
            settles_at timestamptz NOT NULL,
            evidence_id uuid
        );
        CREATE INDEX units_by_patient ON units (patient_id);
        CREATE INDEX units_by_measure ON units (facility_id, measure, day, id);
    """)
    # Ids alone: a score that comes again has a higher version than the one that went.
    op.execute("CREATE TABLE risk_tombstones (id uuid PRIMARY KEY, version bigint NOT NULL)")
    open_to_service("risk_tombstones", people="SELECT")
    for table in ("risks", "units"):
        add_labels(table)
        protect(table, people="SELECT", check="false")
        show(table, using=by_access("COORDINATION", labels="labels"), check="false")
