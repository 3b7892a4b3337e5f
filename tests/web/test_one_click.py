"""One-click unsubscribe (RFC 8058): reliability C15 to C19, each by its number."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from funnel.adapters import sendgrid_api, smtp_dialogue
from funnel.adapters.bells import CeleryBell
from funnel.adapters.mime import build_mime
from funnel.db.people import ConsentEvent, Subscriber, Suppression
from funnel.domain.delivery import PATIENCE
from funnel.domain.people import PersonState
from funnel.domain.ports import MailClass, Outcome
from funnel.links import LinkPurpose, Links
from funnel.runtime import TASKS
from tests.support import make
from tests.support.front_door import Door, open_door, words_of
from tests.support.house import SECRET
from tests.support.steps import drip_due, send

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FOREIGN = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)
MANY = 50
LAST_POSSIBLE_SECONDS = 35.0


def unsubscribe(door: Door, email: str = "ada@example.org") -> str:
    handle = make.person(door.house, email).public_id
    return f"/unsubscribe/{door.rt.links.token(LinkPurpose.UNSUBSCRIBE, handle)}"


def is_out(door: Door) -> bool:
    return make.person(door.house).state == PersonState.UNSUBSCRIBED


# --- C15: the headers ---------------------------------------------------------------------------


def test_c15_a_series_mail_names_the_link_that_works_on_lines_of_their_own(door: Door) -> None:
    drip_due(door.house)
    send(door.house)
    email = door.house.mailer.accepted[-1]
    lines = build_mime(email).split(b"\r\n\r\n")[0].split(b"\r\n")
    (named,) = [line for line in lines if line.startswith(b"List-Unsubscribe:")]
    (post,) = [line for line in lines if line.startswith(b"List-Unsubscribe-Post:")]
    assert post == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    found = re.fullmatch(rb"List-Unsubscribe: <http://localhost(/unsubscribe/\S+)>", named)
    assert found
    assert len(named) <= 998
    assert door.client.post(found[1].decode(), data=ONE_CLICK).status_code == 200
    assert is_out(door)


def test_c15_a_service_mail_names_none(door: Door) -> None:
    make.confirmed(door.house)
    make.complain(door.house)
    make.move(door.house, "ada@new.example.org")
    door.house.work()
    assert len(door.house.mailer.accepted) == 6
    for email in door.house.mailer.accepted:
        assert email.mail_class is not MailClass.DRIP
        assert b"List-Unsubscribe" not in build_mime(email)


# --- C16: the press of a mail program -----------------------------------------------------------


def test_c16_it_works_in_both_encodings_and_any_number_of_times(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    for number in range(MANY):
        kind = "multipart/form-data" if number % 2 else "application/x-www-form-urlencoded"
        answer = door.client.post(page, data=ONE_CLICK, content_type=kind, headers=FOREIGN)
        assert answer.status_code == 200, "and no redirect"
        assert "Set-Cookie" not in answer.headers
        assert is_out(door), "committed before it was answered"
    with door.rt.reading.begin() as session:
        withdrawn = select(func.count()).where(ConsentEvent.action == "withdrawn")
        assert session.scalar(withdrawn) == 1
        assert session.scalar(select(func.count()).select_from(Suppression)) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=utf-8"),
        (b"List-Unsubscribe=One-Click\r\n", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=one-click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click&List-Unsubscribe=One-Click", "text/plain"),
        (MULTIPART, "multipart/form-data; boundary=x"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"One-Click", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"", ""),
    ],
)
def test_c16_whatever_the_body_is_like_the_wish_is_clear(
    door: Door, body: bytes, kind: str
) -> None:
    make.confirmed(door.house)
    answer = door.client.post(unsubscribe(door), data=body, content_type=kind, headers=FOREIGN)
    assert answer.status_code == 200
    assert is_out(door)


def test_c16_for_somebody_deleted_since_it_is_fine(door: Door) -> None:
    token = door.rt.links.token(LinkPurpose.UNSUBSCRIBE, uuid4())
    for _ in range(3):
        assert door.client.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 200


def test_c16_a_link_of_three_years_ago_works_though_the_key_was_changed_since(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    door.house.clock.advance(timedelta(days=3 * 365))
    keys = ("a newer secret of more than thirty-two characters", SECRET)
    renewed = replace(door.rt, links=Links(door.house.rt.settings.base_url, keys))
    later = open_door(door.house, renewed)
    assert later.client.post(page, data=ONE_CLICK, headers=FOREIGN).status_code == 200
    assert is_out(door)


def test_c16_a_link_for_anything_else_unsubscribes_nobody(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.person(door.house).public_id
    for purpose in set(LinkPurpose) - {LinkPurpose.UNSUBSCRIBE}:
        path = f"/unsubscribe/{door.rt.links.token(purpose, handle)}"
        assert door.client.post(path, data=ONE_CLICK).status_code == 404
    assert not is_out(door)


# --- C17: looking is harmless -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_c17_looking_at_the_link_stops_nothing(door: Door, method: str) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    for _ in range(10):
        answer = door.client.open(page, method=method, headers=FOREIGN)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert not is_out(door)


def test_c17_the_page_is_a_button_and_a_way_back(door: Door) -> None:
    make.confirmed(door.house)
    assert "Yes, stop all emails" in words_of(door.get(unsubscribe(door)))
    answer = door.press(unsubscribe(door))
    assert answer.status_code == 200
    assert "We will be quiet" in words_of(answer.text)
    token = door.rt.links.token(LinkPurpose.PREFERENCES, make.person(door.house).public_id)
    assert f"/preferences/{token}" in answer.text
    assert is_out(door)


def test_c17_nobody_who_left_comes_back_by_an_old_confirm_link(door: Door) -> None:
    make.confirmed(door.house)
    handle = make.newest_confirmation(door.house)
    door.press(unsubscribe(door))
    link = f"/confirm/{door.rt.links.token(LinkPurpose.CONFIRM, handle)}"
    assert door.client.post(link).status_code == 410
    assert is_out(door)


# --- C18: how soon ------------------------------------------------------------------------------


@pytest.mark.parametrize("patience", [sendgrid_api.Patience(), smtp_dialogue.Patience()])
def test_c18_no_mail_is_begun_later_than_35_seconds_after_it_was_asked_about(
    patience: sendgrid_api.Patience | smtp_dialogue.Patience,
) -> None:
    """From the intent, which asks for the last time: so long until the call, so long within it."""
    assert PATIENCE.start_seconds + patience.begin <= LAST_POSSIBLE_SECONDS


# The race itself is tried in tests/services/test_suppression.py, on both databases.


# --- C19: what may be down ----------------------------------------------------------------------


@contextmanager
def redis_down(door: Door) -> Iterator[Door]:
    bell = CeleryBell("redis://127.0.0.1:1/0", TASKS)
    yield open_door(door.house, replace(door.rt, bell=bell))


def test_c19_it_works_while_redis_the_provider_and_the_worker_are_down(door: Door) -> None:
    drip_due(door.house)
    door.house.mailer.script = [Outcome.AMBIGUOUS] * 100
    with redis_down(door) as alone:
        answer = alone.client.post(unsubscribe(door), data=ONE_CLICK, headers=FOREIGN)
    assert answer.status_code == 200
    assert is_out(door)
    door.house.mailer.script = []
    door.house.hop(timedelta(days=20))
    assert [mail for mail in door.house.mailer.accepted if mail.mail_class is MailClass.DRIP] == []


def test_c19_without_a_database_it_is_never_answered_with_a_false_yes(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    with door.rt.sessions.begin() as session:
        session.execute(text("ALTER TABLE subscriber RENAME TO elsewhere"))
    answer = door.client.post(page, data=ONE_CLICK)
    assert answer.status_code == 503
    assert "We are resting for a moment" in words_of(answer.text)


def test_c19_a_commit_that_fails_is_no_yes_either(door: Door) -> None:
    make.confirmed(door.house)
    page = unsubscribe(door)
    with door.rt.sessions.begin() as session:
        session.execute(
            text(
                "CREATE TRIGGER no_more BEFORE INSERT ON suppression"
                " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
        )
    assert door.client.post(page, data=ONE_CLICK).status_code >= 500
    with door.rt.reading.begin() as session:
        assert session.scalars(select(Subscriber.state)).one() == PersonState.CONFIRMED
