"""What migrations say about a table: who may touch it, and which rows they see."""

from alembic import op

# A row is visible by its own facility ...
BY_FACILITY = "facility_id = ANY ((SELECT caller_facilities())::uuid[])"
# How sensitive the rows of a table are that has no labels of its own: not.
ORDINARY = "ARRAY['NORMAL']"
# Who has not heard from identity for so long shows nothing by a grant: it may have ended.
FRESH_SECONDS = 30
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


def service() -> str:
    """The service whose database is being migrated: the stem of its roles' names."""
    return str(op.get_context().opts["service"])


def by_access(
    data_class: str,
    source: str = "facility_id",
    patient: str = "patient_id",
    *,
    labels: str = "",
    is_shared: bool = False,
) -> str:
    """Rows of the caller's own facilities, and those inside a grant; unless a denial that is stronger applies.

    The same comparisons as `may` in identity's domain/access/boxes.py. `labels` is the column that has the row's; without
    one every row is an ordinary one. `is_shared`: the source is a list of facilities whose row it is together. Only rows
    of elsewhere reach the second arm; what needs no row is asked once a statement.
    """
    row, whose = f"{{table}}.{source}", f"{{table}}.{patient}"
    borne = f"{{table}}.{labels}" if labels else ORDINARY

    def inside(sources: str) -> str:
        return f"{row} && {sources}" if is_shared else f"{row} = ANY ({sources})"

    about = _DENIAL.format(
        whose=whose, of="{of}", labels=borne, data_class=data_class, source=inside("d.sources")
    )
    at_home = about.replace("{of}", f"d.weight > 2 AND {_TO_THEM}")
    abroad = about.replace(
        "{of}",
        f"d.weight > g.standing AND (d.grantee_id IS NULL OR d.grantee_id = ANY (g.names) OR {_TO_THEM})",
    )
    return f"""(
        {inside("((SELECT caller_facilities())::uuid[])")}
        AND NOT {borne} && ARRAY['COUNSELING_NOTES']
        AND {_AT_WORK}
        AND (NOT EXISTS (SELECT 1 FROM denials d WHERE d.weight > 2 AND {_TO_THEM}) OR NOT {at_home})
    ) OR (
        (SELECT coalesce((SELECT beat_at > now() - interval '{FRESH_SECONDS} seconds' FROM access_heartbeat), false))
        AND EXISTS (
            SELECT 1 FROM grants g WHERE g.patient_id = {whose}
            AND g.grantee_id = ANY ((SELECT caller_grantees())::uuid[])
            AND g.purposes && {_ACTING} AND g.labels @> {borne} AND '{data_class}' = ANY (g.classes)
            AND (g.sources IS NULL OR {inside("g.sources")}) AND (g.expires_at IS NULL OR g.expires_at > now())
            AND NOT EXISTS (SELECT 1 FROM ended_bases e WHERE e.basis_id = g.basis_id)
            AND NOT {abroad}
        )
    )"""


_AT_WORK = "(SELECT NOT caller_purposes() && ARRAY['PATIENT_REQUEST', 'FAMILY_REQUEST'])"
_ACTING = "((SELECT caller_purposes())::text[])"
_TO_THEM = "d.grantee_id = ANY ((SELECT caller_in_person())::uuid[])"
_DENIAL = f"""EXISTS (
    SELECT 1 FROM denials d WHERE d.patient_id = {{whose}} AND {{of}}
    AND d.purposes && {_ACTING} AND d.labels && {{labels}} AND '{{data_class}}' = ANY (d.classes)
    AND (d.sources IS NULL OR {{source}}) AND (d.expires_at IS NULL OR d.expires_at > now()))"""


def add_labels(table: str) -> None:
    """A column of labels, as carehub.access.v1.Label names them: never none, NORMAL and WITHHELD each alone.

    Rows that are there are taken for ordinary ones. A new row says what it is; what a process of the version before
    writes meanwhile does not, and so never leaves its facility.
    """
    words = (
        "NORMAL,SUD,PART2,MENTAL_HEALTH,HIV,STD,REPRODUCTIVE,VIOLENCE,GENETIC,MINOR_CONFIDENTIAL,"
        "COUNSELING_NOTES,WITHHELD"
    )
    op.execute(f"""
        ALTER TABLE {table}
            ADD COLUMN labels text[] NOT NULL DEFAULT '{{NORMAL}}',
            ADD CONSTRAINT {table}_labels CHECK (cardinality(labels) > 0 AND labels <@ '{{{words}}}'
                AND (cardinality(labels) = 1 OR NOT labels && '{{NORMAL,WITHHELD}}'));
        ALTER TABLE {table} ALTER COLUMN labels SET DEFAULT '{{WITHHELD}}';
    """)


def protect(
    table: str, using: str = BY_FACILITY, check: str = BY_FACILITY, people: str = EVERYTHING
) -> None:
    """Force row-level security: people see the rows of `using` and write those of `check`; the system sees all."""
    name = service()
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    _people(table, using, check)
    op.execute(f"CREATE POLICY system ON {table} TO {name}_system USING (true) WITH CHECK (true)")
    if people:
        op.execute(f"GRANT {people} ON {table} TO {name}")
    op.execute(f"GRANT {EVERYTHING} ON {table} TO {name}_system, {name}_maintenance")


def show(table: str, using: str, check: str = BY_FACILITY) -> None:
    """State anew which rows of a protected table people see and write. One policy: a second would only widen it.

    A restrictive one narrows it for changes: what only a grant shows is not there to be changed, or moved home; nor is
    anything for who asks as the patient or their family, at home too.
    """
    op.execute(f"DROP POLICY IF EXISTS people ON {table}")
    _people(table, using, check)
    op.execute(f"DROP POLICY IF EXISTS own_only ON {table}")
    op.execute(
        f"CREATE POLICY own_only ON {table} AS RESTRICTIVE FOR UPDATE TO {service()} "
        f"USING (({check.format(table=table)}) AND {_AT_WORK})"
    )


def _people(table: str, using: str, check: str) -> None:
    op.execute(
        f"CREATE POLICY people ON {table} TO {service()} "
        f"USING ({using.format(table=table)}) WITH CHECK ({check.format(table=table)})"
    )


def open_to_service(table: str, people: str = EVERYTHING) -> None:
    """Privileges for a table without patient data."""
    name = service()
    op.execute(f"GRANT {people} ON {table} TO {name}")
    op.execute(f"GRANT {EVERYTHING} ON {table} TO {name}_system, {name}_maintenance")
