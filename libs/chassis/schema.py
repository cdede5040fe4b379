"""What migrations say about a table: who may touch it, and which rows they see."""

from alembic import op

# A row is visible by its own facility ...
BY_FACILITY = "facility_id = ANY ((SELECT caller_facilities())::uuid[])"
# ... or because its patient was granted to one of the caller's facilities. {table} is filled in by protect().
BY_FACILITY_OR_GRANT = (
    f"{BY_FACILITY} OR EXISTS (SELECT 1 FROM grants g WHERE g.patient_id = {{table}}.patient_id AND g.is_active "
    "AND (g.expires_at IS NULL OR g.expires_at > now()) AND g.facility_id = ANY ((SELECT caller_facilities())::uuid[]))"
)
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


def service() -> str:
    """The service whose database is being migrated: the stem of its roles' names."""
    return str(op.get_context().opts["service"])


def protect(
    table: str, using: str = BY_FACILITY, check: str = BY_FACILITY, people: str = EVERYTHING
) -> None:
    """Force row-level security: people see the rows of `using` and write those of `check`; the system sees all."""
    name = service()
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY people ON {table} TO {name} "
        f"USING ({using.format(table=table)}) WITH CHECK ({check.format(table=table)})"
    )
    op.execute(f"CREATE POLICY system ON {table} TO {name}_system USING (true) WITH CHECK (true)")
    if people:
        op.execute(f"GRANT {people} ON {table} TO {name}")
    op.execute(f"GRANT {EVERYTHING} ON {table} TO {name}_system, {name}_maintenance")


def open_to_service(table: str, people: str = EVERYTHING) -> None:
    """Privileges for a table without patient data."""
    name = service()
    op.execute(f"GRANT {people} ON {table} TO {name}")
    op.execute(f"GRANT {EVERYTHING} ON {table} TO {name}_system, {name}_maintenance")
