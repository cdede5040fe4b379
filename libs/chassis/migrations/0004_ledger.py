"""The audit ledger by months, only ever added to; the chain that seals it, and the signed heads of this chain and others."""

from alembic import op

from libs.chassis.schema import protect, service

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _by_month()
    _chain()
    _functions()
    op.execute("""
        SELECT audit_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))::date)
        FROM generate_series(1, 3) n
    """)


def _by_month() -> None:
    """What was written before becomes the first partition as it is: nothing is copied."""
    name = service()
    op.execute(f"""
        ALTER TABLE audit RENAME TO audit_first;
        ALTER TABLE audit_first NO FORCE ROW LEVEL SECURITY;
        DROP POLICY people ON audit_first;
        DROP POLICY system ON audit_first;
        REVOKE ALL ON audit_first FROM {name}, {name}_system, {name}_maintenance;
        ALTER TABLE audit_first
            ADD COLUMN roles text[] NOT NULL DEFAULT '{{}}',
            ADD COLUMN address text NOT NULL DEFAULT '',
            DROP CONSTRAINT audit_pkey;
        ALTER TABLE audit_first ADD PRIMARY KEY (id, at);
        ALTER INDEX audit_by_time RENAME TO audit_first_by_time;
        ALTER INDEX audit_by_patient RENAME TO audit_first_by_patient;

        CREATE TABLE audit (LIKE audit_first INCLUDING DEFAULTS) PARTITION BY RANGE (at);
        ALTER TABLE audit ADD PRIMARY KEY (id, at);
        CREATE INDEX audit_by_time ON audit (at, id);
        CREATE INDEX audit_by_patient ON audit USING gin (patients);
        CREATE INDEX audit_by_person ON audit (subject, at);
        DROP INDEX audit_first_by_time;
        DO $$ BEGIN
            EXECUTE format('ALTER TABLE audit ATTACH PARTITION audit_first FOR VALUES FROM (MINVALUE) TO (%L)',
                (date_trunc('month', greatest(now(), (SELECT max(at) FROM audit_first)) AT TIME ZONE 'UTC')
                    + interval '1 month') AT TIME ZONE 'UTC');
        END $$;
        CREATE TABLE audit_default PARTITION OF audit DEFAULT;
        -- Nobody reads or writes a partition but through the table that it is of.
        ALTER TABLE audit_first FORCE ROW LEVEL SECURITY;
        ALTER TABLE audit_default ENABLE ROW LEVEL SECURITY;
        ALTER TABLE audit_default FORCE ROW LEVEL SECURITY;
    """)  # noqa: S608 names of roles
    protect("audit", using="false", check="true", people="INSERT")
    op.execute(f"REVOKE UPDATE, DELETE ON audit FROM {name}_system, {name}_maintenance")
    # The owner is under the policies too; a definer's function sees what its owner is shown.
    for table in ("audit", "audit_default"):
        op.execute(f"CREATE POLICY counts ON {table} FOR SELECT TO {name}_owner USING (true)")


def _chain() -> None:
    name = service()
    op.execute("""
        CREATE TABLE audit_chain (
            sequence bigint PRIMARY KEY,
            audit_id uuid NOT NULL UNIQUE,
            at timestamptz NOT NULL,
            form smallint NOT NULL,
            digest bytea NOT NULL,
            chained bytea NOT NULL
        );
        CREATE TABLE audit_heads (
            service text NOT NULL,
            sequence bigint NOT NULL,
            chained bytea NOT NULL,
            signed_at timestamptz NOT NULL,
            key_id text NOT NULL,
            signature bytea NOT NULL,
            PRIMARY KEY (service, sequence, chained)
        );
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$;
    """)
    for table in ("audit", "audit_chain", "audit_heads"):
        op.execute(f"""
            CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
        """)
    for table in ("audit", "audit_first", "audit_default", "audit_chain", "audit_heads"):
        op.execute(f"""
            CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        """)
    for table in ("audit_chain", "audit_heads"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {name}_system, {name}_maintenance")


def _functions() -> None:
    name = service()
    op.execute(f"""
        -- Makes room for a month. False where rows of that month are in audit_default already: there they stay.
        CREATE FUNCTION audit_partition(month date) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            made text := 'audit_' || to_char(month, 'YYYY_MM');
            lower timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
            upper timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
        BEGIN
            IF to_regclass('public.' || made) IS NOT NULL THEN RETURN true; END IF;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.audit INCLUDING ALL)', made);
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', made);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', made);
            EXECUTE format('CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON public.%I '
                'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', made);
            EXECUTE format('ALTER TABLE public.audit ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                made, lower, upper);
            RETURN true;
        EXCEPTION WHEN check_violation OR invalid_object_definition THEN RETURN false;
        END $$;
        -- Counts for those who may not read.
        CREATE FUNCTION audit_status()
        RETURNS TABLE (sealed bigint, oldest_at timestamptz, head_sequence bigint, head_at timestamptz, overflows boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            WITH latest AS MATERIALIZED (SELECT c.sequence, c.at FROM public.audit_chain c ORDER BY 1 DESC LIMIT 1000),
                head AS (SELECT h.sequence, h.signed_at FROM public.audit_heads h
                    WHERE h.service = '{name}' ORDER BY 1 DESC LIMIT 1)
            SELECT coalesce((SELECT max(l.sequence) FROM latest l), 0),
                (SELECT min(a.at) FROM public.audit a
                    WHERE a.at > coalesce((SELECT max(l.at) FROM latest l), '-infinity')),
                coalesce((SELECT h.sequence FROM head h), 0), (SELECT h.signed_at FROM head h),
                EXISTS (SELECT FROM public.audit_default)
        $$;
    """)  # noqa: S608 the name of the service
    for function, people in (("audit_partition(date)", ""), ("audit_status()", f"{name}, ")):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {people}{name}_system")
