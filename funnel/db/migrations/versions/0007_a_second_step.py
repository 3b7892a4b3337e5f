"""A second step of signing in; what was done at the desk can no longer be changed"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("second_factor_at", UtcDateTime(), nullable=True))
    op.add_column("staff", sa.Column("totp_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("staff", sa.Column("totp_step", sa.Integer(), nullable=True))
    op.add_column("staff_session", sa.Column("password_at", UtcDateTime(), nullable=True))
    op.add_column("staff_session", sa.Column("second_factor_at", UtcDateTime(), nullable=True))
    op.add_column("staff_session", sa.Column("browser", sa.Text(), nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("code_name", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_name", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_staff_id"), "recovery_code", ["staff_id"])
    for statement in _unchanging(op.get_bind().dialect.name):
        op.execute(statement)


def _unchanging(dialect: str) -> list[str]:
    """A trigger that refuses to change what was done at the desk; a timer may let it go."""
    if dialect == "sqlite":
        return [
            "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'audit_entry is never changed'); END"
        ]
    return [
        "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit_entry is never changed'; END $$",
        "CREATE TRIGGER audit_entry_unchanging BEFORE UPDATE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()",
    ]
