"""What a person chooses to get."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from funnel.db.people import ConsentEvent, Suppression
from funnel.domain.enrolment import EnrolmentState
from funnel.domain.errors import LinkInvalid
from funnel.domain.people import PersonState, SuppressionReason
from funnel.domain.sequence import Fact
from funnel.services import preferences, suppression
from funnel.services.facts import record_fact
from funnel.services.preferences import Choice
from tests.support import make
from tests.support.editing import mail_source, publish, sequence_source
from tests.support.house import House

DAY = timedelta(days=1)


def view(house: House) -> preferences.PreferencesView:
    with house.rt.reading.begin() as session:
        return preferences.preferences_view(
            session, make.person(house).public_id, now=house.clock.now()
        )


def consents(house: House) -> list[str]:
    return [row.purpose for row in make.person(house).consents]


def choose(house: House, choice: Choice) -> None:
    with house.rt.sessions.begin() as session:
        preferences.choose(
            session,
            make.person(house).public_id,
            choice,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )


def count_evidence(house: House) -> int:
    with house.rt.reading.begin() as session:
        return len(session.scalars(select(ConsentEvent)).all())


def test_the_guide_alone_is_less_mail_and_no_farewell(each_house: House) -> None:
    house = each_house
    make.confirmed(house)
    choose(house, Choice.GUIDE)
    person = make.person(house)
    assert (person.state, person.unsubscribed_at) == (PersonState.CONFIRMED, None)
    assert view(house).choice is Choice.GUIDE
    assert consents(house) == []
    assert make.enrolment(house, "nurture").state == EnrolmentState.STOPPED
    with house.rt.reading.begin() as session:
        assert session.scalars(select(Suppression)).all() == []
    make.ask_again(house)
    house.hop(20 * DAY)
    assert [email.subject for email in house.mailer.accepted[2:]] == ["Your guide is ready"]


def test_each_choice_leaves_evidence_of_what_it_grants_and_ends(house: House) -> None:
    make.joined(house)
    choose(house, Choice.CHALLENGE)
    choose(house, Choice.GUIDE)
    choose(house, Choice.EVERYTHING)
    with house.rt.reading.begin() as session:
        rows = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    told = [(row.purpose, row.action, row.is_granted) for row in rows][-4:]
    assert told == [
        ("series", "withdrawn", False),
        ("challenge", "withdrawn", False),
        ("series", "chosen", True),
        ("challenge", "chosen", True),
    ]


@pytest.mark.parametrize("choice", list(Choice))
def test_what_was_chosen_is_what_stands_and_choosing_it_again_changes_nothing(
    house: House, choice: Choice
) -> None:
    make.joined(house)
    choose(house, choice)
    assert view(house).choice is choice
    before = count_evidence(house)
    choose(house, choice)
    assert view(house).choice is choice
    assert count_evidence(house) == before


def test_whoever_wants_only_the_challenge_joins_it_by_that(house: House) -> None:
    make.confirmed(house)
    choose(house, Choice.CHALLENGE)
    assert consents(house) == ["challenge"]
    assert view(house).is_in_challenge
    house.hop(12 * DAY)
    subjects = [email.subject for email in house.mailer.accepted[2:]]
    assert len(subjects) == 5
    assert all(subject.startswith("Day") for subject in subjects)


def test_everything_is_the_series_for_whoever_never_joined(house: House) -> None:
    make.confirmed(house)
    assert view(house).choice is Choice.EVERYTHING
    choose(house, Choice.EVERYTHING)
    assert consents(house) == ["series"]


def test_the_guide_alone_brings_nobody_back_who_stopped_all_mail(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    choose(house, Choice.GUIDE)
    assert make.person(house).state == PersonState.UNSUBSCRIBED
    assert view(house).choice is None
    choose(house, Choice.CHALLENGE)
    assert make.person(house).state == PersonState.CONFIRMED
    assert consents(house) == ["challenge"]


def test_switching_one_kind_off_stops_only_that_kind(house: House) -> None:
    make.joined(house)
    make.choose(house, series=False, challenge=True)
    assert consents(house) == ["challenge"]
    assert make.enrolment(house, "challenge").state == EnrolmentState.ACTIVE
    house.hop(12 * DAY)
    days = [email.subject for email in house.mailer.accepted if email.subject.startswith("Day")]
    assert len(days) == 5
    assert house.mailer.accepted[-1].subject.startswith("Day 5"), "no pitch without the series"


def test_switching_the_challenge_off_and_on_goes_on_where_it_was(house: House) -> None:
    make.joined(house)
    house.hop(DAY)
    make.choose(house, series=True, challenge=False)
    house.hop(3 * DAY)
    make.choose(house, series=True, challenge=True)
    house.hop(2 * DAY)
    days = [email.subject[:5] for email in house.mailer.accepted][2:]
    assert days == ["Day 1", "Day 2", "Day 3", "Day 4"]


def test_saving_without_a_change_changes_nothing(house: House) -> None:
    make.confirmed(house)
    before = make.enrolment(house, "nurture")
    house.clock.advance(timedelta(hours=1))
    make.choose(house, series=True, challenge=False)
    after = make.enrolment(house, "nurture")
    assert (after.state, after.next_due_at) == (before.state, before.next_due_at)
    assert consents(house) == ["series"]


def test_choosing_the_series_after_leaving_is_a_fresh_consent(house: House) -> None:
    make.confirmed(house)
    make.unsubscribed(house)
    make.choose(house, series=True, challenge=False)
    assert make.person(house).state == PersonState.CONFIRMED
    house.hop(2 * DAY)
    assert len(house.mailer.accepted) == 3


def test_choosing_the_series_late_starts_it_from_the_first_mail(house: House) -> None:
    make.confirmed(house, series=False)
    house.hop(5 * DAY)
    make.choose(house, series=True, challenge=False)
    house.hop(2 * DAY)
    assert house.mailer.accepted[-1].subject == "One small thing to try today"


def test_saving_begins_no_new_round(house: House) -> None:
    plan = sequence_source("again", "one: 1 day", again_after="1 day", exits_on="[purchased]")
    publish(house, ("mail", "again/one", mail_source("One")), ("sequence", "again", plan))
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        person = session.merge(make.person(house))
        record_fact(session, person, Fact.PURCHASED, now=house.clock.now())
    house.hop(5 * DAY)
    make.choose(house, series=True)
    assert make.enrolment(house, "again").state == EnrolmentState.EXITED
    assert make.enrolment(house, "again").round == 1


def test_choosing_the_series_after_joining_brings_no_invitations(house: House) -> None:
    make.joined(house, series=False)
    make.choose(house, series=True, challenge=True)
    house.work()
    assert make.enrolment(house, "nurture").state == EnrolmentState.EXITED


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED])
def test_a_dead_or_complaining_address_stays_as_it_is(
    house: House, reason: SuppressionReason
) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        suppression.suppress_person(
            session,
            session.merge(make.person(house)),
            reason,
            evidence=make.EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )
    with pytest.raises(LinkInvalid):
        make.choose(house, series=True, challenge=False)
    with pytest.raises(LinkInvalid):
        choose(house, Choice.CHALLENGE)
    assert consents(house) == []
    assert not view(house).is_in_challenge


def test_someone_unconfirmed_has_no_preferences(house: House) -> None:
    make.request(house)
    with pytest.raises(LinkInvalid):
        make.choose(house, series=True, challenge=False)


@given(st.emails())
def test_a_masked_address_shows_one_letter_and_the_host(email: str) -> None:
    masked = preferences.mask(email)
    local, _, host = email.rpartition("@")
    assert masked == f"{local[0]}…@{host}"


def test_the_page_knows_how_long_answers_are_kept(house: House) -> None:
    make.confirmed(house, series=True)
    assert view(house).answers_until is None
    house.clock.advance(2 * DAY)
    make.request(house, series=True, health=True)
    given = house.clock.now()
    make.confirm(house)
    days = house.rt.catalog.self_check.keep_days
    assert view(house).answers_until == given + timedelta(days=days)
    make.forget_answers(house)
    assert view(house).answers_until is None


def test_unsubscribing_leaves_the_health_consent_to_its_owner(house: House) -> None:
    make.confirmed(house, series=True, health=True)
    make.choose(house, series=False, challenge=False)
    assert consents(house) == ["health"]
    make.forget_answers(house)
    assert consents(house) == []


def test_saving_no_choice_where_none_stood_changes_nothing(house: House) -> None:
    make.confirmed(house, series=False)
    make.choose(house, series=False)
    person = make.person(house)
    assert (person.state, person.unsubscribed_at) == (PersonState.CONFIRMED, None)
