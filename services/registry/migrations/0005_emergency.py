"""Finding somebody in an emergency whom the caller may not see."""

from alembic import op

from libs.chassis.schema import service

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """As `search_patients`, a function of the owner's; the only one that answers more than ids, and it asks for whole keys."""
    name = service()
    op.execute(f"CREATE POLICY finding ON patients FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION find_for_emergency(asked text, most integer)
            RETURNS TABLE (patient_id uuid, facts jsonb, facility_count integer) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
            SELECT p.id, p.facts, cardinality(p.facility_ids)
            FROM public.patient_search s JOIN public.patients p ON p.id = s.patient_id
            WHERE s.vector @@ asked::tsquery AND p.state = 'ACTIVE'
            LIMIT most
        $$;
        REVOKE ALL ON FUNCTION find_for_emergency FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION find_for_emergency TO {name}")
