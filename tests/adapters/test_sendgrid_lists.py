"""SendGrid's suppression lists page by page, and its erase job."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from funnel.adapters.absent import NothingKept
from funnel.adapters.sendgrid_api import SendGridApi
from funnel.adapters.sendgrid_lists import ERASE_AT_ONCE, PAGE, SendGridErasure, SendGridLists
from funnel.domain.errors import CannotTellNow, ProviderRefused
from funnel.domain.mail_account import Listed, ListName
from funnel.domain.ports import ProviderErasure, SuppressionLists
from tests.support.fake_sendgrid import BROKEN, RESET, THROTTLED, FakeSendGrid, Fault
from tests.support.live import api_of

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def api(fake_sendgrid: FakeSendGrid) -> Iterator[SendGridApi]:
    with closing(api_of(fake_sendgrid)) as opened:
        yield opened


@pytest.fixture
def lists(api: SendGridApi) -> SuppressionLists:
    return SendGridLists(api)


@pytest.fixture
def erasure(api: SendGridApi) -> ProviderErasure:
    return SendGridErasure(api)


def everything(
    lists: SuppressionLists, name: ListName, since: datetime | None = None
) -> list[Listed]:
    found: list[Listed] = []
    offset: int | None = 0
    while offset is not None:
        page = lists.page(name, since=since, until=NOW, offset=offset)
        found += page.entries
        offset = page.next_offset
    return found


@pytest.mark.parametrize("name", list(ListName))
def test_each_list_is_read(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists, name: ListName
) -> None:
    stamp = int((NOW - DAY).timestamp())
    fake_sendgrid.account.lists[name] = [("ada@example.org", stamp)]
    assert everything(lists, name) == [Listed("ada@example.org", NOW - DAY)]


@pytest.mark.parametrize("many", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
def test_a_list_of_any_length_is_read_to_its_end(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists, many: int
) -> None:
    stamp = int((NOW - DAY).timestamp())
    rows = [(f"reader{number}@example.org", stamp) for number in range(many)]
    fake_sendgrid.account.lists[ListName.BOUNCES] = rows
    found = everything(lists, ListName.BOUNCES)
    assert [(each.address, int(each.since.timestamp())) for each in found] == rows


def test_only_what_was_listed_in_that_time_is_asked_for(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists
) -> None:
    stamps = [int((NOW - days * DAY).timestamp()) for days in (9, 2, -1)]
    rows = [(f"reader{at}@example.org", stamp) for at, stamp in enumerate(stamps)]
    fake_sendgrid.account.lists[ListName.SPAM_REPORTS] = rows
    found = everything(lists, ListName.SPAM_REPORTS, NOW - 3 * DAY)
    assert [each.address for each in found] == ["reader1@example.org"]


@pytest.mark.parametrize(
    "fault",
    [THROTTLED, BROKEN, RESET, Fault(200, body=b"[{"), Fault(200, body=b"{}"), Fault(302)],
    ids=["429", "503", "reset", "cut", "an object", "elsewhere"],
)
def test_what_was_not_told_is_asked_for_later(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists, fault: Fault
) -> None:
    fake_sendgrid.account_faults.append(fault)
    with pytest.raises(CannotTellNow):
        lists.page(ListName.BOUNCES, since=None, until=NOW, offset=0)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_our_key_may_not_read_is_said_so(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists, status: int
) -> None:
    fake_sendgrid.account_faults.append(Fault(status))
    with pytest.raises(ProviderRefused):
        lists.page(ListName.BOUNCES, since=None, until=NOW, offset=0)


def test_an_entry_that_is_none_is_left_out_and_the_page_still_counts(
    fake_sendgrid: FakeSendGrid, lists: SuppressionLists
) -> None:
    odd = b'[{"email":"a@x.org"},{"created":1},7,null,{"email":"b@x.org","created":1e400},'
    good = b'{"email":"c@x.org","created":1795428000}]'
    fake_sendgrid.account_faults.append(Fault(200, body=odd + good))
    page = lists.page(ListName.BOUNCES, since=None, until=NOW, offset=0)
    assert [each.address for each in page.entries] == ["c@x.org"]
    assert page.next_offset is None


# The erase job -----------------------------------------------------------------------------------


def test_addresses_are_erased_each_once(
    fake_sendgrid: FakeSendGrid, erasure: ProviderErasure
) -> None:
    erasure.erase(["ada@example.org", "ben@example.org", "ada@example.org"])
    assert fake_sendgrid.account.erased == ["ada@example.org", "ben@example.org"]


def test_many_are_erased_in_requests_that_sendgrid_takes(
    fake_sendgrid: FakeSendGrid, erasure: ProviderErasure
) -> None:
    many = [f"{'x' * 60}{number:04}@{'y' * 60}.example.org" for number in range(251)]
    erasure.erase(many)
    assert fake_sendgrid.account.erased == many
    assert -(-len(many) // ERASE_AT_ONCE) == 3


def test_nobody_to_erase_asks_nothing(
    fake_sendgrid: FakeSendGrid, erasure: ProviderErasure
) -> None:
    fake_sendgrid.account.forbidden.add("/v3/recipients/erasejob")
    erasure.erase([])


@pytest.mark.parametrize("fault", [THROTTLED, BROKEN, RESET], ids=["429", "503", "reset"])
def test_an_erasure_that_was_not_taken_is_asked_for_again(
    fake_sendgrid: FakeSendGrid, erasure: ProviderErasure, fault: Fault
) -> None:
    fake_sendgrid.account_faults.append(fault)
    with pytest.raises(CannotTellNow):
        erasure.erase(["ada@example.org"])
    erasure.erase(["ada@example.org"])
    assert fake_sendgrid.account.erased == ["ada@example.org"]


def test_an_erasure_our_key_may_not_ask_for_is_said_so(
    fake_sendgrid: FakeSendGrid, erasure: ProviderErasure
) -> None:
    fake_sendgrid.account.forbidden.add("/v3/recipients/erasejob")
    with pytest.raises(ProviderRefused):
        erasure.erase(["ada@example.org"])


def test_where_nothing_is_kept_there_is_nothing_to_do() -> None:
    erasure: ProviderErasure = NothingKept()
    erasure.erase(["ada@example.org"])
