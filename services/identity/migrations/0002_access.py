"""Facts with their times, agreements, covered organizations; everybody's access is decided and told anew."""

from alembic import op

from libs.chassis.schema import open_to_service, service

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Of a visit told of before today nobody knows when it ended: it counts as over now, which its tail begins from.
    op.execute("""
        ALTER TABLE access_facts
            ADD COLUMN began_at timestamptz,
            ADD COLUMN ended_at timestamptz,
            ADD COLUMN born_on date;
        -- The owner is under the policies too, and shown no fact.
        ALTER TABLE access_facts NO FORCE ROW LEVEL SECURITY;
        UPDATE access_facts SET ended_at = now() WHERE kind = 'ENCOUNTER';
        ALTER TABLE access_facts FORCE ROW LEVEL SECURITY;
        DROP INDEX IF EXISTS grants_of_patient;
        ALTER TABLE organizations ADD COLUMN is_covered boolean;
        UPDATE organizations SET is_covered = kind IN ('PROVIDER', 'PAYER');
        ALTER TABLE organizations ALTER COLUMN is_covered SET NOT NULL;
        CREATE TABLE agreements (
            id uuid PRIMARY KEY,
            parties uuid[],
            purposes text[] NOT NULL,
            classes text[] NOT NULL,
            needs_consent boolean NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz
        );
        -- A network that is there goes on sharing; a new one is given its terms by `bootstrap`.
        INSERT INTO agreements
            SELECT '0d9d2a51-3f6a-5b1e-8a53-6a1b0c7e4f21', NULL, '{CARE_COORDINATION,TREATMENT}', '{APPOINTMENTS,BILLING,
                CLINICAL,COORDINATION,DEMOGRAPHICS,MESSAGES,REFERRALS,RESULTS,VISITS}', false, now(), NULL
            WHERE EXISTS (SELECT FROM organizations);
    """)
    open_to_service("agreements", people="SELECT")
    _known()
    # One timer for all: it takes up the next thousand until there are no more. Nothing, in a new network.
    op.execute(
        "INSERT INTO timers (kind, key, due_at) VALUES ('access-anew', '00000000-0000-0000-0000-000000000000', now())"
    )


def _known() -> None:
    """Facts stay nobody's business but the decider's; whether one's own facility knows somebody is no secret to it."""
    name = service()
    op.execute(f"CREATE POLICY known ON access_facts FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION patients_known_at(ids uuid[], facilities uuid[])
            RETURNS TABLE (patient_id uuid) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT DISTINCT f.patient_id FROM public.access_facts f
            WHERE f.patient_id = ANY (ids) AND f.is_holding AND f.facility_ids && facilities
            AND NOT EXISTS (SELECT 1 FROM public.access_facts r
                WHERE r.kind = 'PATIENT' AND r.id = f.patient_id AND NOT r.is_holding)
        $$;
        REVOKE ALL ON FUNCTION patients_known_at FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION patients_known_at TO {name}")
