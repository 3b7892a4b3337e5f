"""Answers of the self-check: kept only by consent, sealed, and gone when their time is over."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from funnel.db.people import KeptAnswers
from funnel.domain.guides import Edition
from funnel.domain.self_check import pattern_for, told
from funnel.services import suppression
from funnel.services.self_check import house_parts
from funnel.services.signup import CONFIRM_LIFE
from funnel.vault import Vault
from tests.support import make
from tests.support.answers import confirm_mails, health_evidence, kept, told_lines, waiting
from tests.support.house import House
from tests.support.prints import (
    all_keys,
    file_of,
    personal,
    press_button,
    print_row,
    ready_mails,
    view,
)

DAY = timedelta(days=1)


@pytest.fixture
def answers(house: House) -> dict[str, str]:
    return make.some_answers(house)


def forget(house: House) -> None:
    """The timer's round."""
    house.rt.worker.tick()
    house.work()


def test_answers_with_consent_make_the_guide_hers(house: House, answers: dict[str, str]) -> None:
    make.confirmed(house, health=True, answers=answers)
    check = house.rt.catalog.self_check
    document = personal(house)[0]
    assert document["pattern"]["key"] == pattern_for(check, answers).key  # type: ignore[index]  # a mapping
    assert document["told"] == list(told(check, answers))
    assert kept(house) == 1
    assert waiting(house) == 0, "they are kept in one place only"


def test_answers_without_consent_are_kept_nowhere(house: House, answers: dict[str, str]) -> None:
    make.request(house, health=False, answers=answers)
    assert waiting(house) == 0
    house.work()
    make.confirm(house)
    house.work()
    assert kept(house) == 0
    document = personal(house)[0]
    assert document["first_name"] == "Ada"
    assert "pattern" not in document
    assert "told" not in document


def test_answers_wait_sealed_for_the_confirmation_and_go_when_it_never_comes(
    house: House, answers: dict[str, str]
) -> None:
    make.request(house, health=True, answers=answers)
    assert waiting(house) == 1
    house.clock.advance(CONFIRM_LIFE - DAY)
    forget(house)
    assert waiting(house) == 1
    house.clock.advance(DAY)
    forget(house)
    assert waiting(house) == 0
    assert kept(house) == 0


def test_nothing_of_them_can_be_read_in_the_database(
    house: House, answers: dict[str, str], tmp_path: Path
) -> None:
    make.confirmed(house, health=True, answers=answers)
    make.request(house, "ben@example.org", name="Ben", health=True, answers=answers)
    copy = tmp_path / "copy.db"
    with house.rt.engine.connect() as connection:
        connection.execute(text("COMMIT"))
        connection.execute(text(f"VACUUM INTO '{copy}'"))
    content = copy.read_bytes()
    check = house.rt.catalog.self_check
    words = [pattern_for(check, answers).headline, *told(check, answers)]
    words += [f'"{question.key}"' for question in check.questions]
    for word in words:
        assert word.encode() not in content, word


def test_nothing_of_them_is_in_a_mail_a_log_or_a_files_name(
    house: House, answers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    make.confirmed(house, health=True, answers=answers)
    house.hop(20 * DAY)
    check = house.rt.catalog.self_check
    pattern = pattern_for(check, answers)
    for email in house.mailer.accepted:
        whole = f"{email.subject} {email.html} {email.text} {email.list_unsubscribe_url}"
        assert not [word for word in (pattern.name, pattern.headline) if word in whole]
    names = all_keys(house)
    for said in (caplog.text, *names):
        assert pattern.key not in said
        assert not [line for line in told(check, answers) if line in said]


def test_withdrawing_deletes_them_and_prints_the_guide_without(
    house: House, answers: dict[str, str]
) -> None:
    handle = make.confirmed(house, health=True, answers=answers).guide_handle
    before = print_row(house).storage_key
    make.forget_answers(house)
    assert kept(house) == 0
    assert file_of(house, handle) is None, "no copy with the answers is handed out any more"
    house.work()
    assert "pattern" not in personal(house)[-1]
    assert print_row(house).storage_key != before
    assert press_button(house, handle)
    assert ready_mails(house) == 1
    assert "health" not in [row.purpose for row in make.person(house).consents]


def test_withdrawing_takes_every_edition_with_it(house: House, answers: dict[str, str]) -> None:
    handle = make.confirmed(house, health=True, answers=answers).guide_handle
    press_button(house, handle, Edition.LARGE)
    house.work()
    make.forget_answers(house)
    for edition in Edition:
        assert file_of(house, handle, edition) is None
    house.work()
    assert all("pattern" not in document for document in personal(house)[-3:])


def test_withdrawing_while_the_guide_is_being_made_wins(
    house: House, answers: dict[str, str]
) -> None:
    make.request(house, health=True, answers=answers)
    house.work()
    handle = make.confirm(house).guide_handle
    press = house.press.press

    def meanwhile(*args: object) -> object:
        house.press.press = press  # type: ignore[method-assign]  # once
        make.forget_answers(house)
        return press(*args)  # type: ignore[arg-type]  # handed on as it came

    house.press.press = meanwhile  # type: ignore[method-assign, assignment]  # for one call
    assert house.rt.worker.printer.make_next()
    assert file_of(house, handle) is None
    house.work()
    content = file_of(house, handle)
    assert content is not None
    assert b"'pattern'" not in content


def test_the_timer_lets_them_go_with_evidence(house: House, answers: dict[str, str]) -> None:
    handle = make.confirmed(house, health=True, answers=answers).guide_handle
    house.clock.advance(timedelta(days=house.rt.catalog.self_check.keep_days) - DAY)
    forget(house)
    assert kept(house) == 1
    house.clock.advance(DAY)
    forget(house)
    assert kept(house) == 0
    assert "health" not in [row.purpose for row in make.person(house).consents]
    assert health_evidence(house) == ["asked", "confirmed", "expired"]
    house.work()
    assert view(house, handle).guide.is_ready
    assert "pattern" not in personal(house)[-1]


def test_new_answers_of_somebody_known_wait_for_the_mailbox_to_agree(
    house: House, answers: dict[str, str]
) -> None:
    make.confirmed(house, health=True, answers=answers)
    other = make.some_answers(house, 1)
    house.clock.advance(2 * DAY)
    make.request(house, health=True, answers=other)
    house.work()
    assert personal(house)[-1]["told"] == told_lines(house, answers)
    assert confirm_mails(house) == 2
    make.confirm(house)
    house.work()
    assert personal(house)[-1]["told"] == told_lines(house, other)
    assert kept(house) == 1
    actions = health_evidence(house)
    assert actions == ["asked", "confirmed", "asked", "confirmed"], "each yes has its line"


def test_whoever_gets_no_mail_at_all_can_delete_her_answers(
    house: House, answers: dict[str, str]
) -> None:
    make.confirmed(house, health=True, answers=answers)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        suppression.bounce(session, person, links=house.rt.links, now=house.clock.now())
    make.forget_answers(house)
    make.forget_answers(house)
    assert kept(house) == 0
    assert "health" not in [row.purpose for row in make.person(house).consents]


def test_deleting_the_answers_leaves_the_mails_alone(house: House, answers: dict[str, str]) -> None:
    make.confirmed(house, series=True, health=True, answers=answers)
    make.forget_answers(house)
    person = make.person(house)
    assert (person.state, person.unsubscribed_at) == ("confirmed", None)
    assert [row.purpose for row in person.consents] == ["series"]


def test_unsubscribing_lets_go_of_answers_that_wait(house: House, answers: dict[str, str]) -> None:
    make.confirmed(house)
    house.clock.advance(2 * DAY)
    make.request(house, health=True, answers=answers)
    assert waiting(house) == 1
    make.unsubscribed(house)
    assert waiting(house) == 0


def test_a_reader_without_a_pattern_can_get_one_later(
    house: House, answers: dict[str, str]
) -> None:
    handle = make.confirmed(house).guide_handle
    assert "pattern" not in personal(house)[-1]
    house.clock.advance(2 * DAY)
    make.request(house, health=True, answers=answers)
    house.work()
    make.confirm(house)
    assert view(house, handle).is_waiting
    house.work()
    assert "pattern" in personal(house)[-1]


def test_answers_no_key_opens_any_more_leave_a_plain_guide(
    house: House, answers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    make.request(house, health=True, answers=answers)
    house.work()
    make.confirm(house)
    with house.rt.sessions.begin() as session:
        row = session.scalars(select(KeptAnswers)).one()
        row.sealed = Vault(["another key that is long enough to be one"]).seal(b"{}")
    house.work()
    assert "pattern" not in personal(house)[0]
    assert "no key in SECRET_KEY opens" in caplog.text


def test_an_older_key_still_opens_what_it_sealed() -> None:
    old, new = "an old key of more than thirty-two characters", "a new key, just as long as that"
    sealed = Vault([old]).seal(b"answers")
    assert Vault([new, old]).open(sealed) == b"answers"
    assert Vault([new, old]).name(b"x") == Vault([old]).name(b"x")


def test_there_is_a_made_up_reader_for_every_pattern(house: House) -> None:
    check = house.rt.catalog.self_check
    assert set(house_parts(check)) == {"", *(pattern.key for pattern in check.patterns)}


def test_the_length_of_what_is_sealed_tells_nothing(house: House) -> None:
    sealed = [house.rt.keeper.seal(make.some_answers(house, place)) for place in (0, 1)]
    assert len({len(each) for each in sealed}) == 1
    assert len(house.rt.keeper.seal({})) == len(sealed[0])
