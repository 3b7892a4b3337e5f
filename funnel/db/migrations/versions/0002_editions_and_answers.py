"""Editions of a guide, and the answers of the self-check"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

IS_OPEN = "state IN ('requested', 'claimed', 'failed')"
MOVED = (
    "state", "not_before", "lease_until", "fence", "attempt", "storage_key", "sha256",
    "size_bytes", "pages", "seconds_to_make", "why",
)  # fmt: skip


def upgrade() -> None:
    _add_answers()
    _lift_prints()
    _add_prints()
    _settle_prints()


def _add_answers() -> None:
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_answers", sa.LargeBinary(), nullable=True))
    op.create_table(
        "kept_answers",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("delete_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_kept_answers_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_kept_answers")),
    )
    with op.batch_alter_table("kept_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_answers_delete_at"), ["delete_at"], unique=False)


def _lift_prints() -> None:
    """Take the prints out of their guides. They wait aside: SQLite rebuilds the table of guides,
    and whatever points at a row of it would go with the old one."""
    op.execute("CREATE TEMPORARY TABLE lifted AS SELECT * FROM guide")
    op.drop_index("ix_guide_open", table_name="guide")
    with op.batch_alter_table("guide", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_guide_state"), type_="check")
        for column in MOVED:
            batch_op.drop_column(column)


def _add_prints() -> None:
    op.create_table(
        "guide_print",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guide_id", sa.Integer(), nullable=True),
        sa.Column("house_pattern", sa.Text(), nullable=True),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=True),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("seconds_to_make", sa.Double(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'claimed', 'ready', 'failed')",
            name=op.f("ck_guide_print_state"),
        ),
        sa.CheckConstraint(
            "edition IN ('guide', 'tracker', 'large')", name=op.f("ck_guide_print_edition")
        ),
        sa.ForeignKeyConstraint(
            ["guide_id"], ["guide.id"], name=op.f("fk_guide_print_guide_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide_print")),
        sa.UniqueConstraint("guide_id", "edition", name=op.f("uq_guide_print_guide_id_edition")),
    )
    with op.batch_alter_table("guide_print", schema=None) as batch_op:
        batch_op.create_index(
            "uq_guide_print_house",
            ["house_pattern", "edition"],
            unique=True,
            postgresql_where=sa.text("guide_id IS NULL"),
            sqlite_where=sa.text("guide_id IS NULL"),
        )
        batch_op.create_index(
            "ix_guide_print_open",
            ["not_before"],
            unique=False,
            postgresql_where=sa.text(IS_OPEN),
            sqlite_where=sa.text(IS_OPEN),
        )
        batch_op.create_index("ix_guide_print_storage_key", ["storage_key"], unique=False)


def _settle_prints() -> None:
    """What was made before lies unsealed: its file is swept, and made again when it is wanted."""
    op.execute(
        "INSERT INTO guide_print (guide_id, edition, state, requested_at, not_before, fence,"
        " attempt, made_at, storage_key, pages, seconds_to_make, why) "
        "SELECT id, 'guide', CASE WHEN state = 'claimed' THEN 'requested' ELSE state END,"
        " requested_at, not_before, fence, attempt, ready_at, storage_key, pages, seconds_to_make,"
        " why FROM lifted"
    )
    op.execute("DROP TABLE lifted")
