"""Complaints about data protection (C39): acknowledged at once, kept sealed, answered in time."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from funnel.db.complaints import Complaint
from funnel.domain.complaints import ComplaintState
from funnel.domain.errors import NotFound
from funnel.domain.people import SuppressionReason
from funnel.domain.ports import Outcome
from funnel.services import complaints, suppression
from funnel.services.complaints import LOCKED, Complaints
from funnel.services.reports import complaints as report
from funnel.services.reports.complaints import ComplaintView
from funnel.vault import Vault
from tests.support import make
from tests.support.house import House
from tests.support.rights import dump, erase, hits

DAY = timedelta(days=1)
CLEO = "cleo@example.org"
ZONE = "Europe/London"


def listed(house: House) -> list[ComplaintView]:
    with house.rt.reading.begin() as session:
        return report.complaints(session, zone=ZONE, now=house.clock.now())


def only(house: House) -> ComplaintView:
    (found,) = listed(house)
    return found


def test_a_complaint_is_acknowledged_at_once_and_listed_with_its_days(each_house: House) -> None:
    house = each_house
    make.complain(house)
    house.work()
    (mail,) = house.mailer.to(CLEO)
    assert mail.subject == "I have received your complaint"
    assert "ico.org.uk" in mail.text
    found = only(house)
    assert (found.name, found.email, found.state) == ("Cleo", CLEO, ComplaintState.OPEN)
    assert found.acknowledged_at == found.received_at == house.clock.now()
    assert (found.acknowledge_by, found.answer_by) == (date(2026, 12, 23), date(2026, 12, 23))
    assert (found.person_id, found.trouble) == (None, None)


def test_its_words_lie_sealed_and_no_mail_carries_them(each_house: House) -> None:
    house = each_house
    words = "zzcanary You wrote about my sciatica."
    make.complain(house, words=words)
    house.work()
    with house.rt.sessions.begin() as session:
        rows = session.execute(text("SELECT * FROM complaint")).all()
        assert "zzcanary" not in str(rows)
        opened = house.rt.complaints.open(session, only(house).id)
    assert (opened.words, opened.outcome) == (words, "")
    assert "zzcanary" not in house.mailer.accepted[0].text + house.mailer.accepted[0].html


def test_an_outcome_lies_sealed_too_and_is_kept_in_place_of_the_last(house: House) -> None:
    make.complain(house)
    key = only(house).id
    for outcome in ("zzfirst", "zzsecond"):
        with house.rt.sessions.begin() as session:
            house.rt.complaints.note_outcome(session, key, outcome)
    with house.rt.sessions.begin() as session:
        assert house.rt.complaints.open(session, key).outcome == "zzsecond"
        assert "zz" not in str(session.execute(text("SELECT * FROM complaint")).all())
        house.rt.complaints.note_outcome(session, key, "")
        assert house.rt.complaints.open(session, key).outcome == ""


def test_with_a_lost_key_the_desk_says_so_and_does_not_fall_over(house: House) -> None:
    make.complain(house)
    stranger = Complaints(Vault(["another key of more than thirty-two characters"]))
    with house.rt.reading.begin() as session:
        assert stranger.open(session, only(house).id).words == LOCKED


def test_an_older_key_still_opens_it(house: House) -> None:
    make.complain(house)
    keys = ["a newer key of more than thirty-two characters", *house.rt.settings.secret_keys]
    with house.rt.reading.begin() as session:
        opened = Complaints(Vault(keys)).open(session, only(house).id)
    assert opened.words == "You wrote to me after I left."


@pytest.mark.parametrize("known", ["nobody", "confirmed", "unsubscribed", "complained"])
def test_everybody_is_acknowledged_alike(house: House, known: str) -> None:
    if known != "nobody":
        make.confirmed(house, CLEO)
    if known == "unsubscribed":
        make.unsubscribed(house, CLEO)
    if known == "complained":
        with house.rt.sessions.begin() as session:
            suppression.suppress_person(
                session,
                session.merge(make.person(house, CLEO)),
                SuppressionReason.COMPLAINED,
                evidence=make.EVIDENCE,
                links=house.rt.links,
                now=house.clock.now(),
            )
    house.mailer.accepted.clear()
    make.complain(house)
    house.work()
    assert [mail.subject for mail in house.mailer.to(CLEO)] == ["I have received your complaint"]
    assert (only(house).person_id is None) == (known == "nobody")


def test_where_no_mail_arrives_the_desk_asks_for_a_word_by_hand(house: House) -> None:
    make.complain(house)
    house.mailer.script = [Outcome.REFUSED]
    house.work()
    found = only(house)
    assert found.acknowledged_at is None
    assert found.trouble
    house.clock.advance(DAY)
    with house.rt.sessions.begin() as session:
        complaints.acknowledged(session, found.id, now=house.clock.now())
    assert (only(house).acknowledged_at, only(house).trouble) == (house.clock.now(), None)


def test_an_address_is_acknowledged_once_a_day_and_every_complaint_is_kept(house: House) -> None:
    for number in range(3):
        make.complain(house, ip_key=f"ip {number}")
    house.work()
    assert len(house.mailer.to(CLEO)) == 1
    assert [found.acknowledged_at is None for found in listed(house)] == [False, True, True]


def test_one_connection_complains_five_times_an_hour_and_hears_of_it(house: House) -> None:
    for number in range(5):
        make.complain(house, f"c{number}@example.org", ip_key="one network")
    assert not make.complain(house, "c6@example.org", ip_key="one network")
    assert len(listed(house)) == 5
    house.clock.advance(timedelta(hours=1))
    assert make.complain(house, "c6@example.org", ip_key="one network")


def test_whoever_asked_for_too_many_guides_may_still_complain(house: House) -> None:
    for number in range(6):
        make.request(house, f"p{number}@example.org", ip_key="one network")
    make.complain(house, ip_key="one network")
    assert only(house).email == CLEO


def test_a_flood_from_everywhere_is_told_and_does_not_fill_the_desk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complaints, "A_DAY_IN_ALL", 3)
    for number in range(3):
        make.complain(house, f"c{number}@example.org")
    assert not make.complain(house, "c4@example.org")
    assert len(listed(house)) == 3


def test_answered_closed_and_opened_again(each_house: House) -> None:
    house = each_house
    make.complain(house)
    key, first = only(house).id, house.clock.now()
    house.clock.advance(DAY)
    with house.rt.sessions.begin() as session:
        complaints.answered(session, key, now=house.clock.now())
    answered = house.clock.now()
    assert (only(house).state, only(house).answered_at) == (ComplaintState.ANSWERED, answered)
    house.clock.advance(DAY)
    with house.rt.sessions.begin() as session:
        complaints.answered(session, key, now=house.clock.now())
        complaints.close(session, key, links=house.rt.links, now=house.clock.now())
    found = only(house)
    assert (found.state, found.answered_at) == (ComplaintState.CLOSED, answered)
    assert found.closed_at == house.clock.now()
    with house.rt.sessions.begin() as session:
        complaints.reopen(session, key)
    found = only(house)
    assert (found.state, found.answered_at, found.closed_at) == (ComplaintState.OPEN, None, None)
    assert found.received_at == first


def test_closing_what_somebody_erased_wrote_deletes_it(each_house: House) -> None:
    house = each_house
    for email in (CLEO, "ben@example.org"):
        make.confirmed(house, email)
        make.complain(house, email)
    house.work()
    erase(house, CLEO)
    assert len(listed(house)) == 2, "it waits for its answer"
    with house.rt.sessions.begin() as session:
        for found in listed(house):
            complaints.close(session, found.id, links=house.rt.links, now=house.clock.now())
    assert [found.email for found in listed(house)] == ["ben@example.org"]
    assert hits(dump(house), CLEO) == []


def test_one_who_was_erased_and_came_back_keeps_the_complaint(house: House) -> None:
    make.confirmed(house, CLEO)
    make.complain(house)
    erase(house, CLEO)
    make.request(house, CLEO)
    with house.rt.sessions.begin() as session:
        complaints.close(session, only(house).id, links=house.rt.links, now=house.clock.now())
    assert only(house).state == ComplaintState.CLOSED


def test_the_desk_counts_what_is_open_and_says_when_it_is_late(house: House) -> None:
    def count() -> report.OpenCount:
        with house.rt.reading.begin() as session:
            return report.count_open(session, zone=ZONE, now=house.clock.now())

    assert count() == report.OpenCount(0, None, is_late=False)
    make.complain(house)
    house.clock.advance(10 * DAY)
    make.complain(house, "ben@example.org")
    assert count() == report.OpenCount(2, date(2026, 12, 23), is_late=False)
    house.clock.advance(21 * DAY)
    assert count().is_late
    assert [found.is_late for found in listed(house)] == [True, False]
    with house.rt.sessions.begin() as session:
        complaints.close(session, listed(house)[0].id, links=house.rt.links, now=house.clock.now())
    assert count() == report.OpenCount(1, date(2027, 1, 3), is_late=False)
    assert [found.email for found in listed(house)] == ["ben@example.org", CLEO]


def test_a_day_is_one_of_the_practice(house: House) -> None:
    house.clock.advance(timedelta(hours=13, minutes=30))  # 23:30 in London
    make.complain(house)
    with house.rt.reading.begin() as session:
        far = report.complaints(session, zone="Australia/Sydney", now=house.clock.now())
    assert only(house).acknowledge_by == date(2026, 12, 23)
    assert far[0].acknowledge_by == date(2026, 12, 24)


def test_an_unknown_complaint_is_not_found(house: House) -> None:
    with house.rt.sessions.begin() as session:
        for act in (house.rt.complaints.open, complaints.reopen):
            with pytest.raises(NotFound):
                act(session, 7)
        assert session.scalars(select(Complaint)).all() == []
