"""What every page for visitors must be: well formed, labelled, titled; and kind when it fails."""

import pytest
from flask import render_template

from funnel.links import LinkPurpose
from funnel.web.errors import PAGES
from tests.support import make
from tests.support.front_door import Door, Outline, words_of

NEW_ADDRESS = "ada@new.example.org"
UNLABELLED = {"hidden", "submit"}


def every_page(door: Door) -> dict[str, str]:
    """Every page of someone who is in the middle of things, by path."""
    done = make.joined(door.house)
    token = door.rt.links.token
    guide = token(LinkPurpose.GUIDE, done.guide_handle)
    portal = token(LinkPurpose.PORTAL, done.subscriber_handle)
    confirm = token(LinkPurpose.CONFIRM, make.newest_confirmation(door.house))
    change = make.ask_to_move(door.house, NEW_ADDRESS)
    paths = [
        *("/", "/privacy", "/safety", "/challenge", "/challenge?sent=1"),
        *("/complaint", "/complaint?sent=1"),
        f"/change-address/{token(LinkPurpose.CHANGE, change)}",
        f"/keep-address/{token(LinkPurpose.KEEP_ADDRESS, change)}",
        f"/your-data/{token(LinkPurpose.PREFERENCES, done.subscriber_handle)}",
        f"/check-your-inbox/{door.rt.links.seal('ada@example.org')}?again=1",
        f"/confirm/{confirm}",
        *(f"/thank-you/{guide}", f"/guide/{guide}", f"/guide/{guide}?sent=1"),
        *(f"/challenge/{portal}", f"/challenge/{portal}/day/1", f"/programme/{portal}"),
        f"/preferences/{token(LinkPurpose.PREFERENCES, done.subscriber_handle)}?done=choice",
        f"/unsubscribe/{token(LinkPurpose.UNSUBSCRIBE, done.subscriber_handle)}",
    ]
    return {path: door.get(path) for path in paths}


def test_every_page_is_well_formed_and_labelled(door: Door) -> None:
    for path, page in every_page(door).items():
        outline = Outline(page)
        assert not outline.misnested, path
        assert not outline.open, path
        ids = [tag["id"] for _, tag in outline.tags if "id" in tag]
        assert len(ids) == len(set(ids)), path
        assert len(outline.all("h1")) == 1, path
        assert outline.all("html")[0]["lang"] == "en-GB", path
        pointed = [tag["href"] for tag in outline.all("a") if (tag["href"] or "").startswith("#")]
        assert all((target or "")[1:] in ids for target in pointed), path
        labelled = {tag.get("for") for tag in outline.all("label")}
        text_inputs = [tag for tag in outline.all("input") if tag.get("type") in {"text", "email"}]
        assert all(tag.get("id") in labelled or tag["name"] == "website" for tag in text_inputs)


def test_every_page_carries_the_warning_line_and_small_print(door: Door) -> None:
    for path, page in every_page(door).items():
        words = words_of(page)
        assert door.rt.catalog.safety.one_line in words, path
        assert door.rt.catalog.safety.disclaimer in words, path
        assert 'href="/privacy"' in page, path


def test_no_page_needs_a_script_or_carries_a_style(door: Door) -> None:
    for path, page in every_page(door).items():
        outline = Outline(page)
        assert not [tag for tag in outline.all("script") if path != "/"], path
        assert not [name for name, tag in outline.tags if name == "style" or "style" in tag], path
        assert not [name for _, tag in outline.tags for name in tag if name.startswith("on")], path


@pytest.mark.parametrize("status", sorted(PAGES))
def test_every_error_has_kind_words_and_a_way_on(door: Door, status: int) -> None:
    with door.client.application.test_request_context():
        page = render_template(f"errors/{status}.html", status=status, number="abc123")
    outline = Outline(page)
    assert not outline.misnested
    assert len(outline.all("h1")) == 1
    ways_on = [tag for tag in outline.all("a") if tag.get("class") == "button"]
    assert ways_on
    assert str(status) not in words_of(page).replace("Call 999", "")


def test_the_safety_page_is_the_whole_safety_record(door: Door) -> None:
    words = words_of(door.get("/safety"))
    safety = door.rt.catalog.safety
    for text in (
        *(safety.urgent_title, *safety.urgent, safety.urgent_note, safety.soon_title),
        *(*safety.soon, safety.routine, safety.ask_first, safety.disclaimer),
    ):
        assert text in words
    assert "Last reviewed [date] by [reviewer’s name]." in words


def test_the_privacy_notice_shows_what_only_the_therapist_can_fill_in(door: Door) -> None:
    page = door.get("/privacy")
    words = words_of(page)
    brand = door.rt.catalog.brand.shown
    for fact in (brand.therapist_name, brand.postal_address, brand.ico_number):
        assert fact in words
    assert words.count("[") == page.count('class="fill"')
