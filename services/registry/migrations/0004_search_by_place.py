"""People search at their own places: the index holds each key with the place, so that a common name is looked for among few."""

from alembic import op

from libs.chassis.schema import service

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    name = service()
    # The owner is under the policies too, and shown no record.
    op.execute("""
        DROP FUNCTION search_patients(text, uuid[], integer);
        DROP INDEX patient_search_vector;
        ALTER TABLE patient_search NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE patient_search ALTER COLUMN vector DROP EXPRESSION;
        UPDATE patient_search s SET vector = coalesce((
            SELECT array_to_tsvector(array_agg(DISTINCT entry)) FROM (
                SELECT right(place, 8) || key FROM unnest(s.keys) place, unnest(s.keys) key
                    WHERE place LIKE 'f:%' AND key NOT LIKE 'f:%'
                UNION ALL SELECT right(place, 8) FROM unnest(s.keys) place WHERE place LIKE 'f:%'
                UNION ALL SELECT key FROM unnest(s.keys) key WHERE key NOT LIKE 'f:%' AND key NOT LIKE 'd:%'
            ) filed (entry)), '');
        ALTER TABLE patient_search DROP COLUMN keys;
        ALTER TABLE patient_search FORCE ROW LEVEL SECURITY;
        CREATE INDEX patient_search_vector ON patient_search USING gin (vector)
            WITH (gin_pending_list_limit = 1024);
        CREATE FUNCTION search_patients(asked text, most integer)
            RETURNS TABLE (patient_id uuid) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
            SELECT DISTINCT found.patient_id FROM (
                (SELECT s.patient_id FROM public.patient_search s WHERE s.vector @@ asked::tsquery LIMIT most)
                UNION ALL
                (SELECT p.patient_id FROM public.program_patients p WHERE p.vector @@ asked::tsquery LIMIT most)
            ) found LIMIT most
        $$;
        REVOKE ALL ON FUNCTION search_patients FROM PUBLIC;
    """)
    op.execute(
        f"CREATE POLICY searching ON program_patients FOR SELECT TO {name}_owner USING (true)"
    )
    op.execute(f"GRANT EXECUTE ON FUNCTION search_patients TO {name}")
