"""Links followed: counted for a mail; for a person only where they allow it"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IS_KIND = "kind IN ('person', 'machine')"
PURPOSES = "purpose IN ('series', 'health', 'challenge', 'clicks')"


def upgrade() -> None:
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_consent_purpose"), type_="check")
        batch_op.create_check_constraint(op.f("ck_consent_purpose"), PURPOSES)
    op.create_table(
        "click_count",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("mail_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.CheckConstraint(IS_KIND, name=op.f("ck_click_count_kind")),
        sa.PrimaryKeyConstraint("day", "mail_key", "kind", name=op.f("pk_click_count")),
    )
    op.create_table(
        "link_click",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("mail_key", sa.Text(), nullable=False),
        sa.Column("clicked_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(IS_KIND, name=op.f("ck_link_click_kind")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_link_click_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_click")),
    )
    with op.batch_alter_table("link_click", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_click_subscriber_id"), ["subscriber_id"])
