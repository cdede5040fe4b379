"""Patients see who opened their record in an emergency. And whom they refuse in person is refused what still bears the id of
a merged record: everybody is decided anew.
"""

from alembic import op

from libs.chassis.schema import show

revision = "0007"
down_revision = "0006"

_OWN = "person_id = (SELECT caller_subject())"
_THEIRS = """facility_id = ANY ((SELECT caller_facilities())::uuid[])
    OR EXISTS (SELECT FROM patients_known_at(ARRAY[patient_id], (SELECT caller_facilities())::uuid[]))"""
# About whom the caller is, or acts for, unless something is kept from them.
_ABOUT_THEM = """(SELECT caller_purposes() && ARRAY['PATIENT_REQUEST', 'FAMILY_REQUEST']) AND EXISTS (
    SELECT FROM grants g WHERE g.patient_id = survivor_of({table}.patient_id)
    AND g.grantee_id = (SELECT caller_subject()) AND g.reason IN ('SELF', 'PROXY') AND 'VISITS' = ANY (g.classes)
    AND g.purposes && (SELECT caller_purposes())::text[] AND (g.expires_at IS NULL OR g.expires_at > now())
    AND NOT EXISTS (SELECT FROM denials d WHERE d.patient_id = g.patient_id AND d.weight > g.standing
        AND d.grantee_id = (SELECT caller_subject()) AND d.purposes && (SELECT caller_purposes())::text[]
        AND 'VISITS' = ANY (d.classes) AND (d.expires_at IS NULL OR d.expires_at > now())))"""


def upgrade() -> None:
    op.execute("""
        CREATE INDEX grants_of_own ON grants (grantee_id) WHERE reason IN ('SELF', 'PROXY');
        -- One timer for all: it takes up the next thousand until there are no more.
        INSERT INTO timers (kind, key, due_at) VALUES ('access-anew', '00000000-0000-0000-0000-000000000000', now())
            ON CONFLICT (kind, key) DO NOTHING
    """)
    written = f"{_OWN} OR {_THEIRS}"
    show("break_glass", using=f"{written} OR ({_ABOUT_THEM})", check=written)
