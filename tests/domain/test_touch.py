"""Where a visitor came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.touch import MAX_CHARACTERS, FirstTouch, first_touch

OWN = "guide.example.org"
texts = st.none() | st.text(max_size=600)


def source_of(referrer: str | None, **args: str) -> str:
    return first_touch(args, referrer, OWN).source


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        (None, "direct"),
        ("", "direct"),
        ("https://www.google.co.uk/search?q=back+pain", "google"),
        ("https://google.com", "google"),
        ("https://mail.google.com/", "google"),
        ("https://notgoogle.com/", "notgoogle.com"),
        ("https://l.instagram.com/?u=x", "instagram"),
        ("https://m.facebook.com/", "facebook"),
        ("https://t.co/abc", "x"),
        ("https://about.co/", "about.co"),
        ("https://www.practice.example/", "practice.example"),
        ("https://guide.example.org/thanks", "direct"),
        ("https://GUIDE.example.org:8443/", "direct"),
        ("android-app://com.google.android.gm", "direct"),
        ("javascript:alert(1)", "direct"),
        ("ftp://example.com/", "direct"),
        ("https://[::1", "direct"),
        ("https://user:secret@example.com/p", "example.com"),
        ("nonsense", "direct"),
    ],
)
def test_a_referrer_becomes_a_source(referrer: str | None, source: str) -> None:
    assert source_of(referrer) == source


def test_a_utm_source_comes_before_the_referrer() -> None:
    assert source_of("https://google.com/", utm_source="Clinic-QR") == "clinic-qr"
    assert source_of("https://google.com/", utm_source=" \n") == "google"


def test_only_host_and_path_of_a_referrer_are_kept() -> None:
    touch = first_touch({}, "https://user:secret@example.com:444/p?q=sciatica#x", OWN)
    assert touch.referrer == "https://example.com/p"


def test_everything_else_is_kept_as_it_came() -> None:
    args = {"utm_source": "News", "utm_medium": "email", "utm_campaign": "Spring", "other": "x"}
    assert first_touch(args, None, OWN, "/?a=b") == FirstTouch(
        source="news",
        utm_source="News",
        utm_medium="email",
        utm_campaign="Spring",
        referrer=None,
        landing_page="/?a=b",
    )


@given(utm=texts, medium=texts, referrer=texts, host=st.text(max_size=50), page=texts)
def test_any_input_gives_short_clean_texts(
    utm: str | None, medium: str | None, referrer: str | None, host: str, page: str | None
) -> None:
    args = {"utm_source": utm or "", "utm_medium": medium or ""}
    touch = first_touch(args, referrer, host, page)
    for text in (touch.source, touch.utm_source, touch.utm_medium, touch.landing_page):
        assert text is None or (text and len(text) <= 2 * MAX_CHARACTERS)
        assert text is None or (text.isprintable() or "\u2028" not in text)
        assert text is None or not set(text) & set("\r\n\t\0\u202e")
