"""SendGrid's suppression lists, a page at a time, and its erase job."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from funnel.adapters.sendgrid_api import Answer, AnswerLost, SendGridApi, Unreachable
from funnel.domain.errors import CannotTellNow, ProviderRefused
from funnel.domain.mail_account import Listed, ListName, ListPage

# An answer of more than 256 KB is cut short, and a reason may be long; SendGrid allows 500.
PAGE = 200
# SendGrid takes 5,000, and "256Kb" of them: so few fit also where that means bits.
ERASE_AT_ONCE = 100
ANSWER_SECONDS = 20.0
OK = 200
TAKEN = 202
TOO_MANY = 429


class SendGridLists:
    """Reads what SendGrid itself holds back; nothing is changed there."""

    def __init__(self, api: SendGridApi, seconds: float = ANSWER_SECONDS) -> None:
        self._api = api
        self._seconds = seconds

    def page(
        self, name: ListName, *, since: datetime | None, until: datetime, offset: int
    ) -> ListPage:
        asked = {"limit": PAGE, "offset": offset, "end_time": int(until.timestamp())}
        if since is not None:
            asked["start_time"] = int(since.timestamp())
        path = f"/v3/suppression/{name}?{urlencode(asked)}"
        answer = _ask(partial(self._api.get, path, self._seconds), OK)
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise CannotTellNow from error
        if not isinstance(found, list):
            raise CannotTellNow
        entries = (_listed(each) for each in found)
        is_last = len(found) < PAGE
        known = tuple(each for each in entries if each is not None)
        return ListPage(known, None if is_last else offset + PAGE)


class SendGridErasure:
    """Has SendGrid delete what it keeps about people: names, addresses, subjects, categories."""

    def __init__(self, api: SendGridApi, seconds: float = ANSWER_SECONDS) -> None:
        self._api = api
        self._seconds = seconds

    def erase(self, addresses: Sequence[str]) -> None:
        each_once = list(dict.fromkeys(addresses))
        for start in range(0, len(each_once), ERASE_AT_ONCE):
            some = each_once[start : start + ERASE_AT_ONCE]
            body = json.dumps({"email_addresses": some}).encode()
            _ask(partial(self._api.post, "/v3/recipients/erasejob", body, self._seconds), TAKEN)


def _ask(ask: Callable[[], Answer], wanted: int) -> Answer:
    """The answer, if it has that status; raises ProviderRefused or CannotTellNow."""
    try:
        answer = ask()
    except (Unreachable, AnswerLost) as error:
        raise CannotTellNow from error
    if answer.status == wanted:
        return answer
    if answer.status == TOO_MANY or answer.status // 100 != 4:
        raise CannotTellNow
    raise ProviderRefused


def _listed(found: object) -> Listed | None:
    """An entry of a list; None for one that is not as described."""
    try:
        address, created = found["email"], found["created"]  # type: ignore[index]
        return Listed(str(address), datetime.fromtimestamp(float(created), UTC))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
