"""How patients are reached, what they were told and answered, what the care team said; and what others told of them."""

from alembic import op

from libs.chassis.schema import add_labels, by_access, open_to_service, protect, show

revision = "0001"
down_revision = None

KNOWN_HERE = "facility_ids && (SELECT caller_facilities())::uuid[]"
# A thread is changed by the facility that asks and by the one that answers; seeing it is another matter.
OF_A_SIDE = """(facility_id = ANY ((SELECT caller_facilities())::uuid[])
    OR answering_facility_id = ANY ((SELECT caller_facilities())::uuid[]))"""
OF_A_THREAD = "EXISTS (SELECT FROM threads t WHERE t.id = {table}.thread_id)"
BY_ONESELF = "staff_id = (SELECT caller_subject())"


def upgrade() -> None:
    _directory()
    _contacts()
    _causes()
    _messages()
    _replies()
    _threads()
    _telephone()


def _directory() -> None:
    op.execute("""
        CREATE TABLE facilities (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            name text NOT NULL,
            time_zone text NOT NULL,
            phone text NOT NULL,
            duty_team_id uuid
        );
        CREATE TABLE staff (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            display_name text NOT NULL,
            is_active boolean NOT NULL,
            roles jsonb NOT NULL,
            facility_ids uuid[] NOT NULL,
            is_network_wide boolean NOT NULL
        );
        CREATE INDEX staff_by_facility ON staff USING gin (facility_ids);
        CREATE INDEX staff_network_wide ON staff (id) WHERE is_network_wide;
        CREATE TABLE teams (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            name text NOT NULL,
            lead_id uuid NOT NULL,
            member_ids uuid[] NOT NULL
        );
        CREATE INDEX teams_by_facility ON teams (facility_id);
    """)
    for table in ("facilities", "staff", "teams"):
        open_to_service(table, people="SELECT")


def _contacts() -> None:
    op.execute("""
        CREATE TABLE contacts (
            patient_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            told_version bigint NOT NULL,
            facility_ids uuid[] NOT NULL,
            told_phone text NOT NULL,
            told_email text NOT NULL,
            told_language text NOT NULL,
            is_deceased boolean NOT NULL,
            merged_into_id uuid,
            phone text NOT NULL,
            email text NOT NULL,
            language text NOT NULL,
            preferred_channel text NOT NULL,
            consents jsonb NOT NULL,
            best_from integer NOT NULL,
            best_until integer NOT NULL,
            is_shared_phone boolean NOT NULL,
            number text GENERATED ALWAYS AS (coalesce(nullif(phone, ''), told_phone)) STORED
        );
        CREATE INDEX contacts_by_number ON contacts (number) WHERE number <> '';
        CREATE INDEX contacts_merged ON contacts (patient_id) WHERE merged_into_id IS NOT NULL;
    """)
    protect("contacts", using=KNOWN_HERE, check=KNOWN_HERE, people="SELECT, UPDATE")
    show(
        "contacts",
        using=by_access("DEMOGRAPHICS", source="facility_ids", is_shared=True),
        check=KNOWN_HERE,
    )


def _causes() -> None:
    op.execute("""
        CREATE TABLE appointments (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            state text NOT NULL,
            start_at timestamptz NOT NULL
        );
        CREATE INDEX appointments_by_patient ON appointments (patient_id);
        CREATE TABLE transitions (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            state text NOT NULL,
            anchor_at timestamptz
        );
        CREATE INDEX transitions_by_patient ON transitions (patient_id);
    """)
    for table in ("appointments", "transitions"):
        add_labels(table)
    protect("appointments", using="false", check="false", people="")
    # People read a loop to label what they say about it.
    protect("transitions", check="false", people="SELECT")
    show("transitions", using=by_access("COORDINATION", labels="labels"), check="false")


def _messages() -> None:
    op.execute("""
        CREATE TABLE messages (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            template text NOT NULL,
            template_version integer NOT NULL,
            appointment_id uuid,
            loop_id uuid,
            state text NOT NULL CHECK (state IN ('PENDING', 'READY', 'SENT', 'WITHDRAWN')),
            reason text NOT NULL,
            channel text NOT NULL,
            address text NOT NULL,
            language text NOT NULL,
            text text NOT NULL,
            segments integer NOT NULL,
            due_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL,
            is_question boolean NOT NULL,
            counted_on date,
            created_at timestamptz NOT NULL,
            sent_at timestamptz,
            answered_at timestamptz,
            sent_by_id uuid,
            tries integer NOT NULL,
            next_try_at timestamptz
        );
        CREATE INDEX messages_by_patient ON messages (patient_id, created_at, id);
        CREATE INDEX messages_by_appointment ON messages (appointment_id) WHERE appointment_id IS NOT NULL;
        CREATE INDEX messages_by_loop ON messages (loop_id) WHERE loop_id IS NOT NULL;
        CREATE INDEX messages_to_send ON messages (next_try_at) WHERE next_try_at IS NOT NULL;
    """)
    add_labels("messages")
    protect("messages", people="SELECT, INSERT")
    show("messages", using=by_access("MESSAGES", labels="labels"))


def _replies() -> None:
    op.execute("""
        CREATE TABLE replies (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            message_id uuid NOT NULL,
            appointment_id uuid,
            loop_id uuid,
            meaning text NOT NULL,
            barrier text NOT NULL,
            text text NOT NULL,
            received_at timestamptz NOT NULL
        );
        CREATE INDEX replies_by_patient ON replies (patient_id, received_at);
        CREATE INDEX replies_by_message ON replies (message_id);
    """)
    add_labels("replies")
    protect("replies", check="false", people="SELECT")
    show("replies", using=by_access("MESSAGES", labels="labels"), check="false")


def _threads() -> None:
    op.execute("""
        CREATE TABLE threads (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            title text NOT NULL,
            priority text NOT NULL,
            state text NOT NULL CHECK (state IN ('WAITING', 'ACCEPTED', 'CLOSED')),
            reason text NOT NULL,
            answering_facility_id uuid NOT NULL,
            team_id uuid,
            staff_id uuid,
            accountable_id uuid NOT NULL,
            clock_at timestamptz,
            escalation_level integer NOT NULL,
            started_at timestamptz NOT NULL,
            last_post_at timestamptz NOT NULL,
            closed_at timestamptz,
            loop_id uuid,
            -- What nobody has taken is never without a clock.
            CHECK (state <> 'WAITING' OR clock_at IS NOT NULL),
            CHECK (state <> 'ACCEPTED' OR staff_id IS NOT NULL)
        );
        CREATE INDEX threads_by_patient ON threads (patient_id, started_at, id);
        CREATE INDEX threads_asked ON threads (facility_id, started_at, id) WHERE state IN ('WAITING', 'ACCEPTED');
        CREATE INDEX threads_answered ON threads (answering_facility_id, started_at, id)
            WHERE state IN ('WAITING', 'ACCEPTED');
        CREATE INDEX threads_accountable ON threads (accountable_id) WHERE state IN ('WAITING', 'ACCEPTED');
    """)
    add_labels("threads")
    protect("threads", check=OF_A_SIDE, people="SELECT, INSERT, UPDATE")
    show("threads", using=by_access("MESSAGES", labels="labels"), check=OF_A_SIDE)
    op.execute("""
        CREATE TABLE posts (
            id uuid PRIMARY KEY,
            thread_id uuid NOT NULL,
            facility_id uuid NOT NULL,
            staff_id uuid,
            reply_id uuid,
            text text NOT NULL,
            posted_at timestamptz NOT NULL,
            heard_at timestamptz
        );
        CREATE INDEX posts_by_thread ON posts (thread_id, posted_at, id);
        CREATE INDEX posts_unheard ON posts (thread_id) WHERE heard_at IS NULL;
        CREATE TABLE thread_reads (
            thread_id uuid NOT NULL,
            staff_id uuid NOT NULL,
            read_at timestamptz NOT NULL,
            PRIMARY KEY (thread_id, staff_id)
        );
    """)
    theirs = f"{OF_A_THREAD} AND {BY_ONESELF}"
    protect("posts", using=OF_A_THREAD, check=theirs, people="SELECT, INSERT")
    protect("thread_reads", using=OF_A_THREAD, check=theirs, people="SELECT, INSERT, UPDATE")


def _telephone() -> None:
    op.execute("""
        CREATE TABLE telephone (
            id uuid PRIMARY KEY,
            facility_id uuid NOT NULL,
            patient_id uuid NOT NULL,
            message_id uuid NOT NULL,
            phone text NOT NULL,
            is_written boolean NOT NULL,
            channel text NOT NULL,
            text text NOT NULL,
            at timestamptz NOT NULL
        );
        CREATE INDEX telephone_by_phone ON telephone (phone, at);
        CREATE INDEX telephone_by_patient ON telephone (patient_id, at);
        CREATE INDEX telephone_by_time ON telephone (at);
    """)
    add_labels("telephone")
    protect("telephone", people="SELECT, INSERT")
    show("telephone", using=by_access("MESSAGES", labels="labels"))
