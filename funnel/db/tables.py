"""Every table in one place, for whoever needs the whole schema."""

from funnel.db.base import Base
from funnel.db.complaints import Complaint
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
    AddressChange,
    ClickCount,
    Confirmation,
    Consent,
    ConsentEvent,
    FunnelEvent,
    KeptAnswers,
    LinkClick,
    Subscriber,
    Suppression,
    VisitCount,
)
from funnel.db.rights import DataRequest, ErasureJob
from funnel.db.texts import TextVersion

__all__ = [
    "AddressChange",
    "Attempt",
    "AuditEntry",
    "Base",
    "ChallengeDayDone",
    "ChallengeEntry",
    "ClickCount",
    "Complaint",
    "Confirmation",
    "Consent",
    "ConsentEvent",
    "Control",
    "DataRequest",
    "Enrolment",
    "ErasureJob",
    "FunnelEvent",
    "Guide",
    "GuidePrint",
    "KeptAnswers",
    "LinkClick",
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
