"""Patients, what leads to them, their visits, and what became of every report."""

from alembic import op

from libs.chassis.schema import protect, service

revision = "0001"
down_revision = None

# People see a record at the facilities that it is linked to, and what belongs to a record where they see the record.
HERE = "facility_ids && (SELECT caller_facilities())::uuid[]"
OF_A_PATIENT = "EXISTS (SELECT 1 FROM patients p WHERE p.id = {table}.patient_id)"
HERE_OR_OF_A_PATIENT = f"facility_id = ANY ((SELECT caller_facilities())::uuid[]) OR {OF_A_PATIENT}"


def upgrade() -> None:
    _patients()
    _search()
    _visits()


def _patients() -> None:
    op.execute("""
        CREATE TABLE patients (
            id uuid PRIMARY KEY,
            facts jsonb NOT NULL,
            facility_ids uuid[] NOT NULL CHECK (cardinality(facility_ids) > 0),
            state text NOT NULL CHECK (state IN ('ACTIVE', 'MERGED')),
            merged_into_id uuid REFERENCES patients DEFERRABLE INITIALLY DEFERRED,
            created_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CHECK ((state = 'MERGED') = (merged_into_id IS NOT NULL))
        );
        CREATE TABLE links (
            key uuid PRIMARY KEY,
            patient_id uuid NOT NULL REFERENCES patients,
            retired_into uuid
        );
        CREATE INDEX links_by_patient ON links (patient_id);
        CREATE TABLE descriptions (
            key uuid NOT NULL,
            patient_id uuid NOT NULL REFERENCES patients,
            PRIMARY KEY (key, patient_id)
        );
        CREATE INDEX descriptions_by_patient ON descriptions (patient_id);
        CREATE TABLE joins (
            retired_id uuid NOT NULL REFERENCES patients,
            survivor_id uuid NOT NULL REFERENCES patients,
            facility_id uuid NOT NULL,
            message_id uuid NOT NULL,
            reason text NOT NULL,
            merged_at timestamptz NOT NULL,
            PRIMARY KEY (retired_id, survivor_id)
        );
    """)
    protect("patients", using=HERE, check=HERE, people="SELECT, INSERT, UPDATE")
    protect("links", using=OF_A_PATIENT, check=OF_A_PATIENT, people="SELECT, INSERT")
    protect("descriptions", using=OF_A_PATIENT, check=OF_A_PATIENT)
    protect("joins", using="false", check="false", people="")


def _search() -> None:
    """One index answers every search: names, sounds, days, numbers, and the facilities that may see them.

    Row-level security lets no such comparison use an index, so a function of the owner's asks it, for the facilities
    it is given; what it answers are ids, and the policy on patients has the last word.
    """
    name = service()
    op.execute("""
        CREATE TABLE patient_search (
            patient_id uuid PRIMARY KEY REFERENCES patients,
            keys text[] NOT NULL,
            vector tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(keys)) STORED
        );
        CREATE INDEX patient_search_vector ON patient_search USING gin (vector)
            WITH (gin_pending_list_limit = 256);
    """)
    protect("patient_search", using=OF_A_PATIENT, check=OF_A_PATIENT)
    op.execute(f"CREATE POLICY searching ON patient_search FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION search_patients(asked text, facilities uuid[], most integer)
            RETURNS TABLE (patient_id uuid) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
            SELECT s.patient_id FROM public.patient_search s
            WHERE s.vector @@ (
                '(' || asked || ') & ('
                || (SELECT string_agg(quote_literal('f:' || f), ' | ') FROM unnest(facilities) f) || ')'
            )::tsquery
            LIMIT most
        $$;
        REVOKE ALL ON FUNCTION search_patients FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION search_patients TO {name}")


def _visits() -> None:
    op.execute("""
        CREATE TABLE visit_messages (
            message_id uuid PRIMARY KEY,
            stream_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL REFERENCES patients,
            trigger text NOT NULL,
            event_at timestamptz NOT NULL,
            message_at timestamptz NOT NULL,
            content_hash text NOT NULL,
            said jsonb NOT NULL
        );
        CREATE INDEX visit_messages_by_stream ON visit_messages (stream_id);
        CREATE TABLE encounters (
            id uuid PRIMARY KEY,
            stream_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL REFERENCES patients,
            visit_number text NOT NULL,
            encounter_class text CHECK (encounter_class IN ('INPATIENT', 'OUTPATIENT', 'EMERGENCY', 'PREADMIT',
                'OBSERVATION', 'RECURRING', 'PARTIAL', 'OTHER')),
            state text NOT NULL CHECK (state IN ('PLANNED', 'IN_PROGRESS', 'FINISHED', 'CANCELLED')),
            admit_at timestamptz,
            discharge_at timestamptz,
            discharge_disposition text NOT NULL,
            locations jsonb NOT NULL,
            diagnoses jsonb NOT NULL,
            attending text NOT NULL,
            admit_reason text NOT NULL,
            admission_type text NOT NULL,
            listed_at timestamptz NOT NULL,
            is_void boolean NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX encounters_by_patient ON encounters (patient_id, listed_at, id);
        CREATE INDEX encounters_by_stream ON encounters (stream_id);
        CREATE TABLE reports (
            message_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            feed_id text NOT NULL,
            facility_id uuid NOT NULL,
            trigger text NOT NULL,
            content_hash text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('APPLIED', 'NO_OP', 'PARKED')),
            reason text NOT NULL,
            patient_id uuid,
            encounter_id uuid,
            handled_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX reports_by_content ON reports (content_hash);
    """)
    protect("visit_messages", using="false", check="false", people="")
    protect("encounters", using=HERE_OR_OF_A_PATIENT, people="SELECT")
    protect("reports", using="false", check="false", people="")
