"""The first schema"""

import sqlalchemy as sa
from alembic import op

from funnel.db.base import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _append_only(dialect: str) -> list[str]:
    """Triggers that refuse to change or delete evidence."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER consent_event_no_{verb.lower()} BEFORE {verb} ON consent_event "
            "BEGIN SELECT RAISE(ABORT, 'consent_event is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE FUNCTION consent_event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'consent_event is append-only'; END $$",
        "CREATE TRIGGER consent_event_append_only BEFORE UPDATE OR DELETE ON consent_event "
        "FOR EACH ROW EXECUTE FUNCTION consent_event_refuse()",
    ]


def upgrade() -> None:
    op.create_table(
        "control",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_control")),
    )
    op.create_table(
        "rate_window",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_window")),
    )
    with op.batch_alter_table("rate_window", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rate_window_closes_at"), ["closes_at"], unique=False)

    op.create_table(
        "setup_token",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_setup_token")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email_key", name=op.f("uq_staff_email_key")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("unsubscribed_at", UtcDateTime(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("utm_source", sa.Text(), nullable=True),
        sa.Column("utm_medium", sa.Text(), nullable=True),
        sa.Column("utm_campaign", sa.Text(), nullable=True),
        sa.Column("referrer", sa.Text(), nullable=True),
        sa.Column("landing_page", sa.Text(), nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'confirmed', 'unsubscribed', 'bounced', 'complained')",
            name=op.f("ck_subscriber_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("email_key", name=op.f("uq_subscriber_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscriber_public_id")),
    )
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.create_index("ix_subscriber_created_at", ["created_at"], unique=False)

    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('unsubscribed', 'bounced', 'complained', 'erased')",
            name=op.f("ck_suppression_reason"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
        sa.UniqueConstraint(
            "address_hash", "reason", name=op.f("uq_suppression_address_hash_reason")
        ),
    )
    op.create_table(
        "text_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_version")),
        sa.UniqueConstraint(
            "kind", "key", "version", name=op.f("uq_text_version_kind_key_version")
        ),
    )
    op.create_table(
        "tick",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("pk_tick")),
    )
    op.create_table(
        "visit_count",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "page", "source", name=op.f("pk_visit_count")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_audit_entry_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_entry_occurred_at"), ["occurred_at"], unique=False
        )

    op.create_table(
        "challenge_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_challenge_entry_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_entry")),
        sa.UniqueConstraint("subscriber_id", name=op.f("uq_challenge_entry_subscriber_id")),
    )
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("wants_series", sa.Boolean(), nullable=False),
        sa.Column("wants_health", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_confirmation_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_confirmation_public_id")),
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_confirmation_subscriber_id"), ["subscriber_id"], unique=False
        )

    op.create_table(
        "consent",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('series', 'health', 'challenge')", name=op.f("ck_consent_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_consent_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "purpose", name=op.f("pk_consent")),
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("wording_sha256", sa.Text(), nullable=False),
        sa.Column("page_url", sa.Text(), nullable=False),
        sa.Column("form_version", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("ip_truncated", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seconds_on_page", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_consent_event_subscriber_id")
        ),
        sa.ForeignKeyConstraint(
            ["wording_id"], ["text_version.id"], name=op.f("fk_consent_event_wording_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.create_index("ix_consent_event_subscriber_id", ["subscriber_id"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("sequence_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.Text(), nullable=True),
        sa.Column("anchor_at", UtcDateTime(), nullable=False),
        sa.Column("next_due_at", UtcDateTime(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'held', 'finished', 'exited', 'stopped')",
            name=op.f("ck_enrolment_state"),
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_enrolment_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint(
            "subscriber_id", "sequence_key", name=op.f("uq_enrolment_subscriber_id_sequence_key")
        ),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_enrolment_due",
            ["next_due_at"],
            unique=False,
            postgresql_where=sa.text("state = 'active' AND next_due_at IS NOT NULL"),
            sqlite_where=sa.text("state = 'active' AND next_due_at IS NOT NULL"),
        )

    op.create_table(
        "funnel_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "fact IN ('requested', 'confirmed', 'downloaded', 'joined', 'completed', 'waitlisted', 'purchased', 'unsubscribed')",
            name=op.f("ck_funnel_event_fact"),
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_funnel_event_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funnel_event")),
        sa.UniqueConstraint(
            "subscriber_id", "fact", name=op.f("uq_funnel_event_subscriber_id_fact")
        ),
    )
    with op.batch_alter_table("funnel_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_funnel_event_fact_occurred_at", ["fact", "occurred_at"], unique=False
        )

    op.create_table(
        "guide",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("ready_at", UtcDateTime(), nullable=True),
        sa.Column("link_expires_at", UtcDateTime(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("seconds_to_make", sa.Double(), nullable=True),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.Column("first_downloaded_at", UtcDateTime(), nullable=True),
        sa.Column("last_downloaded_at", UtcDateTime(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'claimed', 'ready', 'failed')", name=op.f("ck_guide_state")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_guide_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guide")),
        sa.UniqueConstraint("public_id", name=op.f("uq_guide_public_id")),
        sa.UniqueConstraint("subscriber_id", name=op.f("uq_guide_subscriber_id")),
    )
    with op.batch_alter_table("guide", schema=None) as batch_op:
        batch_op.create_index(
            "ix_guide_open",
            ["not_before"],
            unique=False,
            postgresql_where=sa.text("state IN ('requested', 'claimed', 'failed')"),
            sqlite_where=sa.text("state IN ('requested', 'claimed', 'failed')"),
        )

    op.create_table(
        "purchase",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("offer_key", sa.Text(), nullable=False),
        sa.Column("marked_by", sa.Integer(), nullable=False),
        sa.Column("purchased_at", UtcDateTime(), nullable=False),
        sa.Column("voided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["marked_by"], ["staff.id"], name=op.f("fk_purchase_marked_by")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_purchase_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint(
            "subscriber_id", "offer_key", name=op.f("uq_purchase_subscriber_id_offer_key")
        ),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_staff_session")),
    )
    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("offer_key", sa.Text(), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_waitlist_entry_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entry")),
        sa.UniqueConstraint(
            "subscriber_id", "offer_key", name=op.f("uq_waitlist_entry_subscriber_id_offer_key")
        ),
    )
    op.create_table(
        "challenge_day_done",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["challenge_entry.id"],
            name=op.f("fk_challenge_day_done_entry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "day", name=op.f("pk_challenge_day_done")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=True),
        sa.Column("step_key", sa.Text(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("mail_class", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("mail_key", sa.Text(), nullable=False),
        sa.Column("text_version_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_resent", sa.Boolean(), nullable=False),
        sa.Column("payload_sha256", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("doubt_since", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "mail_class IN ('confirm', 'deliver', 'drip', 'receipt', 'admin')",
            name=op.f("ck_message_mail_class"),
        ),
        sa.CheckConstraint(
            "state IN ('scheduled', 'claimed', 'sending', 'unknown', 'accepted', 'failed', 'cancelled', 'skipped', 'unconfirmed')",
            name=op.f("ck_message_state"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
            name=op.f("fk_message_enrolment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_message_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["text_version_id"], ["text_version.id"], name=op.f("fk_message_text_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_message_dedupe_key")),
        sa.UniqueConstraint(
            "enrolment_id", "step_key", name=op.f("uq_message_enrolment_id_step_key")
        ),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_message_due",
            ["not_before"],
            unique=False,
            postgresql_where=sa.text("state = 'scheduled'"),
            sqlite_where=sa.text("state = 'scheduled'"),
        )
        batch_op.create_index(
            "ix_message_lease",
            ["lease_until"],
            unique=False,
            postgresql_where=sa.text("state IN ('claimed', 'sending')"),
            sqlite_where=sa.text("state IN ('claimed', 'sending')"),
        )
        batch_op.create_index(batch_op.f("ix_message_provider_id"), ["provider_id"], unique=False)
        batch_op.create_index(
            "ix_message_subscriber_id_created_at", ["subscriber_id", "created_at"], unique=False
        )
        batch_op.create_index(
            "one_open_per_enrolment",
            ["enrolment_id"],
            unique=True,
            postgresql_where=sa.text(
                "enrolment_id IS NOT NULL AND state IN ('claimed', 'scheduled', 'sending', 'unknown')"
            ),
            sqlite_where=sa.text(
                "enrolment_id IS NOT NULL AND state IN ('claimed', 'scheduled', 'sending', 'unknown')"
            ),
        )

    op.create_table(
        "step_skip",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
            name=op.f("fk_step_skip_enrolment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_skip")),
        sa.UniqueConstraint(
            "enrolment_id", "step_key", name=op.f("uq_step_skip_enrolment_id_step_key")
        ),
    )
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attempt_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "fence", name=op.f("pk_attempt")),
    )
    op.create_table(
        "mail_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_mail_event_message_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_event")),
    )
    with op.batch_alter_table("mail_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_event_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_mail_event_unhandled",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text("handled_at IS NULL"),
            sqlite_where=sa.text("handled_at IS NULL"),
        )

    for statement in _append_only(op.get_bind().dialect.name):
        op.execute(statement)
