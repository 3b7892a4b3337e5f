"""What a mail server's refusal or reply means for one mail."""

import smtplib
from dataclasses import dataclass

from funnel.adapters.smtp_dialogue import Refusal, Step
from funnel.domain.ports import Outcome, OutgoingEmail, SendResult

TOO_LARGE = 552
NEEDS_SIGN_IN = frozenset({530, 534, 535, 538})


@dataclass(frozen=True)
class RefusedByPolicy(SendResult):
    """About our account, unless the server takes mails to others: then about this reader."""


def judge_sign_in(email: OutgoingEmail, error: smtplib.SMTPException) -> SendResult:
    """Nothing was sent. Is it our account and settings, or only a bad moment?"""
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
    why = f"The mail server did not let us in ({type(error).__name__})."
    is_bad_moment = isinstance(error, smtplib.SMTPServerDisconnected) or (
        code is not None and code // 100 != 5
    )
    outcome = Outcome.NOT_SENT_RETRY if is_bad_moment else Outcome.ACCOUNT_REFUSED
    return SendResult(email.message_id, outcome, why, status_code=code)


def judge_refusal(email: OutgoingEmail, refusal: Refusal) -> SendResult:
    """A refused sender is about us, a refused recipient or content about this mail."""
    why = f"The mail server refused the {refusal.step} ({refusal.code})."
    is_about_us = (
        refusal.code in NEEDS_SIGN_IN
        or refusal.is_about_sender
        or (refusal.step is Step.SENDER and refusal.code != TOO_LARGE)
    )
    if refusal.code // 100 != 5:
        outcome = Outcome.NOT_SENT_RETRY
    elif refusal.is_by_policy:
        account = Outcome.ACCOUNT_REFUSED
        return RefusedByPolicy(email.message_id, account, why, status_code=refusal.code)
    elif is_about_us:
        outcome = Outcome.ACCOUNT_REFUSED
    elif refusal.is_about_address:
        outcome = Outcome.ADDRESS_REFUSED
    else:
        outcome = Outcome.REFUSED
    return SendResult(email.message_id, outcome, why, status_code=refusal.code)


def judge_final(email: OutgoingEmail, code: int) -> SendResult:
    """The reply after the final dot decides."""
    outcome = {
        2: Outcome.ACCEPTED,
        4: Outcome.NOT_SENT_RETRY,
        5: Outcome.REFUSED,
    }.get(code // 100, Outcome.AMBIGUOUS)
    why = f"The mail server answered {code} to the whole mail."
    return SendResult(email.message_id, outcome, why, status_code=code)


def name_of(error: BaseException) -> str:
    """What went wrong, as the name of an error and nothing more."""
    return type(error.__cause__ or error).__name__
