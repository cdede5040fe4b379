"""What people record about who may see a patient: consents, in every version; proxies, accounts, care teams, referrals,
holds; and agreements that can be changed and ended.
"""

from alembic import op

from libs.chassis.schema import BY_FACILITY, protect, service

revision = "0005"
down_revision = "0004"

# Where it was recorded, unless the patient refuses that very person, who would else find out, and take it back.
OF_FACILITY = f"""{BY_FACILITY} AND NOT EXISTS (
    SELECT 1 FROM denials d WHERE d.patient_id = survivor_of({{table}}.patient_id) AND d.weight = 3
    AND d.grantee_id = ANY ((SELECT caller_in_person())::uuid[]) AND (d.expires_at IS NULL OR d.expires_at > now()))"""  # noqa: S608 a policy


def upgrade() -> None:
    _merges()
    _consents()
    _agreements()
    _proxies()
    _care_team()
    _holds()


def _merges() -> None:
    """What was recorded about a record that was merged into another one is about that."""
    op.execute("""
        ALTER TABLE access_facts ADD COLUMN merged_into uuid;
        CREATE INDEX access_facts_by_survivor ON access_facts (merged_into) WHERE merged_into IS NOT NULL;
        CREATE FUNCTION survivor_of(retired uuid) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public, pg_temp AS $$
            WITH RECURSIVE led AS (
                SELECT retired AS id
                UNION SELECT f.merged_into FROM public.access_facts f JOIN led ON f.id = led.id
                    WHERE f.kind = 'PATIENT' AND f.merged_into IS NOT NULL)
            SELECT coalesce((SELECT led.id FROM led WHERE NOT EXISTS (SELECT FROM public.access_facts f
                WHERE f.kind = 'PATIENT' AND f.id = led.id AND f.merged_into IS NOT NULL) LIMIT 1), retired)
        $$;
        CREATE FUNCTION merged_into(survivors uuid[]) RETURNS TABLE (patient_id uuid, survivor_id uuid)
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            WITH RECURSIVE led AS (
                SELECT f.id, f.merged_into FROM public.access_facts f
                    WHERE f.kind = 'PATIENT' AND f.merged_into = ANY (survivors)
                UNION SELECT f.id, led.merged_into FROM public.access_facts f JOIN led ON f.merged_into = led.id
                    WHERE f.kind = 'PATIENT')
            SELECT led.id, led.merged_into FROM led
        $$;
    """)
    for function in ("survivor_of(uuid)", "merged_into(uuid[])"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {service()}, {service()}_system")


def _agreements() -> None:
    op.execute("""
        ALTER TABLE agreements
            ADD COLUMN title text NOT NULL DEFAULT '',
            ADD COLUMN ended_at timestamptz,
            ADD COLUMN roster bigint,
            ADD COLUMN patient_count integer NOT NULL DEFAULT 0,
            ADD COLUMN version bigint NOT NULL DEFAULT 1;
        UPDATE agreements SET title = 'Terms of the network' WHERE id = '0d9d2a51-3f6a-5b1e-8a53-6a1b0c7e4f21';
        CREATE TABLE agreement_patients (
            agreement_id uuid NOT NULL REFERENCES agreements,
            roster bigint NOT NULL,
            patient_id uuid NOT NULL,
            PRIMARY KEY (agreement_id, roster, patient_id)
        );
        CREATE INDEX agreement_patients_by_patient ON agreement_patients (patient_id);
    """)
    op.execute(f"GRANT INSERT, UPDATE ON agreements TO {service()}")
    # Who runs the network sees no patient: a list is written, and read by the decider.
    protect("agreement_patients", using="false", check="true", people="INSERT")


def _proxies() -> None:
    op.execute("""
        CREATE TABLE proxies (
            id uuid PRIMARY KEY,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            person_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('PARENT', 'GUARDIAN', 'ATTORNEY', 'CAREGIVER')),
            classes text[] NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz,
            evidence_id uuid,
            evidence_note text NOT NULL,
            is_barred boolean NOT NULL,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX proxies_by_patient ON proxies (patient_id, id);
        CREATE TABLE patient_accounts (
            patient_id uuid PRIMARY KEY,
            person_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL
        );
    """)
    protect("proxies", using=OF_FACILITY, people="SELECT, INSERT, UPDATE")
    protect("patient_accounts", using=OF_FACILITY, people="SELECT, INSERT, DELETE")


def _care_team() -> None:
    op.execute("""
        CREATE TABLE care_team (
            id uuid PRIMARY KEY,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            grantee_id uuid NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX care_team_by_patient ON care_team (patient_id, id);
        CREATE TABLE referral_facts (
            id uuid PRIMARY KEY,
            patient_id uuid NOT NULL,
            from_facility_id uuid NOT NULL,
            to_id uuid NOT NULL,
            classes text[] NOT NULL,
            sent_at timestamptz NOT NULL,
            ended_at timestamptz,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX referral_facts_by_patient ON referral_facts (patient_id, id);
    """)
    protect("care_team", using=OF_FACILITY, people="SELECT, INSERT, UPDATE")
    protect(
        "referral_facts",
        using=OF_FACILITY.replace("facility_id", "from_facility_id", 1),
        check=BY_FACILITY.replace("facility_id", "from_facility_id", 1),
        people="SELECT, INSERT, UPDATE",
    )


def _holds() -> None:
    op.execute("""
        CREATE TABLE holds (
            id uuid PRIMARY KEY,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            classes text[] NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL,
            exception text NOT NULL CHECK (exception IN ('PREVENTING_HARM', 'PRIVACY', 'SECURITY', 'INFEASIBILITY',
                'HEALTH_IT_PERFORMANCE', 'MANNER', 'FEES', 'LICENSING', 'TEFCA_MANNER', 'PROTECTING_CARE_ACCESS')),
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            version bigint NOT NULL
        );
        CREATE INDEX holds_by_patient ON holds (patient_id, id);
    """)
    protect("holds", using=OF_FACILITY, people="SELECT, INSERT, UPDATE")


def _consents() -> None:
    op.execute("""
        CREATE TABLE consents (
            id uuid NOT NULL,
            version bigint NOT NULL,
            patient_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            decision text NOT NULL CHECK (decision IN ('PERMIT', 'DENY')),
            recipients uuid[] NOT NULL,
            sources uuid[] NOT NULL,
            purposes text[] NOT NULL,
            labels text[] NOT NULL,
            classes text[] NOT NULL,
            given_at timestamptz NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz,
            withdrawn_at timestamptz,
            form text NOT NULL CHECK (form IN ('ELECTRONIC', 'VERBAL', 'PAPER')),
            evidence_id uuid,
            evidence_note text NOT NULL,
            given_by uuid,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid NOT NULL,
            PRIMARY KEY (id, version)
        );
        CREATE INDEX consents_by_patient ON consents (patient_id, id, version);
    """)
    # A version is never changed: what was allowed on a day can be told years later.
    protect("consents", using=OF_FACILITY, people="SELECT, INSERT")
