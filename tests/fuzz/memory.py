"""What the crowd itself remembers: enough to say which mail must never have gone to whom."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from funnel.domain.errors import InvalidInput
from funnel.domain.people import parse_address
from funnel.domain.ports import MailClass, OutgoingEmail

A_DAY = timedelta(days=1)
CONFIRMS_A_DAY = 2  # the first one, and one more by the button


@dataclass
class Memory:
    """By the key of an address: who asked, who pressed the button, who agreed to series mail."""

    asked: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    agreed: set[str] = field(default_factory=set)
    hurt: set[str] = field(default_factory=set)
    confirms: dict[str, list[datetime]] = field(default_factory=dict)

    def ask(self, typed: str) -> None:
        """Somebody typed this address into a form."""
        key = key_of(typed)
        if key is not None:
            self.asked.add(key)

    def press_confirm(self, address: str) -> None:
        """The button behind the link that was mailed to this address."""
        key = address.lower()
        if key not in self.hurt:
            self.confirmed.add(key)
            self.agreed.add(key)

    def agree(self, address: str) -> None:
        """A tick on the choices page, or the challenge joined."""
        self.agreed.add(address.lower())

    def leave(self, address: str) -> None:
        """Unsubscribed, or every tick taken away."""
        self.agreed.discard(address.lower())

    def complain(self, address: str) -> None:
        """Reported a mail as spam: from the next round on there is nothing at all."""
        self.leave(address)
        self.hurt.add(address.lower())

    def judge(self, mail: OutgoingEmail, now: datetime) -> str | None:
        """Why this mail must not have gone, or None."""
        key = mail.to_address.lower()
        if key not in self.asked:
            return "nobody asked for mail to this address"
        if key in self.hurt:
            return "it had been reported as spam"
        if mail.mail_class is MailClass.DRIP and key not in self.confirmed & self.agreed:
            return "series mail without a consent that stands"
        if mail.mail_class is MailClass.DELIVER and key not in self.confirmed:
            return "a guide before the address was confirmed"
        return self._judge_confirm(key, now) if mail.mail_class is MailClass.CONFIRM else None

    def _judge_confirm(self, key: str, now: datetime) -> str | None:
        lately = [at for at in self.confirms.get(key, []) if now - at < A_DAY]
        self.confirms[key] = [*lately, now]
        return "a third confirm mail in a day" if len(lately) >= CONFIRMS_A_DAY else None


def key_of(typed: str) -> str | None:
    """The key of an address that was typed; None when it is none."""
    try:
        return parse_address(typed).key
    except InvalidInput:
        return None
