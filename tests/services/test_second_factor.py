"""The second step: a code works once, for half a minute; paper takes the phone's place once."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.desk import AuditEntry, RecoveryCode, Staff, StaffSession
from funnel.db.mail import RateWindow
from funnel.domain.errors import NotFound, SignedOut, WrongCode
from funnel.domain.people import parse_address
from funnel.domain.second_factor import STEP_SECONDS
from funnel.services import accounts, browsers, second_factor, staff
from funnel.services.browsers import SignedIn, StaffView
from funnel.services.second_factor import TurnedOn
from funnel.services.staff import Account, NewAccount
from funnel.vault import Vault
from tests.support.house import SECRET

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=STEP_SECONDS)
LATER = NOW + 2 * STEP
EMAIL, PEPPER = "reyes@example.org", b"pepper"
HASH = "what a password is checked against elsewhere"
VAULT = Vault([SECRET])
Sessions = sessionmaker[Session]


def set_up(sessions: Sessions) -> SignedIn:
    account = NewAccount(parse_address(EMAIL), "Dr Reyes", HASH)
    with sessions.begin() as session:
        token = staff.make_setup_link(session, now=NOW) or ""
        return staff.set_up(session, token, account, now=NOW)


def give_password(sessions: Sessions, now: datetime = LATER) -> SignedIn:
    with sessions.begin() as session:
        return staff.sign_in(session, Account(1, HASH), now=now)


def find(sessions: Sessions, signed_in: SignedIn, now: datetime = LATER) -> StaffView | None:
    with sessions.begin() as session:
        return browsers.find_session(session, signed_in.token, now=now)


def turn_on(sessions: Sessions, signed_in: SignedIn, now: datetime = NOW) -> TurnedOn:
    code = TOTP(second_factor.offered_secret(VAULT, signed_in.token)).at(now)
    with sessions.begin() as session:
        return second_factor.turn_on(session, 1, signed_in.token, code, vault=VAULT, now=now)


def prove(
    sessions: Sessions, signed_in: SignedIn, code: str, now: datetime = LATER, vault: Vault = VAULT
) -> SignedIn:
    with sessions.begin() as session:
        return second_factor.prove(session, 1, signed_in.token, code, vault=vault, now=now)


@pytest.fixture
def first(sessions: Sessions) -> SignedIn:
    """The session of setting up."""
    return set_up(sessions)


@pytest.fixture
def app(first: SignedIn) -> TOTP:
    """The app on the phone, once it has scanned what that session is offered."""
    return TOTP(second_factor.offered_secret(VAULT, first.token))


@pytest.fixture
def on(sessions: Sessions, first: SignedIn) -> TurnedOn:
    """The second step is set up."""
    return turn_on(sessions, first)


def test_secret_is_offered_to_one_session_and_stays_the_same(first: SignedIn) -> None:
    offered = second_factor.offered_secret(VAULT, first.token)
    assert offered == second_factor.offered_secret(VAULT, first.token)
    assert offered != second_factor.offered_secret(VAULT, "another")
    assert offered != second_factor.offered_secret(Vault(["another key" * 4]), first.token)
    assert re.fullmatch("[A-Z2-7]{32}", offered)


def test_setting_up_keeps_the_secret_and_the_codes_only_sealed(
    sessions: Sessions, app: TOTP, on: TurnedOn
) -> None:
    with sessions.begin() as session:
        person = session.scalars(select(Staff)).one()
        kept = session.scalars(select(RecoveryCode.code_name)).all()
    assert app.secret.encode() not in (person.totp_sealed or b"")
    assert VAULT.open(person.totp_sealed or b"") == app.secret.encode()
    assert len(set(on.codes)) == len(set(kept)) == 10
    assert not [code for code in on.codes if code in kept or code.replace("-", "") in kept]
    assert all(re.fullmatch(r"([a-z2-9]{4}-){2}[a-z2-9]{4}", code) for code in on.codes)
    assert on.codes[0] not in repr(on)


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "abcdef", "１２３４５６"])
def test_a_wrong_code_switches_nothing_on(sessions: Sessions, first: SignedIn, code: str) -> None:
    with pytest.raises(WrongCode), sessions.begin() as session:
        second_factor.turn_on(session, 1, first.token, code, vault=VAULT, now=NOW)
    view = find(sessions, first, NOW)
    assert view is not None
    assert not view.has_second_factor


def test_setting_up_renews_this_session_and_ends_all_others(
    sessions: Sessions, first: SignedIn
) -> None:
    other = give_password(sessions, NOW)
    on = turn_on(sessions, first)
    assert find(sessions, first, NOW) is None
    assert find(sessions, other, NOW) is None
    view = find(sessions, on.signed_in, NOW)
    assert view is not None
    assert (view.has_second_factor, view.needs_code) == (True, False)


@pytest.mark.usefixtures("on")
def test_password_alone_opens_nothing_and_runs_out_in_ten_minutes(sessions: Sessions) -> None:
    halfway = give_password(sessions)
    view = find(sessions, halfway)
    assert view is not None
    assert view.needs_code
    ten = timedelta(minutes=10)
    assert find(sessions, halfway, LATER + ten - timedelta(seconds=1)) is not None
    assert find(sessions, halfway, LATER + ten) is None


@pytest.mark.usefixtures("on")
def test_the_right_code_opens_a_session_of_its_own(sessions: Sessions, app: TOTP) -> None:
    halfway = give_password(sessions)
    proved = prove(sessions, halfway, app.at(LATER))
    assert proved.token != halfway.token
    assert proved.csrf != halfway.csrf
    assert find(sessions, halfway) is None
    view = find(sessions, proved)
    assert view is not None
    assert not view.needs_code


@pytest.mark.usefixtures("on")
def test_a_code_may_be_typed_with_spaces(sessions: Sessions, app: TOTP) -> None:
    code = app.at(LATER)
    assert prove(sessions, give_password(sessions), f" {code[:3]} {code[3:]} ").token


@pytest.mark.usefixtures("on")
def test_a_code_works_once(sessions: Sessions, app: TOTP) -> None:
    prove(sessions, give_password(sessions), app.at(LATER))
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions), app.at(LATER))


@pytest.mark.usefixtures("on")
def test_the_code_that_set_it_up_does_not_sign_in(sessions: Sessions, app: TOTP) -> None:
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions, NOW), app.at(NOW), NOW)


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize(
    ("steps_ago", "works"), [(-1, False), (0, True), (1, True), (2, False), (20, False)]
)
def test_only_this_half_minute_and_the_one_before_count(
    sessions: Sessions, app: TOTP, steps_ago: int, works: bool
) -> None:
    much_later = NOW + 100 * STEP
    halfway = give_password(sessions, much_later)
    code = app.at(much_later - steps_ago * STEP)
    if works:
        assert prove(sessions, halfway, code, much_later).token
    else:
        with pytest.raises(WrongCode):
            prove(sessions, halfway, code, much_later)


@pytest.mark.usefixtures("on")
def test_after_a_code_the_one_before_it_is_over_too(sessions: Sessions, app: TOTP) -> None:
    prove(sessions, give_password(sessions), app.at(LATER))
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions), app.at(LATER - STEP))


@pytest.mark.usefixtures("on")
def test_of_many_at_a_time_one_code_opens_one_session(sessions: Sessions, app: TOTP) -> None:
    halfway = [give_password(sessions) for _ in range(8)]
    opened, start = list[SignedIn](), threading.Barrier(8)

    def try_it(signed_in: SignedIn) -> None:
        start.wait()
        try:
            opened.append(prove(sessions, signed_in, app.at(LATER)))
        except WrongCode:
            return

    threads = [threading.Thread(target=try_it, args=(each,)) for each in halfway]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_a_code_on_paper_works_once_however_it_is_typed(sessions: Sessions, on: TurnedOn) -> None:
    typed = on.codes[3].upper().replace("-", " ")
    assert prove(sessions, give_password(sessions), typed).token
    for again in (typed, on.codes[3]):
        with pytest.raises(WrongCode):
            prove(sessions, give_password(sessions), again)
    with sessions.begin() as session:
        assert second_factor.standing(session, 1).codes_left == 9


def test_new_codes_end_the_old_ones(sessions: Sessions, on: TurnedOn) -> None:
    with sessions.begin() as session:
        newer = second_factor.renew_codes(session, 1, vault=VAULT, now=NOW)
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions), on.codes[0])
    assert prove(sessions, give_password(sessions), newer[0]).token


def test_codes_of_one_house_are_worthless_in_another(sessions: Sessions, on: TurnedOn) -> None:
    stolen = Vault(["somebody-elses-secret-of-forty-characters"])
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions), on.codes[0], vault=stolen)


@pytest.mark.usefixtures("on")
def test_a_newer_key_seals_the_secret_anew_at_the_next_sign_in(
    sessions: Sessions, app: TOTP
) -> None:
    newer = "a-newer-key-of-more-than-thirty-two-characters"
    prove(sessions, give_password(sessions), app.at(LATER), vault=Vault([newer, SECRET]))
    with sessions.begin() as session:
        sealed = session.scalars(select(Staff.totp_sealed)).one()
    assert Vault([newer]).open(sealed or b"") == app.secret.encode()


def test_without_its_key_the_phone_fits_no_more_but_the_paper_does(
    sessions: Sessions, app: TOTP, on: TurnedOn
) -> None:
    middle = "a-middle-key-of-more-than-thirty-two-characters"
    prove(sessions, give_password(sessions), app.at(LATER), vault=Vault([middle, SECRET]))
    later = LATER + STEP
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions, later), app.at(later), later)
    assert prove(sessions, give_password(sessions, later), on.codes[0], later).token


def test_a_session_that_is_over_proves_nothing(sessions: Sessions, app: TOTP, on: TurnedOn) -> None:
    halfway = give_password(sessions)
    with sessions.begin() as session:
        staff.sign_out(session, halfway.token, now=LATER)
    with pytest.raises(SignedOut):
        prove(sessions, halfway, app.at(LATER))
    with pytest.raises(SignedOut):
        prove(sessions, halfway, on.codes[0])
    with sessions.begin() as session:
        assert second_factor.standing(session, 1).codes_left == 10, "it was not used up"


@pytest.mark.usefixtures("on")
def test_code_of_a_phone_replaced_meanwhile_does_not_bring_the_old_phone_back(
    sessions: Sessions, app: TOTP, on: TurnedOn
) -> None:
    newer = TOTP(second_factor.offered_secret(VAULT, on.signed_in.token))
    turn_on(sessions, on.signed_in, LATER)
    with pytest.raises(WrongCode):
        prove(sessions, give_password(sessions, LATER + STEP), app.at(LATER + STEP), LATER + STEP)
    halfway = give_password(sessions, LATER + STEP)
    assert prove(sessions, halfway, newer.at(LATER + STEP), LATER + STEP).token


def count(sessions: Sessions, code: str, ip_key: str, now: datetime = LATER) -> bool:
    with sessions.begin() as session:
        return second_factor.count_try(session, 1, code, ip_key=ip_key, pepper=PEPPER, now=now)


@pytest.mark.usefixtures("on")
def test_one_visitor_gets_ten_tries_of_a_code_an_hour(sessions: Sessions) -> None:
    assert [count(sessions, "123456", "192.0.2.1") for _ in range(11)] == [True] * 10 + [False]
    assert count(sessions, "123456", "192.0.2.1", LATER + timedelta(hours=1))


@pytest.mark.usefixtures("on")
def test_many_visitors_together_cannot_guess_and_the_owner_gets_in_with_paper(
    sessions: Sessions,
) -> None:
    tries = [count(sessions, "123456", f"192.0.2.{number}") for number in range(30)]
    assert tries == [True] * 20 + [False] * 10
    assert count(sessions, "abcd-efgh-jkmn", "198.51.100.7")


@pytest.mark.usefixtures("on")
def test_owner_sees_that_tries_were_refused_once_an_hour(sessions: Sessions) -> None:
    for _ in range(15):
        count(sessions, "123456", "192.0.2.1")
    with sessions.begin() as session:
        lines = [line.what for line in accounts.lately(session, 1)]
    assert lines.count("refused more tries of the code") == 1


@pytest.mark.usefixtures("on")
def test_counted_codes_name_no_visitor(sessions: Sessions) -> None:
    count(sessions, "123456", "192.0.2.1")
    with sessions.begin() as session:
        keys = session.scalars(select(RateWindow.key)).all()
    assert keys
    assert not [key for key in keys if "192.0.2" in key or "123456" in key]


def test_a_lost_second_step_is_taken_away_on_the_server(sessions: Sessions, on: TurnedOn) -> None:
    with sessions.begin() as session:
        second_factor.reset(session, "Reyes@Example.org", now=LATER)
    assert find(sessions, on.signed_in) is None
    view = find(sessions, give_password(sessions))
    assert view is not None
    assert (view.has_second_factor, view.needs_code) == (False, False)
    with sessions.begin() as session:
        assert session.scalars(select(RecoveryCode)).all() == []
        actions = session.execute(select(AuditEntry.staff_id, AuditEntry.action)).all()
    assert (None, "took the second step away on the server") in [tuple(row) for row in actions]


def test_an_unknown_account_has_nothing_to_reset(sessions: Sessions, first: SignedIn) -> None:
    with pytest.raises(NotFound), sessions.begin() as session:
        second_factor.reset(session, "nobody@example.org", now=NOW)
    assert find(sessions, first, NOW) is not None


def test_switching_off_ends_every_other_session(
    sessions: Sessions, app: TOTP, on: TurnedOn
) -> None:
    other = prove(sessions, give_password(sessions), app.at(LATER))
    with sessions.begin() as session:
        left = second_factor.turn_off(session, 1, on.signed_in.token, now=LATER)
    assert find(sessions, other) is None
    assert find(sessions, on.signed_in) is None
    view = find(sessions, left)
    assert view is not None
    assert not view.has_second_factor


def test_a_renewed_session_lives_no_longer_than_the_first_would_have(
    sessions: Sessions, on: TurnedOn
) -> None:
    with sessions.begin() as session:
        begun = session.scalars(
            select(StaffSession.created_at).where(StaffSession.ended_at.is_(None))
        ).one()
    assert begun == NOW
    assert find(sessions, on.signed_in, NOW + timedelta(hours=12)) is None
