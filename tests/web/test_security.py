"""What holds for every page: GET changes nothing, tokens open one door, input stays input."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from funnel.db.tables import Base
from funnel.links import LinkPurpose
from funnel.web.app import create_app
from tests.support import make
from tests.support.house import House, open_house

PATHS = {
    LinkPurpose.CONFIRM: "/confirm/{}",
    LinkPurpose.CHANGE: "/change-address/{}",
    LinkPurpose.GUIDE: "/guide/{}",
    LinkPurpose.PORTAL: "/challenge/{}",
    LinkPurpose.PREFERENCES: "/preferences/{}",
    LinkPurpose.UNSUBSCRIBE: "/unsubscribe/{}",
    LinkPurpose.YOUR_DATA: "/your-data/open/{}",
}
COUNTED = {"visit_count"}
SCANNER = {"User-Agent": "Barracuda scanner"}
HOSTILE = [
    "<script>alert(1)</script>",
    "${7*7}",
    "{{ 7*7 }}{{ config }}",
    "'; DROP TABLE subscriber; --",
    '"><img src=x onerror=alert(1)>',
    "=HYPERLINK(1)",
    "Ada\r\nBcc: q@q.example",
    "\u202eadA",
    "A" * 5000,
]


@pytest.fixture(params=["sqlite"])
def house(prepared_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    file = tmp_path / "funnel.db"
    file.write_bytes(prepared_sqlite.read_bytes())
    with open_house(f"sqlite:///{file}", tmp_path) as opened:
        yield opened


@pytest.fixture
def client(house: House) -> FlaskClient:
    return create_app(house.rt).test_client()


def contents(house: House) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with house.rt.reading.begin() as session:
        return {
            name: [tuple(row) for row in session.execute(select(table))]
            for name, table in Base.metadata.tables.items()
            if name not in COUNTED
        }


def all_urls(house: House) -> list[str]:
    """Every personal and public page of one person, with tokens that work."""
    joined = make.joined(house)
    confirmation = make.newest_confirmation(house)
    handles = {
        LinkPurpose.CONFIRM: confirmation,
        LinkPurpose.CHANGE: make.ask_to_move(house, "ada@new.example.org"),
        LinkPurpose.GUIDE: joined.guide_handle,
        LinkPurpose.YOUR_DATA: make.ask_for_data(house),
    }
    tokens = {
        purpose: house.rt.links.token(purpose, handles.get(purpose, joined.subscriber_handle))
        for purpose in LinkPurpose
    }
    guide, portal = tokens[LinkPurpose.GUIDE], tokens[LinkPurpose.PORTAL]
    return [
        *(PATHS[purpose].format(token) for purpose, token in tokens.items()),
        f"/thank-you/{guide}",
        f"/guide/{guide}/pain-relief-blueprint.pdf",
        f"/challenge/{portal}/day/1",
        f"/programme/{portal}",
        f"/check-your-inbox/{house.rt.links.seal('ada@example.org')}",
        *(f"/preferences/{tokens[LinkPurpose.PREFERENCES]}/{act}" for act in ("pause", "address")),
        f"/your-data/{tokens[LinkPurpose.PREFERENCES]}",
        *("/", "/privacy", "/safety", "/challenge", "/complaint", "/desk/", "/desk/sign-in"),
    ]


def test_reading_every_page_as_a_scanner_changes_nothing(house: House, client: FlaskClient) -> None:
    urls = all_urls(house)
    before = contents(house)
    for method in ("GET", "HEAD", "OPTIONS"):
        for url in urls:
            with client.open(url, method=method, headers=SCANNER) as answer:
                assert answer.status_code < 400, f"{method} {url}: {answer.status_code}"
    assert contents(house) == before


@pytest.mark.parametrize("made_for", list(LinkPurpose))
@pytest.mark.parametrize("tried_on", list(LinkPurpose))
def test_a_token_opens_its_own_door_only(
    house: House, client: FlaskClient, made_for: LinkPurpose, tried_on: LinkPurpose
) -> None:
    done = make.confirmed(house)
    handles = {
        LinkPurpose.CONFIRM: make.newest_confirmation(house),
        LinkPurpose.CHANGE: make.ask_to_move(house, "ada@new.example.org"),
        LinkPurpose.GUIDE: done.guide_handle,
        LinkPurpose.YOUR_DATA: make.ask_for_data(house),
    }
    token = house.rt.links.token(made_for, handles.get(made_for, done.subscriber_handle))
    status = client.get(PATHS[tried_on].format(token)).status_code
    assert status == (200 if made_for == tried_on else 404)


def test_pages_carry_the_headers_that_protect_them(house: House, client: FlaskClient) -> None:
    for url in all_urls(house):
        headers = client.get(url, buffered=True).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], url
        assert headers["X-Content-Type-Options"] == "nosniff", url
        assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, url
        assert "Set-Cookie" not in headers or url.startswith("/desk"), url


def test_personal_pages_are_not_kept_or_indexed(house: House, client: FlaskClient) -> None:
    personal = [url for url in all_urls(house) if url.count("/") > 1 and "desk" not in url]
    for url in personal:
        headers = client.get(url, buffered=True).headers
        assert "no-store" in headers["Cache-Control"], url
        assert "noindex" in headers["X-Robots-Tag"], url


def test_a_strangers_host_name_is_refused(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "evil.test"}).status_code == 400


def test_a_forwarded_address_is_not_believed_without_a_proxy(
    house: House, client: FlaskClient
) -> None:
    for number in range(30):
        client.post(
            "/signup",
            data={
                "email": f"person{number}@example.org",
                "stamp": old_stamp(house),
            },
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )
    with house.rt.reading.begin() as session:
        people = session.execute(select(Base.metadata.tables["subscriber"])).all()
    assert len(people) == 5


def old_stamp(house: House) -> str:
    """A form's stamp made a minute ago."""
    return house.rt.links.stamp(house.clock.machine() - timedelta(minutes=1))


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_name_is_shown_as_words_everywhere(
    house: House, client: FlaskClient, words: str
) -> None:
    answer = client.post(
        "/signup",
        data={"email": "ada@example.org", "name": words, "stamp": old_stamp(house)},
    )
    assert answer.status_code in {303, 422}
    if answer.status_code == 422:
        assert b"<script>alert" not in answer.data
        return
    make.confirm(house)
    house.work()
    for url in all_urls_of_person(house):
        page = client.get(url).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert ">49<" not in page
    for mail in house.mailer.accepted:
        assert "<script>alert" not in mail.html
        assert "\n" not in mail.subject


def all_urls_of_person(house: House) -> list[str]:
    links = house.rt.links
    with house.rt.reading.begin() as session:
        person = session.execute(select(Base.metadata.tables["subscriber"])).one()
        guide = session.execute(select(Base.metadata.tables["guide"])).one()
    return [
        PATHS[LinkPurpose.PORTAL].format(links.token(LinkPurpose.PORTAL, person.public_id)),
        PATHS[LinkPurpose.GUIDE].format(links.token(LinkPurpose.GUIDE, guide.public_id)),
    ]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"email": ""}, 422),
        ({"email": "a@b"}, 422),
        ({"email": "a@x.example,b@y.example"}, 422),
        ({"email": "a@x.example\r\nBcc: q@q.example"}, 422),
        ({"email": ["ada@example.org", "ben@example.org"]}, 400),
        ({"email": "a" * 20_000}, 413),
        ({"email[]": "ada@example.org"}, 422),
    ],
)
def test_a_bad_form_gets_words_and_never_a_trace(
    house: House, client: FlaskClient, data: dict[str, object], status: int
) -> None:
    answer = client.post("/signup", data={**data, "stamp": old_stamp(house)})
    assert answer.status_code == status
    assert b"Traceback" not in answer.data


def test_bytes_that_are_no_text_are_refused_kindly(client: FlaskClient, house: House) -> None:
    body = b"email=%ff%fe%c0%ae@example.org&name=%ff&stamp=" + old_stamp(house).encode()
    answer = client.post(
        "/signup", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in {400, 422}
