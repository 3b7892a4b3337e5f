"""The consent receipt shows for any person and day which exact words they agreed to (C6, C7)."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from funnel.domain.errors import NotFound
from funnel.domain.people import Purpose
from funnel.services import clicks, consent, texts
from funnel.services.rights import notice
from funnel.services.rights.receipt import PURPOSES, receipt
from tests.support import make, repo
from tests.support.house import House
from tests.support.rights import receipt_of

DAY = timedelta(days=1)


def say_differently(house: House, words: str) -> None:
    """Publish another wording of the tick for the series."""
    catalog = house.rt.catalog
    wordings = {**catalog.wordings, "series": replace(catalog.wordings["series"], text=words)}
    with house.rt.sessions.begin() as session:
        changed = replace(catalog, wordings=wordings)
        texts.import_shipped(session, (), changed, now=house.clock.now())


def test_every_purpose_and_every_page_has_a_name_in_plain_words() -> None:
    page = (repo.ROOT / "templates/web/paper/receipt.html").read_text("utf-8")
    for purpose in (consent.GUIDE, consent.ADDRESS, *Purpose):
        assert purpose in PURPOSES
    for purpose in Purpose:
        assert f'"{purpose}": "' in page, "what stands now"
    for module in repo.modules("funnel/web/"):
        source = (repo.ROOT / module.path).read_text("utf-8")
        if "ROUTES" not in source or "forms.evidence(" not in source:
            continue
        for function in source.split("\ndef ")[1:]:
            if "forms.evidence(" in function:
                endpoint = f"{Path(module.path).stem}.{function.partition('(')[0]}"
                assert f'"{endpoint}": "' in page, endpoint


def test_a_change_of_address_and_clicks_are_told_in_plain_words(house: House) -> None:
    done = make.confirmed(house)
    make.move(house, "ada@new.example.org")
    with house.rt.sessions.begin() as session:
        now, whose = house.clock.now(), done.subscriber_handle
        clicks.choose(session, whose, allows=True, evidence=make.EVIDENCE, now=now)
    lines = receipt_of(house, "ada@new.example.org").lines
    assert [(line.name, line.said) for line in lines[-2:]] == [
        ("The address of the emails", "Confirmed another address, from the address itself"),
        ("Noting which links are pressed", "Chose it, on the page of email choices"),
    ]


def test_three_changed_wordings_each_show_their_own_text(house: House) -> None:
    for number in range(3):
        say_differently(house, f"Wording number {number}.")
        make.confirmed(house, f"person{number}@example.org")
        house.clock.advance(DAY)
    for number in range(3):
        made = receipt_of(house, f"person{number}@example.org")
        shown = [line.wording for line in made.lines if line.purpose == "series"]
        assert len(shown) == 2, "asked and confirmed"
        assert {each.text for each in shown} == {f"Wording number {number}."}
        digest = hashlib.sha256(f"Wording number {number}.".encode()).hexdigest()
        assert {(each.sha256, each.is_unchanged) for each in shown} == {(digest, True)}


def test_a_person_who_meets_two_wordings_has_both_each_with_its_time(house: House) -> None:
    make.confirmed(house)
    make.choose(house, series=False)
    house.clock.advance(DAY)
    say_differently(house, "The newer words.")
    make.choose(house, series=True)
    lines = [line for line in receipt_of(house).lines if line.purpose == "series"]
    assert [(line.said, line.wording.version) for line in lines] == [
        ("Ticked this box", 1),
        ("Confirmed it, from the address itself", 1),
        ("Took it back", 1),
        ("Chose it, on the page of email choices", 2),
    ]
    assert lines[-1].at - lines[0].at > DAY


def test_every_line_is_told_in_order_with_all_that_was_noted(house: House) -> None:
    make.confirmed(house, zone="America/New_York")
    made = receipt_of(house)
    assert [line.at for line in made.lines] == sorted(line.at for line in made.lines)
    first = made.lines[0]
    assert first.said == "Asked for it"
    assert (first.page_url, first.form_version) == ("http://localhost/", "landing")
    assert (first.network, first.browser, first.seconds_on_page) == (
        "192.0.2.0",
        "Test browser",
        12.0,
    )
    assert made.zone.key == "America/New_York"
    assert made.standing == ("series",)
    assert {line.name for line in made.lines} == {
        "The guide",
        "The follow-up series",
        "Keeping answers about health",
    }


def test_a_box_left_empty_is_told_as_well(house: House) -> None:
    make.request(house, series=False)
    said = {line.purpose: (line.said, line.is_granted) for line in receipt_of(house).lines}
    assert said["series"] == ("Left this box empty", False)
    assert said["health"] == ("Left this box empty", False)


def test_words_that_were_changed_behind_our_back_are_told_to_be(house: House) -> None:
    make.confirmed(house)
    with house.rt.sessions.begin() as session:
        changed = "UPDATE text_version SET source = 'Yes to all.' WHERE key = 'series'"
        session.execute(text(f"{changed} AND kind = 'wording'"))
    lines = receipt_of(house).lines
    assert {line.wording.is_unchanged for line in lines if line.purpose == "series"} == {False}
    assert {line.wording.is_unchanged for line in lines if line.purpose == "guide"} == {True}


def test_each_line_names_the_privacy_notice_that_was_in_force(house: House) -> None:
    make.request(house)
    with house.rt.sessions.begin() as session:
        assert notice.publish(session, "Another notice.", now=house.clock.now())
        assert not notice.publish(session, "Another notice.", now=house.clock.now())
    make.confirm(house)
    versions = [line.notice.version if line.notice else None for line in receipt_of(house).lines]
    assert versions[:3] == [1, 1, 1]
    assert set(versions[3:]) == {2}
    assert receipt_of(house).lines[-1].notice is not None
    with house.rt.reading.begin() as session:
        current = notice.current(session)
        assert current is not None
        assert (current.version, current.source) == (2, "Another notice.")


def test_the_receipt_as_json_says_the_same_in_plain_values(house: House) -> None:
    make.confirmed(house, zone="America/New_York")
    made = receipt_of(house)
    told = json.loads(json.dumps(made.as_json()))
    assert told["format"] == "consent receipt"
    assert [line["wording"] for line in told["lines"]] == [x.wording.text for x in made.lines]
    assert told["lines"][0]["at"] == "2026-11-23T10:00:00+00:00"
    assert told["lines"][0]["at_local"] == "2026-11-23T05:00:00-05:00"
    assert None not in {line["privacy_notice_sha256"] for line in told["lines"]}


def test_nobody_has_no_receipt(house: House) -> None:
    with house.rt.reading.begin() as session, pytest.raises(NotFound):
        receipt(session, 4711, now=house.clock.now())
