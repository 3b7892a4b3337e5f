"""Every error the funnel raises on purpose; the docstring is the default message."""


class FunnelError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class InvalidInput(FunnelError):
    """Please check what you typed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class CannotTellNow(FunnelError):
    """The provider could not be asked now, but may tell later."""


class ProviderRefused(FunnelError):
    """The provider does not let our key do that."""


class LinkExpired(FunnelError):
    """This link has run out."""


class AddressTaken(FunnelError):
    """This address cannot be used."""


class LinkInvalid(FunnelError):
    """This link does not work."""


class NotFound(FunnelError):
    """There is nothing here."""


class DayLocked(FunnelError):
    """This day is not open yet."""


class WrongPassword(FunnelError):
    """That email and password do not match."""


class WrongCode(FunnelError):
    """That code does not fit. Each works once, and the phone shows a new one every half minute."""


class SignedOut(FunnelError):
    """You have been signed out."""


class TooManyTries(FunnelError):
    """Too many tries. Please wait a while and try again."""


class WebhookRefused(FunnelError):
    """The signature of this webhook does not verify."""


class ContentInvalid(FunnelError):
    """The texts have problems."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


class TextChanged(FunnelError):
    """Somebody published another version meanwhile. Look at it first, then publish yours."""


class SettingInvalid(FunnelError):
    """A setting is wrong."""


class VaultLocked(FunnelError):
    """What was kept cannot be opened with today's keys."""


class GuideFailed(FunnelError):
    """The guide could not be made."""


class MailRefused(FunnelError):
    """This email may not leave as it is."""
