"""The brake: when too many report our mail as spam or do not exist, the series stops by itself."""

from dataclasses import dataclass

# Gmail and Yahoo count a sender as bad from 0.3 %; they ask to stay below 0.1 %.
RECENT = 1000
ALERT_SHARE = 0.001
HOLD_SHARE = 0.003
HOLD_REPORTS = 3
RECENT_BOUNCES = 200
BOUNCE_SHARE = 0.05
HOLD_BOUNCES = 5


@dataclass(frozen=True)
class Tally:
    """The last thousand mails and the reports among them; of the last 200, those that bounced."""

    mails: int
    reports: int
    tried: int
    bounces: int

    @property
    def is_alarming(self) -> bool:
        """True when reports are near what the big providers put up with."""
        return self.reports > 0 and self.reports >= ALERT_SHARE * self.mails

    def why_hold(self) -> str | None:
        """Why series mail must stop, in one sentence; None while it may go.

        A handful is needed as well as a share: one report must not stop a small list.
        """
        if self.reports >= HOLD_REPORTS and self.reports >= HOLD_SHARE * self.mails:
            return f"{self.reports} of the last {self.mails:,} mails were reported as spam."
        if self.bounces >= HOLD_BOUNCES and self.bounces >= BOUNCE_SHARE * self.tried:
            return f"{self.bounces} of the last {self.tried:,} mails bounced."
        return None
