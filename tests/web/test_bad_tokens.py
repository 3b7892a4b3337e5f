"""Corpus S-bad-2: a token opens its own door in its own spelling, and nothing else opens any."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule

from funnel.links import LinkPurpose, Links
from funnel.web import so_far
from funnel.web.app import create_app
from funnel.web.so_far import SoFar
from tests.support import make
from tests.support.corpora import tokens
from tests.support.desk import csrf_of, setup_token, signed_in
from tests.support.hostile import Siege, changed, rows, under_siege

# Which token opens a route, by the first word of its path: a new one must be named here.
DOORS = {
    "confirm": "confirm",
    "change-address": "change",
    "keep-address": "keep-address",
    "your-data": "preferences",
    "guide": "guide",
    "thank-you": "guide",
    "challenge": "portal",
    "programme": "portal",
    "preferences": "preferences",
    "unsubscribe": "unsubscribe",
    "your-data/open": "your-data",
    "check-your-inbox": "sealed address",
    "desk": "set-up",
}
SHUT = {404, 410}
# To the page itself, whatever the token is: a form that came back with messages was reloaded.
LEADS_BACK = {"public.back_to_inbox", "choices.back"}
TOKEN_PARTS = ("token", "sealed")
OTHER_PARTS = {"number": "1", "name": "pain-relief-blueprint.pdf", "act": "pause"}


@pytest.fixture
def siege(
    prepared_sqlite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Siege]:
    with under_siege(prepared_sqlite, tmp_path, caplog) as begun:
        yield begun


def good_tokens(siege: Siege) -> dict[str, str]:
    """One token of every kind there is, each of which works somewhere."""
    house, links = siege.house, siege.door.rt.links
    ben = make.joined(house, "ben@example.org")
    change = make.ask_to_move(house, "ben@new.example.org", of="ben@example.org")
    handles = {
        LinkPurpose.CONFIRM: make.newest_confirmation(house, "ben@example.org"),
        LinkPurpose.CHANGE: change,
        LinkPurpose.KEEP_ADDRESS: change,
        LinkPurpose.GUIDE: ben.guide_handle,
        LinkPurpose.YOUR_DATA: make.asked_for_data(house, "ben@example.org"),
    }
    kinds = {str(p): links.token(p, handles.get(p, ben.subscriber_handle)) for p in LinkPurpose}
    return kinds | {
        "set-up": setup_token(house),
        "sealed address": links.seal("ben@example.org"),
        "self-check so far": so_far.seal(links, SoFar(so_far.URGENT, {}, {})),
        "form stamp": links.stamp(house.clock.machine()),
    }


def token_rules(siege: Siege) -> list[tuple[Rule, str]]:
    """Every route behind a token, and the kind that opens it."""
    found = [
        rule
        for rule in create_app(siege.house.rt).url_map.iter_rules()
        if rule.arguments & set(TOKEN_PARTS) and rule.endpoint not in LEADS_BACK
    ]
    assert len(found) > 15
    return [(rule, DOORS[door_of(rule)]) for rule in found]


def door_of(rule: Rule) -> str:
    """What stands before the token, or the first word of it."""
    before = rule.rule.partition("/<")[0].strip("/")
    return before if before in DOORS else before.split("/")[0]


def path_of(rule: Rule, token: str) -> str:
    parts = OTHER_PARTS | dict.fromkeys(TOKEN_PARTS, quote(token, safe=""))
    path = rule.rule.replace("<int:", "<")
    for name in rule.arguments:
        path = path.replace(f"<{name}>", parts[name])
    return path


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_a_token_of_each_kind_opens_its_own_doors_and_no_other(siege: Siege) -> None:
    kinds = good_tokens(siege)
    before = rows(siege.house)
    for rule, own in token_rules(siege):
        for kind, token in kinds.items():
            for method in methods_of(rule):
                path = path_of(rule, token)
                if kind != own:
                    status = siege.open(method, path, data={}).status_code
                    assert status in SHUT, f"{kind} opened {method} {rule.rule}: {status}"
                elif method == "GET":
                    assert siege.open("GET", path).status_code < 400, rule.rule
    assert changed(before, rows(siege.house)) == {}


def test_what_a_browser_of_the_desk_holds_opens_no_door_of_a_person(siege: Siege) -> None:
    desk = signed_in(siege.house)
    cookie = desk.get_cookie("desk")
    assert cookie is not None
    for token in (csrf_of(desk), cookie.value):
        rules = (rule for rule, _ in token_rules(siege) if "GET" in methods_of(rule))
        for rule in rules:
            assert siege.open("GET", path_of(rule, token)).status_code in SHUT | {405}


def test_no_token_works_that_was_bent_borrowed_or_made_up(siege: Siege) -> None:
    kinds = good_tokens(siege)
    foreign = Links("http://localhost", ["somebody-elses-secret-of-forty-characters"])
    handle = make.person(siege.house).public_id
    strangers = [foreign.token(purpose, handle) for purpose in LinkPurpose]
    rules = token_rules(siege)
    before, tried = rows(siege.house), 0
    for kind in sorted({own for _, own in rules}):
        doors = [(m, rule) for rule, own in rules if own == kind for m in methods_of(rule)]
        borrowed = [token for other, token in kinds.items() if other != kind]
        for number, bad in enumerate(tokens.spoiled(kinds[kind], [*borrowed, *strangers])):
            method, rule = doors[number % len(doors)]
            answer = siege.open(method, path_of(rule, bad), data={})
            if answer.status_code == 303:  # a bad one with a slash in it may lead to a page
                answer = siege.open("GET", answer.headers["Location"])
            status = answer.status_code
            assert 400 <= status < 500 or status == 308, f"{method} {rule.rule} by {bad[:90]!r}"
            tried += 1
    assert tried > 200 * len({own for _, own in rules})
    assert changed(before, rows(siege.house)) == {}


def test_a_sealed_address_may_be_spelled_in_one_way_only(siege: Siege) -> None:
    sealed = siege.door.rt.links.seal("ben@example.org")
    for bad in tokens.spoiled(sealed, []):
        answer = siege.post(f"/check-your-inbox/{quote(bad, safe='')}/resend", {})
        assert answer.status_code in SHUT | {400, 405, 308}, bad[:90]
    assert siege.post(f"/check-your-inbox/{sealed}/resend", {}).status_code == 303
