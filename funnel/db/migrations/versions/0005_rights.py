"""Evidence that can lose its person, purchases without a buyer, asks for one's own data"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What a tombstone keeps, and what it loses for good.
KEPT = (
    "id", "occurred_at", "action", "purpose", "is_granted", "wording_id", "wording_sha256",
    "page_url", "form_version", "method", "notice_id",
)  # fmt: skip
EMPTIED = ("ip_truncated", "user_agent", "source")
REFUSAL = "consent_event is append-only"


def upgrade() -> None:
    _lift_triggers()
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column("notice_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_consent_event_notice_id"), "text_version", ["notice_id"], ["id"]
        )
    _set_triggers()
    with op.batch_alter_table("purchase", schema=None) as batch_op:
        batch_op.alter_column("subscriber_id", existing_type=sa.Integer(), nullable=True)
        batch_op.drop_constraint(op.f("fk_purchase_subscriber_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            op.f("fk_purchase_subscriber_id"),
            "subscriber",
            ["subscriber_id"],
            ["id"],
            ondelete="SET NULL",
        )
    _add_tables()


def _lift_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER consent_event_no_update")
        op.execute("DROP TRIGGER consent_event_no_delete")
    else:
        op.execute("DROP TRIGGER consent_event_append_only ON consent_event")
        op.execute("DROP FUNCTION consent_event_refuse")


def _set_triggers() -> None:
    """Refuse every change but the one that makes a tombstone, and every deletion."""
    if op.get_bind().dialect.name == "sqlite":
        for verb, unless in (("UPDATE", f"WHEN NOT ({_burial('IS')}) "), ("DELETE", "")):
            op.execute(
                f"CREATE TRIGGER consent_event_no_{verb.lower()} BEFORE {verb} ON consent_event "
                f"{unless}BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION consent_event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF TG_OP = 'UPDATE' AND {_burial('IS NOT DISTINCT FROM')} "
        f"THEN RETURN NEW; END IF; RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER consent_event_append_only BEFORE UPDATE OR DELETE ON consent_event "
        "FOR EACH ROW EXECUTE FUNCTION consent_event_refuse()"
    )


def _burial(same: str) -> str:
    """Holds for the update that takes the person out of a line, and changes nothing else."""
    gone = ["OLD.subscriber_id IS NOT NULL", "NEW.subscriber_id IS NULL"]
    gone += ["NEW.seconds_on_page IS NULL", *(f"NEW.{name} = ''" for name in EMPTIED)]
    return " AND ".join(gone + [f"NEW.{name} {same} OLD.{name}" for name in KEPT])


def _add_tables() -> None:
    op.create_table(
        "data_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_data_request_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_data_request_public_id")),
    )
    with op.batch_alter_table("data_request", schema=None) as batch_op:
        for column in ("subscriber_id", "expires_at"):
            batch_op.create_index(batch_op.f(f"ix_data_request_{column}"), [column], unique=False)
    op.create_table(
        "erasure_job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_job")),
    )
