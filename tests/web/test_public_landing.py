"""The landing page and its form."""

import gzip
from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel.db.people import ConsentEvent
from funnel.domain.people import Purpose
from tests.support import make
from tests.support.front_door import Door, Outline, open_door, words_of
from tests.support.house import House
from tests.support.visitor import hidden_fields


def boxes(page: str) -> list[dict[str, str | None]]:
    return [box for box in Outline(page).all("input") if box.get("type") == "checkbox"]


def events(house: House) -> list[ConsentEvent]:
    with house.rt.reading.begin() as session:
        return list(session.scalars(select(ConsentEvent)))


def test_the_form_asks_for_one_consent_does_not_tick_it_and_asks_nothing_of_health(
    door: Door,
) -> None:
    page = door.get("/")
    assert [(box["name"], "checked" in box) for box in boxes(page)] == [("series", False)]
    for key in ("guide", "series"):
        assert door.rt.catalog.wordings[key].text in words_of(page)
    assert door.rt.catalog.wordings["health"].text not in words_of(page)
    assert "We ask nothing about your health on this page." in words_of(page)


def test_the_page_with_all_that_it_loads_is_light_on_the_wire(door: Door) -> None:
    outline = Outline(page := door.get("/"))
    loaded = {str(tag["src"]) for tag in outline.all("script")}
    loaded |= {str(tag["href"]) for tag in outline.all("link") if tag["rel"] != "canonical"}
    loaded |= {f"/static/fonts/{name}.woff2" for name in ("fraunces", "source-sans-3")}
    answers = [door.client.get(url, buffered=True) for url in loaded]
    assert {answer.status_code for answer in answers} == {200}
    whole = [page.encode(), *(answer.data for answer in answers)]
    assert sum(len(gzip.compress(part)) for part in whole) < 100_000


def test_the_page_loads_nothing_from_elsewhere_and_carries_no_inline_code(door: Door) -> None:
    outline = Outline(door.get("/"))
    loaded = [tag.get("src") for _, tag in outline.tags if tag.get("src")]
    loaded += [tag["href"] for tag in outline.all("link") if tag["rel"] != "canonical"]
    assert loaded
    assert all(url and url.startswith("/static/") for url in loaded)
    assert not [name for name, tag in outline.tags if name == "style" or "style" in tag]
    assert not [tag for tag in outline.all("script") if "src" not in tag]


def test_the_page_shows_every_warning_sign(door: Door) -> None:
    words = words_of(door.get("/"))
    safety = door.rt.catalog.safety
    for sign in (*safety.urgent, *safety.soon, safety.one_line):
        assert sign in words


def test_where_a_visitor_came_from_is_kept_on_the_person(door: Door) -> None:
    landed = door.get(
        "/?utm_source=Clinic-QR&utm_medium=poster", Referer="https://blog.example/p?q"
    )
    answer = door.client.post("/signup", data={**hidden_fields(landed), "email": "ada@example.org"})
    assert answer.status_code == 303
    person = make.person(door.house)
    assert (person.source, person.utm_source, person.utm_medium) == (
        "clinic-qr",
        "Clinic-QR",
        "poster",
    )
    assert (person.referrer, person.landing_page) == ("https://blog.example/p", "/")


def test_asking_without_ticks_sends_the_guide_and_grants_nothing(door: Door) -> None:
    door.ask()
    make.confirm(door.house)
    door.house.work()
    assert make.person(door.house).consents == []
    subjects = [mail.subject for mail in door.house.mailer.to("ada@example.org")]
    assert len(subjects) == 2
    granted = {event.purpose: event.is_granted for event in events(door.house)}
    assert granted[Purpose.SERIES] is False
    assert Purpose.HEALTH not in granted, "the form has no box for it"


def test_the_tick_is_a_consent_with_evidence(door: Door) -> None:
    door.ask(series="yes")
    make.confirm(door.house)
    assert [row.purpose for row in make.person(door.house).consents] == [Purpose.SERIES]
    asked = next(event for event in events(door.house) if event.purpose == Purpose.SERIES)
    assert asked.form_version.startswith("landing")
    assert asked.page_url.endswith("/signup")
    assert asked.seconds_on_page is not None
    assert asked.wording_sha256


def test_a_time_zone_is_believed_only_when_there_is_one(door: Door) -> None:
    door.ask("ada@example.org", time_zone="America/New_York")
    door.ask("ben@example.org", time_zone="../../etc/passwd")
    assert make.person(door.house).time_zone == "America/New_York"
    assert make.person(door.house, "ben@example.org").time_zone is None


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "right/Europe/London", "Etc/GMT+5", "EST"]
)
def test_a_time_zone_of_no_place_is_not_believed(door: Door, name: str) -> None:
    door.ask("ada@example.org", time_zone=name)
    assert make.person(door.house).time_zone is None


def test_a_mistake_keeps_what_was_typed_and_says_what_to_mend(door: Door) -> None:
    answer = door.ask("ada@", name="Ada", series="yes", utm_source="poster")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    inputs = {tag.get("name"): tag for tag in Outline(page).all("input")}
    assert inputs["email"]["value"] == "ada@"
    assert inputs["email"]["aria-invalid"] == "true"
    assert inputs["email"]["aria-describedby"] == "email-error"
    assert inputs["name"]["value"] == "Ada"
    assert "checked" in inputs["series"]
    assert inputs["utm_source"]["value"] == "poster"
    assert "Enter an email address in the form name@example.com." in words_of(page)
    assert 'href="#email"' in page


def test_an_unreadable_name_is_asked_for_again(door: Door) -> None:
    stamp = hidden_fields(door.get("/"))["stamp"].encode()
    fields = {b"email": b"ada@example.org", b"name": b"\xff\xfe", b"stamp": stamp}
    body, content_type = multipart(fields)
    answer = door.client.post("/signup", data=body, content_type=content_type)
    assert answer.status_code == 422
    assert "a character we cannot read" in words_of(answer.get_data(as_text=True))


def multipart(fields: dict[bytes, bytes]) -> tuple[bytes, str]:
    head = b'--X\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    parts = [head % pair for pair in fields.items()]
    return b"".join([*parts, b"--X--\r\n"]), "multipart/form-data; boundary=X"


def test_a_form_sent_at_once_asks_for_another_press_and_keeps_everything(house: House) -> None:
    hasty = open_door(house, house.rt)
    fields = hidden_fields(hasty.get("/"))
    answer = hasty.client.post("/signup", data={**fields, "email": "ada@example.org"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Please press the button once more." in words_of(page)
    inputs = {tag.get("name"): tag.get("value") for tag in Outline(page).all("input")}
    assert inputs["email"] == "ada@example.org"
    assert inputs["stamp"] == fields["stamp"]
    patient = open_door(house)
    again = patient.client.post("/signup", data={**inputs, "series": ""})
    assert again.status_code == 303


@pytest.mark.parametrize("stamp", ["", "shown.forged", "x" * 500])
def test_a_form_without_our_stamp_gets_a_new_one(door: Door, stamp: str) -> None:
    answer = door.ask(stamp=stamp)
    assert answer.status_code == 422
    fresh = hidden_fields(answer.get_data(as_text=True))["stamp"]
    assert door.rt.links.seconds_since(fresh, door.rt.clock.machine()) is not None


def test_the_trap_answers_as_always_and_does_nothing(door: Door) -> None:
    answer = door.ask(website="https://spam.example")
    assert answer.status_code == 303
    assert "ada@example.org" in door.get(answer.headers["Location"])
    door.house.work()
    assert door.house.mailer.accepted == []
    assert events(door.house) == []


def test_new_known_and_unwelcome_addresses_get_the_same_answer(door: Door) -> None:
    make.confirmed(door.house, "ada@example.org")
    answers = [door.ask(f"{name}@example.org") for name in ("ada", "new")]
    pages = [
        words_of(door.get(answer.headers["Location"])).replace(name, "someone")
        for answer, name in zip(answers, ("ada", "new"), strict=True)
    ]
    assert {answer.status_code for answer in answers} == {303}
    assert len({len(answer.data) for answer in answers}) == 1
    assert pages[0] == pages[1]


def test_reloading_a_page_of_messages_starts_afresh(door: Door) -> None:
    answer = door.client.get("/signup")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_the_demo_says_so_on_every_page(house: House) -> None:
    settings = replace(house.rt.settings, demo=True)
    demo = open_door(house, replace(house.rt, settings=settings))
    for path in ("/", "/safety", "/privacy", "/challenge", "/nothing-here"):
        assert "Demo. These people are made up. Nothing is sent." in words_of(
            demo.client.get(path).text
        )
    assert "Demo." not in words_of(open_door(house).get("/"))


def test_nothing_is_noted_of_a_box_that_the_form_has_not(door: Door) -> None:
    door.ask(series="yes")
    with door.rt.reading.begin() as session:
        lines = session.execute(select(ConsentEvent.purpose, ConsentEvent.is_granted)).all()
    assert {tuple(line) for line in lines} == {("guide", True), ("series", True)}
