"""Heartbeats of processes, and what people may know of tables whose rows they may not read: counts and reasons."""

from alembic import op

from libs.chassis.schema import open_to_service, service

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE heartbeats (
            process text PRIMARY KEY,
            role text NOT NULL CHECK (role IN ('serve', 'work', 'all')),
            started_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL,
            consumer_lag jsonb NOT NULL
        );
        CREATE INDEX parked_waiting ON parked (parked_at, id) WHERE state = 'PARKED';
    """)
    open_to_service("heartbeats", people="SELECT")
    _counts()


def _counts() -> None:
    name = service()
    # The owner is under the policies too (FORCE); a definer's function sees what its owner is shown.
    for table in ("outbox", "parked"):
        op.execute(f"CREATE POLICY counts ON {table} FOR SELECT TO {name}_owner USING (true)")
    op.execute("""
        CREATE FUNCTION outbox_status(since timestamptz)
        RETURNS TABLE (waiting bigint, oldest_at timestamptz, published bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT (SELECT count(*) FROM public.outbox WHERE published_at IS NULL),
                   (SELECT created_at FROM public.outbox WHERE published_at IS NULL ORDER BY position LIMIT 1),
                   (SELECT count(*) FROM public.outbox WHERE published_at > since)
        $$;
        CREATE FUNCTION parked_status()
        RETURNS TABLE (consumer text, reason text, waiting bigint, newest_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT p.consumer, p.reason, count(*), max(p.parked_at) FROM public.parked p
            WHERE p.state = 'PARKED' GROUP BY p.consumer, p.reason ORDER BY max(p.parked_at) DESC
        $$;
    """)
    for function in ("outbox_status(timestamptz)", "parked_status()"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {name}, {name}_system")
