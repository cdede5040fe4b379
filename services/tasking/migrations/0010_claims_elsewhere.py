"""Whether a transition at another facility could be billed: of two within thirty days only one can."""

from alembic import op

from libs.chassis.schema import service

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """A function of the owner's: it says that there is one and of which discharge, and neither where nor why.

    What would keep it from being billed and is known by rows alone is looked at; what never leaves its facility is not
    there for anybody else.
    """
    name = service()
    for table in ("tasks", "decisions"):
        op.execute(f"CREATE POLICY billing ON {table} FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION claims_elsewhere(asked uuid[], followed text)
            RETURNS TABLE (patient_id uuid, left_at timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public AS $$
            SELECT l.patient_id, l.anchor_at FROM public.loops l
            WHERE l.patient_id = ANY (asked) AND l.protocol = followed AND l.anchor_at IS NOT NULL
                AND l.state <> 'CANCELLED' AND l.close_reason NOT IN ('NOT_ELIGIBLE', 'DECEASED')
                AND NOT l.facility_id = ANY (public.caller_facilities())
                AND NOT l.labels && ARRAY['PART2', 'COUNSELING_NOTES', 'WITHHELD']
                AND EXISTS (SELECT FROM public.tasks t WHERE t.loop_id = l.id AND t.step = 'visit'
                    AND t.state = 'COMPLETED' AND t.shown_by IS NOT NULL)
                AND EXISTS (SELECT FROM public.decisions d WHERE d.loop_id = l.id AND d.mdm IN ('MODERATE', 'HIGH')
                    AND NOT d.is_billed_elsewhere AND NOT d.is_global_period)
        $$;
        REVOKE ALL ON FUNCTION claims_elsewhere FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION claims_elsewhere TO {name}")
