"""What billing asks of the stays behind the transitions of a facility: out of what kind of stay, and where to."""

from alembic import op

from libs.chassis.schema import service

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A function of the owner's, for people see no visits here: of the caller's own facilities, and these two words."""
    name = service()
    for table in ("loops", "encounters"):
        op.execute(f"CREATE POLICY billing ON {table} FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION departures(asked uuid[])
            RETURNS TABLE (loop_id uuid, visit_class text, disposition text) LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, public AS $$
            SELECT l.id, e.visit_class, e.disposition
            FROM public.loops l JOIN public.encounters e ON e.id = l.encounter_id
            WHERE l.id = ANY (asked) AND l.facility_id = ANY (public.caller_facilities())
        $$;
        REVOKE ALL ON FUNCTION departures FROM PUBLIC;
    """)
    op.execute(f"GRANT EXECUTE ON FUNCTION departures TO {name}")
