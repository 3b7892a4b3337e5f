"""Who may enter the desk."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.desk import AuditEntry, SetupToken, Staff, StaffSession
from funnel.db.mail import RateWindow
from funnel.domain.errors import (
    InvalidInput,
    LinkExpired,
    LinkInvalid,
    SignedOut,
    TooManyTries,
    WrongPassword,
)
from funnel.services import accounts, browsers, staff

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD, PEPPER = "kettle lamp otter", b"pepper"
Sessions = sessionmaker[Session]


def _set_up(sessions: Sessions, now: datetime = NOW) -> browsers.SignedIn:
    with sessions.begin() as session:
        token = staff.make_setup_link(session, now=now)
        assert token is not None
        return staff.set_up(session, token, _account("Dr Reyes", "Reyes@Example.org"), now=now)


def _account(name: str, email: str) -> staff.NewAccount:
    return staff.new_account(name=name, email=email, password=PASSWORD)


def _sign_in(
    sessions: Sessions, email: str, password: str, now: datetime = NOW, ip_key: str = "192.0.2.1"
) -> browsers.SignedIn:
    with sessions.begin() as session:
        if not staff.count_try(session, email, ip_key=ip_key, pepper=PEPPER, now=now):
            raise TooManyTries
    with sessions.begin() as session:
        found = staff.find_account(session, email)
    account = staff.check_password(found, password)
    with sessions.begin() as session:
        return staff.sign_in(session, account, now=now)


def test_setup_link_is_made_only_while_nobody_may_sign_in(sessions: Sessions) -> None:
    _set_up(sessions)
    with sessions.begin() as session:
        assert staff.make_setup_link(session, now=NOW) is None


def test_setup_keeps_only_hashes(sessions: Sessions) -> None:
    with sessions.begin() as session:
        token = staff.make_setup_link(session, now=NOW)
    signed_in = _set_up(sessions)
    with sessions.begin() as session:
        person = session.scalars(select(Staff)).one()
        kept = session.scalars(select(SetupToken.token_sha256)).all()
        cookies = session.scalars(select(StaffSession.token_sha256)).all()
    assert person.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert token not in kept
    assert signed_in.token not in cookies


def test_a_new_setup_link_ends_the_older_one(sessions: Sessions) -> None:
    with sessions.begin() as session:
        older = staff.make_setup_link(session, now=NOW)
    with sessions.begin() as session:
        staff.make_setup_link(session, now=NOW)
    with sessions.begin() as session, pytest.raises(LinkInvalid):
        staff.check_setup(session, older or "", now=NOW)


def test_setup_link_lives_one_hour(sessions: Sessions) -> None:
    with sessions.begin() as session:
        token = staff.make_setup_link(session, now=NOW) or ""
    late = NOW + timedelta(hours=1)
    with sessions.begin() as session:
        staff.check_setup(session, token, now=late - timedelta(seconds=1))
        with pytest.raises(LinkExpired):
            staff.check_setup(session, token, now=late)


def test_setup_link_works_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        token = staff.make_setup_link(session, now=NOW) or ""
    for _ in range(2):
        with sessions.begin() as session:
            if staff.has_staff(session):
                with pytest.raises(LinkInvalid):
                    staff.set_up(session, token, _account("B", "b@example.org"), now=NOW)
            else:
                staff.set_up(session, token, _account("A", "a@example.org"), now=NOW)
    with sessions.begin() as session:
        assert session.scalars(select(Staff.email)).all() == ["a@example.org"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("password", {"password": "short"}),
        ("password", {"password": "reyesreyes2026"}),
        ("email", {"email": "not an address"}),
        ("name", {"name": "   "}),
    ],
)
def test_a_new_account_names_the_field_to_mend(field: str, values: dict[str, str]) -> None:
    given = {"name": "Dr Reyes", "email": "reyes@example.org", "password": PASSWORD} | values
    with pytest.raises(InvalidInput) as refused:
        staff.new_account(**given)
    assert refused.value.field == field


def test_signing_in_opens_a_session_of_its_own(sessions: Sessions) -> None:
    first = _set_up(sessions)
    second = _sign_in(sessions, " REYES@example.org ", PASSWORD)
    assert second.token != first.token
    with sessions.begin() as session:
        view = browsers.find_session(session, second.token, now=NOW)
    assert view is not None
    assert (view.name, view.csrf) == ("Dr Reyes", second.csrf)


@pytest.mark.parametrize("email", ["reyes@example.org", "nobody@example.org", "", "x" * 9000])
def test_wrong_password_and_unknown_address_get_the_same_answer(
    sessions: Sessions, email: str
) -> None:
    _set_up(sessions)
    with pytest.raises(WrongPassword):
        _sign_in(sessions, email, "kettle lamp ottar")


def test_eleventh_try_on_one_account_waits_even_with_the_right_password(
    sessions: Sessions,
) -> None:
    _set_up(sessions)
    for _ in range(10):
        with pytest.raises(WrongPassword):
            _sign_in(sessions, "reyes@example.org", "wrong")
    with pytest.raises(TooManyTries):
        _sign_in(sessions, "Reyes@Example.org", PASSWORD)
    later = NOW + timedelta(hours=1)
    assert _sign_in(sessions, "reyes@example.org", PASSWORD, now=later).token


def test_strangers_never_lock_the_owner_out(sessions: Sessions) -> None:
    _set_up(sessions)
    for number in range(40):
        with sessions.begin() as session:
            stranger = f"198.51.100.{number % 3}"
            staff.count_try(session, "reyes@example.org", ip_key=stranger, pepper=PEPPER, now=NOW)
    assert _sign_in(sessions, "reyes@example.org", PASSWORD).token


def test_counted_tries_name_neither_account_nor_visitor(sessions: Sessions) -> None:
    _set_up(sessions)
    with pytest.raises(WrongPassword):
        _sign_in(sessions, "reyes@example.org", "wrong")
    with sessions.begin() as session:
        keys = session.scalars(select(RateWindow.key)).all()
    plain = hashlib.sha256(b"reyes@example.org").hexdigest()
    assert len(keys) == 2
    assert not [key for key in keys if "192.0.2" in key or "reyes" in key or plain in key]


def test_one_visitor_gets_twenty_tries_an_hour_over_all_accounts(sessions: Sessions) -> None:
    _set_up(sessions)
    for number in range(20):
        with pytest.raises(WrongPassword):
            _sign_in(sessions, f"guess{number}@example.org", "wrong")
    with pytest.raises(TooManyTries):
        _sign_in(sessions, "reyes@example.org", PASSWORD)


def test_an_older_hash_is_made_stronger_at_sign_in(sessions: Sessions) -> None:
    _set_up(sessions)
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with sessions.begin() as session:
        session.scalars(select(Staff)).one().password_hash = weak
    _sign_in(sessions, "reyes@example.org", PASSWORD)
    with sessions.begin() as session:
        assert "m=19456,t=2,p=1" in session.scalars(select(Staff.password_hash)).one()


def test_session_ends_after_half_an_hour_of_nothing(sessions: Sessions) -> None:
    token = _set_up(sessions).token
    with sessions.begin() as session:
        assert browsers.find_session(session, token, now=NOW + timedelta(minutes=29))
        assert browsers.find_session(session, token, now=NOW + timedelta(minutes=30)) is None


def test_session_in_use_still_ends_after_twelve_hours(sessions: Sessions) -> None:
    token = _set_up(sessions).token
    moment = NOW
    while moment < NOW + timedelta(hours=12):
        with sessions.begin() as session:
            assert browsers.find_session(session, token, now=moment) is not None
            browsers.keep_alive(session, token, now=moment)
        moment += timedelta(minutes=20)
    with sessions.begin() as session:
        assert browsers.find_session(session, token, now=moment) is None


def test_session_asks_to_be_kept_alive_at_most_once_a_minute(sessions: Sessions) -> None:
    token = _set_up(sessions).token
    with sessions.begin() as session:
        fresh = browsers.find_session(session, token, now=NOW + timedelta(seconds=59))
        older = browsers.find_session(session, token, now=NOW + timedelta(seconds=60))
    assert fresh is not None
    assert older is not None
    assert (fresh.needs_keep_alive, older.needs_keep_alive) == (False, True)


def test_signing_out_ends_the_session_on_the_server(sessions: Sessions) -> None:
    token = _set_up(sessions).token
    for _ in range(2):
        with sessions.begin() as session:
            staff.sign_out(session, token, now=NOW)
    with sessions.begin() as session:
        assert browsers.find_session(session, token, now=NOW) is None
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert list(actions) == ["set up the desk", "signed out"]


def test_control_characters_never_reach_the_list_of_what_was_done(sessions: Sessions) -> None:
    _set_up(sessions)
    with sessions.begin() as session:
        staff.note(session, None, "tried", "a\r\nfake line \x1b[31m", now=NOW)
    with sessions.begin() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.subject.isprintable()


def test_what_was_done_cannot_be_changed(sessions: Sessions) -> None:
    _set_up(sessions)
    with pytest.raises(DatabaseError, match="never changed"), sessions.begin() as session:
        session.execute(update(AuditEntry).values(action="nothing"))
    with sessions.begin() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["set up the desk"]


def test_a_password_changed_meanwhile_is_not_brought_back_by_a_slow_sign_in(
    sessions: Sessions,
) -> None:
    token = _set_up(sessions).token
    with sessions.begin() as session:
        slow = staff.check_password(staff.find_account(session, "reyes@example.org"), PASSWORD)
    with sessions.begin() as session:
        accounts.change_password(session, slow.id, token, "a newer hash", now=NOW)
    with sessions.begin() as session, pytest.raises(WrongPassword):
        staff.sign_in(session, slow, now=NOW)
    with sessions.begin() as session:
        assert session.scalars(select(Staff.password_hash)).one() == "a newer hash"
        live = select(StaffSession).where(StaffSession.ended_at.is_(None))
        assert len(session.scalars(live).all()) == 1


def test_of_two_new_passwords_at_a_time_the_second_browser_is_told_it_is_signed_out(
    sessions: Sessions,
) -> None:
    first = _set_up(sessions)
    second = _sign_in(sessions, "reyes@example.org", PASSWORD)
    with sessions.begin() as session:
        accounts.change_password(session, 1, first.token, "the first", now=NOW)
    with pytest.raises(SignedOut), sessions.begin() as session:
        accounts.change_password(session, 1, second.token, "the second", now=NOW)
    with sessions.begin() as session:
        assert session.scalars(select(Staff.password_hash)).one() == "the first"
