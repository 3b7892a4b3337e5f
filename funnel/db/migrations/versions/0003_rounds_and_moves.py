"""Rounds through a sequence, moves within one, steps put in behind people, arms of a test"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _widen_enrolment()
    _widen_message()
    with op.batch_alter_table("funnel_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("again_at", UtcDateTime(), nullable=True))
    op.add_column("text_version", sa.Column("made_by", sa.Text(), nullable=True))
    op.create_table(
        "owed_step",
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
            name=op.f("fk_owed_step_enrolment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "step_key", name=op.f("pk_owed_step")),
    )


def _widen_enrolment() -> None:
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("onto", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("send_now", sa.Text(), nullable=True))
        batch_op.drop_constraint(op.f("uq_enrolment_subscriber_id_sequence_key"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_enrolment_subscriber_id_sequence_key_round"),
            ["subscriber_id", "sequence_key", "round"],
        )
        batch_op.create_index(
            "ix_enrolment_sequence_key_state_last_step",
            ["sequence_key", "state", "last_step"],
            unique=False,
        )


def _widen_message() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("variant", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("is_hurried", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("asked_provider_at", UtcDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("lost_claims", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.drop_index("ix_message_due")
        batch_op.create_index(
            "ix_message_due",
            ["priority", "not_before"],
            unique=False,
            postgresql_where=sa.text("state = 'scheduled'"),
            sqlite_where=sa.text("state = 'scheduled'"),
        )
        batch_op.create_index(
            "ix_message_doubt",
            ["doubt_since"],
            unique=False,
            postgresql_where=sa.text("state = 'unknown'"),
            sqlite_where=sa.text("state = 'unknown'"),
        )
        batch_op.create_index(
            "ix_message_closed",
            ["closed_at"],
            unique=False,
            postgresql_where=sa.text("closed_at IS NOT NULL"),
            sqlite_where=sa.text("closed_at IS NOT NULL"),
        )
    if op.get_bind().dialect.name == "postgresql":
        # A message changes its state three times within seconds, and what it was is in the way of
        # the next claim until it is cleared away.
        op.execute("ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0.01)")
