"""Every column of every table, said once: whose it is, and what becomes of it with an erasure.

A test fails for a column that is missing here, or named twice. To add a table: one `Table`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

BY_HASH, BY_KEY = "address_hash", "email_key"


class Fate(StrEnum):
    """What becomes of a person's rows of a table when she is erased."""

    GOES = "deleted"
    BARE = "kept without her"
    STAYS = "kept"
    NOBODYS = "about nobody who gets mail"


class Kind(StrEnum):
    """Whose a column is."""

    HERS = "exported to her"
    INNER = "inner workings: numbers of rows, leases, counters"
    GUARDED = "opens or recognises something, so it leaves by no export"
    SEALED = "encrypted; opened for her alone, or for whoever answers a complaint"
    NOBODYS = "about nobody who gets mail"


@dataclass(frozen=True)
class Table:
    """One table. The names of its columns stand in five groups, separated by spaces.

    `owner` leads to her: `subscriber_id` by itself, `message_id > message` by way of another
    table, `address_hash` by a keyed hash of her address, `email_key` by the address itself.
    `emptied` are the columns that an erasure takes out of a row that stays; `why` says why.
    """

    fate: Fate
    title: str = ""
    owner: str = ""
    hers: str = ""
    inner: str = ""
    guarded: str = ""
    sealed: str = ""
    nobodys: str = ""
    emptied: str = ""
    why: str = ""

    @cached_property
    def columns(self) -> tuple[tuple[str, Kind], ...]:
        """Each column that is named, with its kind."""
        groups = {
            Kind.HERS: self.hers,
            Kind.INNER: self.inner,
            Kind.GUARDED: self.guarded,
            Kind.SEALED: self.sealed,
            Kind.NOBODYS: self.nobodys,
        }
        return tuple((name, kind) for kind, names in groups.items() for name in names.split())

    @property
    def exported(self) -> tuple[str, ...]:
        """The columns she gets, in this order."""
        return tuple(self.hers.split())

    @property
    def way(self) -> tuple[str, str]:
        """The column that leads to her, and the table it leads to."""
        column, _, parent = self.owner.partition(" > ")
        return column, parent or "subscriber"


TABLES: Mapping[str, Table] = {
    "subscriber": Table(
        Fate.GOES,
        "About you",
        owner="id",
        hers="email first_name state time_zone created_at confirmed_at unsubscribed_at "
        "paused_until weekly_cap source "
        "utm_source utm_medium utm_campaign referrer landing_page",
        inner="id email_key is_test",
        guarded="public_id",
    ),
    "consent": Table(
        Fate.GOES,
        "What you agree to now",
        owner="subscriber_id",
        hers="purpose given_at",
        inner="subscriber_id",
    ),
    "consent_event": Table(
        Fate.BARE,
        "What you agreed to, and took back",
        owner="subscriber_id",
        hers="occurred_at action purpose is_granted wording_sha256 page_url form_version method "
        "ip_truncated user_agent source seconds_on_page",
        inner="id subscriber_id wording_id notice_id",
        emptied="subscriber_id ip_truncated user_agent source seconds_on_page",
        why="It shows that nobody was written to without being asked; of whom it tells is gone.",
    ),
    "confirmation": Table(
        Fate.GOES,
        "Requests to confirm your address",
        owner="subscriber_id",
        hers="wants_series wants_health created_at expires_at confirmed_at",
        inner="id subscriber_id reminded_at",
        guarded="public_id",
        sealed="sealed_answers",
    ),
    "address_change": Table(
        Fate.GOES,
        "Changes of your address",
        owner="subscriber_id",
        hers="email created_at expires_at confirmed_at",
        inner="id subscriber_id email_key",
        guarded="public_id",
    ),
    "kept_answers": Table(
        Fate.GOES,
        "For how long we keep your answers",
        owner="subscriber_id",
        hers="given_at delete_at",
        inner="subscriber_id",
        sealed="sealed",
    ),
    "funnel_event": Table(
        Fate.GOES,
        "Steps you took",
        owner="subscriber_id",
        hers="fact occurred_at again_at",
        inner="id subscriber_id",
    ),
    "link_click": Table(
        Fate.GOES,
        "Links in our emails that you pressed",
        owner="subscriber_id",
        hers="mail_key clicked_at kind",
        inner="id subscriber_id",
    ),
    "guide": Table(
        Fate.GOES,
        "Your guide",
        owner="subscriber_id",
        hers="requested_at ready_at link_expires_at downloads first_downloaded_at "
        "last_downloaded_at document",
        inner="id subscriber_id",
        guarded="public_id",
    ),
    "guide_print": Table(
        Fate.GOES,
        "Your guide’s editions",
        owner="guide_id > guide",
        hers="edition state requested_at made_at pages size_bytes",
        inner="id guide_id house_pattern not_before lease_until fence attempt recipe "
        "seconds_to_make why",
        guarded="storage_key",
    ),
    "enrolment": Table(
        Fate.GOES,
        "Your series of emails",
        owner="subscriber_id",
        hers="sequence_key round state started_at ended_at last_step next_due_at why",
        inner="id subscriber_id anchor_at onto send_now",
    ),
    "owed_step": Table(
        Fate.GOES,
        "Emails still to come out of their order",
        owner="enrolment_id > enrolment",
        hers="step_key asked_at",
        inner="enrolment_id",
    ),
    "step_skip": Table(
        Fate.GOES,
        "Emails passed over",
        owner="enrolment_id > enrolment",
        hers="step_key occurred_at why",
        inner="id enrolment_id",
    ),
    "message": Table(
        Fate.GOES,
        "Emails to you",
        owner="subscriber_id",
        hers="mail_key mail_class purpose created_at due_at state accepted_at closed_at delivery "
        "why attempt provider variant to_address",
        inner="id subscriber_id enrolment_id step_key text_version_id priority not_before fence "
        "lease_until worker lost_claims is_resent is_hurried doubt_since asked_provider_at",
        guarded="dedupe_key reference payload_sha256 provider_id",
    ),
    "attempt": Table(
        Fate.GOES,
        "Each time an email was handed over",
        owner="message_id > message",
        hers="started_at ended_at outcome",
        inner="message_id fence status_code",
    ),
    "mail_event": Table(
        Fate.GOES,
        "What your mail provider told ours",
        owner="message_id > message",
        hers="occurred_at received_at kind body",
        inner="id message_id handled_at problem",
    ),
    "challenge_entry": Table(
        Fate.GOES,
        "The challenge",
        owner="subscriber_id",
        hers="joined_at completed_at",
        inner="id subscriber_id",
    ),
    "challenge_day_done": Table(
        Fate.GOES,
        "Days of the challenge you ticked",
        owner="entry_id > challenge_entry",
        hers="day done_at",
        inner="entry_id",
    ),
    "waitlist_entry": Table(
        Fate.GOES,
        "Waiting lists",
        owner="subscriber_id",
        hers="offer_key joined_at left_at",
        inner="id subscriber_id",
    ),
    "purchase": Table(
        Fate.BARE,
        "What you paid for",
        owner="subscriber_id",
        hers="offer_key purchased_at voided_at",
        inner="id subscriber_id marked_by",
        emptied="subscriber_id",
        why="The accounts need what was sold and when; who bought it is gone.",
    ),
    "suppression": Table(
        Fate.STAYS,
        "Why we leave your address alone",
        owner=BY_HASH,
        hers="reason created_at",
        inner="id",
        guarded="address_hash",
        why="A keyed hash is what keeps us from writing to her again; it names nobody.",
    ),
    "complaint": Table(
        Fate.GOES,
        "Your complaints",
        owner=BY_KEY,
        hers="received_at name email state acknowledged_at answered_at closed_at",
        inner="id email_key",
        guarded="public_id",
        sealed="sealed_words sealed_outcome",
        why="One that is not closed stays until it is, for the law asks us to answer it.",
    ),
    "data_request": Table(
        Fate.GOES,
        "Times you asked for this",
        owner="subscriber_id",
        hers="asked_at expires_at",
        inner="id subscriber_id",
        guarded="public_id",
    ),
    "erasure_job": Table(
        Fate.GOES,
        inner="id asked_at not_before attempt why",
        sealed="sealed_address",
        why="Until it is erased outside as well; then the row is deleted.",
    ),
    "rate_window": Table(
        Fate.GOES,
        inner="closes_at count",
        guarded="key",
    ),
    "audit_entry": Table(
        Fate.STAYS,
        nobodys="id occurred_at staff_id action subject",
        why="It tells what was done at the desk; the row it names by number is no longer there.",
    ),
    "staff": Table(
        Fate.NOBODYS,
        sealed="totp_sealed",
        nobodys="id email email_key name password_hash created_at second_factor_at totp_step",
    ),
    "recovery_code": Table(Fate.NOBODYS, nobodys="code_name staff_id used_at"),
    "staff_session": Table(
        Fate.NOBODYS,
        nobodys="token_sha256 staff_id csrf_token created_at seen_at ended_at password_at "
        "second_factor_at browser",
    ),
    "setup_token": Table(Fate.NOBODYS, nobodys="token_sha256 created_at expires_at used_at"),
    "text_version": Table(
        Fate.NOBODYS,
        nobodys="id kind key version source sha256 origin made_by created_at",
    ),
    "visit_count": Table(Fate.NOBODYS, nobodys="day page source visits"),
    "click_count": Table(Fate.NOBODYS, nobodys="day mail_key kind clicks"),
    "control": Table(Fate.NOBODYS, nobodys="key value"),
    "tick": Table(Fate.NOBODYS, nobodys="name slot"),
}
