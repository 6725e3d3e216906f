"""Create the trail, its log, and the rights that keep both unchanged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from bedplate.database import GUID, UTCDateTime

revision = "2026_11_29_create_audits"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_NEVER_CHANGED = (
    "audit",
    "audit_key",
    "log_append",
    "log_tile",
    "log_checkpoint",
    "log_cosignature",
)


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String(64), nullable=False)


def _partial(name: str, where: str, *columns: str) -> None:
    op.create_index(
        name, "audit", list(columns), postgresql_where=sa.text(where), sqlite_where=sa.text(where)
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        _tenant(),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", UTCDateTime, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("id", GUID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("occurred_at", UTCDateTime),
        sa.Column("action_type", sa.String(16), nullable=False),
        sa.Column("action", sa.String(100)),
        sa.Column("entity_type", sa.String(100), nullable=False),
        sa.Column("entity_id", GUID),
        sa.Column("entity_ref", sa.String(255)),
        sa.Column("user_id", GUID),
        sa.Column("actor", _JSON),
        sa.Column("targets", _JSON),
        sa.Column("details", _JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("ip_address", sa.String(45)),
        sa.Column("user_agent", sa.String(500)),
        sa.Column("correlation_id", sa.String(128)),
        sa.Column("salt", sa.LargeBinary(32)),
        sa.Column("commitments", _JSON),
        sa.PrimaryKeyConstraint("tenant", "seq", "recorded_at", name="audit_pkey"),
        postgresql_partition_by="RANGE (recorded_at)",
    )
    op.create_index("audit_id_idx", "audit", ["id", "version"])
    op.create_index("audit_status_idx", "audit", ["tenant", "status", "created_at", "id"])
    _partial("audit_created_at_idx", "event = 'created'", "tenant", "created_at", "id")
    for name in ("entity_type", "action_type"):
        _partial(f"audit_{name}_idx", "event = 'created'", "tenant", name, "created_at", "id")
    for name in ("user_id", "entity_id", "entity_ref", "action", "correlation_id"):
        where = f"event = 'created' AND {name} IS NOT NULL"
        _partial(f"audit_{name}_idx", where, "tenant", name, "created_at", "id")
    _partial("audit_completed_idx", "event = 'completed'", "tenant", "created_at", "id")
    _partial("audit_deleted_idx", "event = 'deleted'", "tenant", "id")
    op.create_index(
        "audit_details_idx",
        "audit",
        ["details"],
        postgresql_using="gin",
        postgresql_ops={"details": "jsonb_path_ops"},
        sqlite_where=sa.text("0"),
    )


def _create_beside_audit() -> None:
    op.create_table(
        "audit_private",
        _tenant(),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.String(128), nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("value", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", "member", name="audit_private_pkey"),
    )
    op.create_table(
        "audit_pending",
        sa.Column("id", GUID, nullable=False),
        _tenant(),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_pending_pkey"),
    )
    op.create_index("audit_pending_created_at_idx", "audit_pending", ["tenant", "created_at", "id"])
    op.create_table(
        "audit_key",
        _tenant(),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "owner", "key", name="audit_key_pkey"),
    )


def _create_log() -> None:
    op.create_table(
        "log_append",
        _tenant(),
        sa.Column("first_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_seq", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "first_seq", name="log_append_pkey"),
    )
    op.create_table(
        "log_tile",
        _tenant(),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(8192), nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "level", "number", name="log_tile_pkey"),
    )
    op.create_table(
        "log_checkpoint",
        _tenant(),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signed_at", UTCDateTime, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", "signed_at", name="log_checkpoint_pkey"),
    )
    op.create_table(
        "log_cosignature",
        _tenant(),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("witness", sa.String(255), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("signed_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "size", "root", "witness", name="log_cosignature_pkey"),
    )
    op.create_table(
        "log_pruning",
        _tenant(),
        sa.Column("minimum", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "minimum", name="log_pruning_pkey"),
    )


# A superuser and a table's owner can still switch a trigger off; the role `audits_runtime` can't,
# and has no right to change rows in the first place.
_POSTGRESQL = (
    "CREATE TABLE audit_other PARTITION OF audit DEFAULT",
    """
    CREATE FUNCTION audit_add_partition(month timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        first timestamptz := date_trunc('month', month, 'UTC');
        name text := 'audit_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    BEGIN
        IF to_regclass(name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF audit FOR VALUES FROM (%L) TO (%L)',
                name, first, date_trunc('month', first + interval '32 days', 'UTC')
            );
            -- Rows' triggers are the parent's; TRUNCATE of a partition asks its own alone.
            EXECUTE format(
                'CREATE TRIGGER %I BEFORE TRUNCATE ON %I
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()',
                name || '_no_truncate', name
            );
        END IF;
    EXCEPTION WHEN check_violation THEN
        -- Rows of this month are in audit_other already, where they stay.
        RAISE WARNING 'There is no partition % for rows that came before it.', name;
    END $$
    """,
    """
    CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The table % is never changed.', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    DO $$ BEGIN
        CREATE ROLE audits_runtime NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
    END $$
    """,
    """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'audits_runtime') THEN
            GRANT SELECT, INSERT ON audit, audit_private, audit_pending, audit_key, log_append,
                log_tile, log_checkpoint, log_cosignature TO audits_runtime;
            GRANT SELECT ON log_pruning, audits_alembic_version TO audits_runtime;
            GRANT DELETE ON audit_pending TO audits_runtime;
        END IF;
    END $$
    """,
    "REVOKE ALL ON FUNCTION audit_add_partition(timestamptz) FROM PUBLIC",
    """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'audits_runtime') THEN
            GRANT EXECUTE ON FUNCTION audit_add_partition(timestamptz) TO audits_runtime;
        END IF;
    END $$
    """,
)
_POSTGRESQL_TABLE = (
    """
    CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    """,
    """
    CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """,
)
_SQLITE_TABLE = """
CREATE TRIGGER {table}_no_{action} BEFORE {action} ON {table}
BEGIN SELECT RAISE(ABORT, 'The table {table} is never changed.'); END
"""


def upgrade() -> None:
    _create_audit()
    _create_beside_audit()
    _create_log()
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(statement)
        for table in _NEVER_CHANGED:
            for statement in _POSTGRESQL_TABLE:
                op.execute(statement.format(table=table))
        op.execute(_POSTGRESQL_TABLE[1].format(table="audit_other"))
        return
    for table in _NEVER_CHANGED:
        for action in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_TABLE.format(table=table, action=action))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_add_partition(timestamptz)")
        op.execute("DROP FUNCTION audit_refuse_change() CASCADE")
    for table in (
        "log_pruning",
        "log_cosignature",
        "log_checkpoint",
        "log_tile",
        "log_append",
        "audit_key",
        "audit_pending",
        "audit_private",
        "audit",
    ):
        op.drop_table(table)
