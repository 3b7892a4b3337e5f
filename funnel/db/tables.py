"""Every table in one place, for whoever needs the whole schema."""

from funnel.db.base import Base
from funnel.db.desk import AuditEntry, RecoveryCode, SetupToken, Staff, StaffSession
from funnel.db.guides import Guide, GuidePrint
from funnel.db.mail import (
    Attempt,
    Control,
    Enrolment,
    MailEvent,
    Message,
    OwedStep,
    RateWindow,
    StepSkip,
    Tick,
)
from funnel.db.offers import ChallengeDayDone, ChallengeEntry, Purchase, WaitlistEntry
from funnel.db.people import (
    Confirmation,
    Consent,
    ConsentEvent,
    FunnelEvent,
    KeptAnswers,
    Subscriber,
    Suppression,
    VisitCount,
)
from funnel.db.texts import TextVersion

__all__ = [
    "Attempt",
    "AuditEntry",
    "Base",
    "ChallengeDayDone",
    "ChallengeEntry",
    "Confirmation",
    "Consent",
    "ConsentEvent",
    "Control",
    "Enrolment",
    "FunnelEvent",
    "Guide",
    "GuidePrint",
    "KeptAnswers",
    "MailEvent",
    "Message",
    "OwedStep",
    "Purchase",
    "RateWindow",
    "RecoveryCode",
    "SetupToken",
    "Staff",
    "StaffSession",
    "StepSkip",
    "Subscriber",
    "Suppression",
    "TextVersion",
    "Tick",
    "VisitCount",
    "WaitlistEntry",
]
