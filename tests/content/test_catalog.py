"""Loading the words that are not mails, and the YAML that is refused."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from funnel.content.brand import PLACEHOLDERS
from funnel.content.catalog import Catalog, load_catalog
from funnel.content.findings import Findings
from funnel.content.lint import lint_all
from funnel.content.yaml_source import read_yaml
from funnel.domain.errors import ContentInvalid

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.fixture
def copy(templates: Path, tmp_path: Path) -> Path:
    """A templates folder of the test's own, to be broken."""
    return Path(shutil.copytree(templates, tmp_path / "templates"))


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def complaints(root: Path) -> tuple[str, ...]:
    with pytest.raises(ContentInvalid) as caught:
        load_catalog(root)
    return caught.value.findings


def test_facts_only_the_therapist_knows_are_placeholders_and_named(catalog: Catalog) -> None:
    brand = catalog.brand
    assert set(brand.missing()) == set(PLACEHOLDERS)
    assert brand.shown.therapist_name == "[your name]"
    assert brand.shown.booking_url == "[booking link]"
    assert brand.shown.trading_name == "Clinical Massage MK"


def test_a_fact_filled_in_is_shown_and_no_longer_missing(copy: Path) -> None:
    edit(copy, "brand.yaml", "therapist_name: null", "therapist_name: Dr Reyes")
    brand = load_catalog(copy).brand
    assert brand.shown.therapist_name == "Dr Reyes"
    assert "therapist_name" not in brand.missing()


def test_a_review_date_is_read_as_a_date(copy: Path) -> None:
    edit(copy, "safety.yaml", "reviewed_on: null", "reviewed_on: 2026-05-04")
    assert load_catalog(copy).safety.reviewed_on == date(2026, 5, 4)


def test_the_method_spells_pain(catalog: Catalog) -> None:
    assert "".join(step.letter for step in catalog.brand.pain_steps) == "PAIN"


def test_five_days_each_with_steps_and_figures(catalog: Catalog) -> None:
    days = catalog.challenge.days
    assert [day.number for day in days] == [1, 2, 3, 4, 5]
    assert all(day.minutes <= 5 and len(day.figures) == 2 for day in days)


def test_the_programme_has_a_waitlist_and_no_price(catalog: Catalog) -> None:
    offer = catalog.offers["lower-back-programme"]
    assert (offer.status, offer.price_pence) == ("waitlist", None)


def test_consent_to_use_health_answers_names_data_purpose_and_who(catalog: Catalog) -> None:
    text = catalog.wordings["health"].text
    assert "my answers about pain, injury or health" in text
    assert "to make my guide personal" in text
    assert catalog.brand.trading_name in text


def test_the_consent_names_the_days_that_answers_are_kept(copy: Path) -> None:
    edit(copy, "self_check.yaml", "keep_days: 90", "keep_days: 30")
    (told,) = complaints(copy)
    assert told.startswith('wordings.yaml: health: say "30 days"')
    edit(copy, "wordings.yaml", "90 days", "30 days")
    assert load_catalog(copy).self_check.keep_days == 30


def test_the_shipped_wordings_are_these_to_the_letter(catalog: Catalog) -> None:
    """Consents quote them: whoever changes one gives it the next version, here and there."""
    assert {key: (each.key, each.version) for key, each in catalog.wordings.items()} == {
        "guide": ("guide", 1),
        "series": ("series", 1),
        "health": ("health", 2),
        "clicks": ("clicks", 1),
        "challenge": ("challenge", 1),
        "address": ("address", 1),
    }
    assert catalog.wordings["series"].text == (
        "Email me the follow-up series too, and news of what Clinical Massage MK offers. Eight "
        "short emails over sixteen days, then now and then. I can stop any time."
    )
    assert catalog.wordings["health"].text == (
        "I agree that Clinical Massage MK may keep my answers about pain, injury or health for up "
        "to 90 days and use them to make my guide personal, and for nothing else. I can take this "
        "back at any time, and my answers are then deleted."
    )
    assert catalog.wordings["clicks"].text == (
        "You may note which links in my emails I press, so that Clinical Massage MK can see what "
        "helps me and send me less of what I do not read. I can take this back at any time, and "
        "what was noted is then deleted."
    )
    assert catalog.wordings["challenge"].text == (
        "Send me the 5-day challenge from Clinical Massage MK: one email a day for five days, and "
        "that is all. I can stop any time."
    )
    assert catalog.wordings["address"].text == (
        "From now on send my emails to this address instead of the old one. What I agreed to stays "
        "as it is."
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("brand.yaml", "website: null", "website: http://mk.example", "starting with https://"),
        ("brand.yaml", "website: null", "website: https://u@mk.example", "starting with https"),
        ("brand.yaml", "website: null", "web: https://mk.example", "'web' is not known here"),
        ("brand.yaml", "Europe/London", "Europe/Lundon", "use a time zone name"),
        ("brand.yaml", "Europe/London", "../../etc/passwd", "use a time zone name"),
        ("brand.yaml", "from_address: null", "from_address: a@b@c", "'from_address'"),
        ("brand.yaml", "trading_name: Clinical", 'trading_name: "C\\nBcc: x', "brand.yaml:"),
        ("brand.yaml", "letter: P", "letter: Q", "must be one of 'P', 'A', 'I' or 'N'"),
        ("brand.yaml", "- www.nhs.uk", "- https://www.nhs.uk", "'link_hosts.0' does not fit"),
        ("safety.yaml", "  - Chest pain\n", "", "'urgent' does not fit"),
        ("challenge.yaml", "number: 2", "number: 3", "number the days 1, 2, 3"),
        ("challenge.yaml", "[stand, squat-end]", "[stand, wave]", "must be one of 'stand'"),
        ("challenge.yaml", "minutes: 3", "minutes: three", "'days.0.minutes' does not fit"),
        ("challenge.yaml", "minutes: 3", "minutes: 300", "'days.0.minutes' does not fit"),
        ("offers.yaml", "status: waitlist", "status: open", "an open offer needs a price"),
        ("offers.yaml", "price_pence: null", "price_pence: 9900", "an open offer needs a price"),
        ("offers.yaml", "price_pence: null", "price_pence: -1", "does not fit"),
        ("wordings.yaml", "version: 1", "version: 0", "'guide.version' does not fit"),
        ("wordings.yaml", "health:", "Health Data:", "does not fit"),
    ],
)
def test_a_wrong_value_is_told_with_file_line_and_mend(
    copy: Path, name: str, old: str, new: str, told: str
) -> None:
    edit(copy, name, old, new)
    told_here = complaints(copy)
    assert any(told in each for each in told_here)
    assert all(each.startswith(f"templates/{name}:") for each in told_here)


def test_the_line_told_is_the_line_of_the_mistake(copy: Path) -> None:
    edit(copy, "brand.yaml", "website: null", "website: nowhere")
    text = (copy / "brand.yaml").read_text("utf-8")
    line = text[: text.index("website:")].count("\n") + 1
    assert complaints(copy)[0].startswith(f"templates/brand.yaml:{line}: 'website'")


def test_problems_of_all_files_are_told_at_once(copy: Path) -> None:
    edit(copy, "brand.yaml", "website: null", "website: nowhere")
    edit(copy, "brand.yaml", "Europe/London", "Nowhere")
    edit(copy, "offers.yaml", "status: waitlist", "status: soon")
    (copy / "wordings.yaml").unlink()
    (copy / "safety.yaml").write_bytes(b"urgent: \xff\xfe")
    (copy / "challenge.yaml").write_text("a: " + "x" * 5_000_000, "utf-8")

    told = complaints(copy)

    names = [each.split(":")[0].removeprefix("templates/") for each in told]
    assert names == [
        "brand.yaml",
        "brand.yaml",
        "safety.yaml",
        "challenge.yaml",
        "offers.yaml",
        "wordings.yaml",
    ]


@pytest.mark.parametrize(
    "source",
    [
        BOMB,
        "a: &a x",
        "a: *a",
        "base: &b {x: 1}\nc: {<<: *b}",
        "a: !!python/object/apply:os.system ['id']",
        "a: !!python/name:os.system",
        "a: !!binary aGk=",
        "a: !!str 1",
        "!custom a: b",
        "a: [",
        "a: {b: c",
        "a: 'open",
        'a: "\\x"',
        "a: b: c",
        "\ta: b",
        "a: b\n  c: d",
        "a: @x",
        "a: `x`",
        "%YAML 9.9\n---\na: b",
        "a: 1\n---\nb: 2",
        "a: \x00",
        "a: \x07",
        "? [a, b]\n: c\n? [d]\n: e",
        "a: 1\na: 2",
        "[" * 1000,
        "- " * 1000 + "x",
        "a: " + "{b: " * 500 + "c" + "}" * 500,
        "\n".join(f"k{number}: [1]" for number in range(6000)),
        "x" * 300_000,
    ],
    ids=lambda source: repr(source)[:24],
)
def test_yaml_that_is_broken_or_too_clever_is_refused_with_a_finding(source: str) -> None:
    found = Findings("x.yaml")
    read_yaml(source, found)
    assert found.items
    assert all(each.startswith("x.yaml:") for each in found.items)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", None),
        ("a: no", {"a": "no"}),
        ("a: yes", {"a": "yes"}),
        ("a: true", {"a": True}),
        ("a: null", {"a": None}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: 18:30", {"a": "18:30"}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),
        ("a: 007", {"a": "007"}),
        ("a: 0x10", {"a": "0x10"}),
        ("a: 1e3", {"a": "1e3"}),
        ("a: -5", {"a": -5}),
        ("a: '5'", {"a": "5"}),
        ("a: [1, b]", {"a": [1, "b"]}),
        ("no: 1", {"no": 1}),
    ],
)
def test_yaml_values_mean_what_they_look_like(source: str, value: object) -> None:
    found = Findings("x.yaml")
    document = read_yaml(source, found)
    assert document is not None
    assert (document.value, found.items) == (value, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Chest pain", "Tired legs"),
        ("in both legs", "in one leg"),
        ("Not noticing when you need to poo", "Hard to sleep"),
        ("Call 999 or go to A&E now", "Get help"),
        ("Call 111 or ask", "Ask"),
        ("Losing weight without trying", "Losing keys"),
        ("both legs? Call 999 now.", "both legs? Rest."),
    ],
)
def test_a_warning_sign_that_went_missing_is_found(copy: Path, old: str, new: str) -> None:
    edit(copy, "safety.yaml", old, new)
    assert any("put it back" in each for each in lint_all(copy))


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("title: Your day: where?\n", "A colon inside a sentence needs quotes"),
        ("a:\n\t- x\n", "Use spaces, not tabs"),
        ("a:\n  - x\n b: 2\n", "Look at the spaces at the start"),
    ],
)
def test_the_usual_slips_in_yaml_come_with_a_hint(source: str, hint: str) -> None:
    found = Findings("x.yaml")
    read_yaml(source, found)
    assert hint in found.items[0]


OTHER_FROM = "service_from_address: null"
OWN_FROM = "\nfrom_address: null"


@pytest.mark.parametrize(
    ("series", "service"),
    [
        ("news@practice.co.uk", "hello@practice.co.uk"),
        ("news@mail.practice.co.uk", "hello@practice.co.uk"),
        ("news@practice.com", "hello@info.practice.com"),
    ],
)
def test_d5_what_people_ask_for_may_come_from_another_address_of_the_same_name(
    copy: Path, series: str, service: str
) -> None:
    edit(copy, "brand.yaml", OWN_FROM, f"\nfrom_address: {series}")
    edit(copy, "brand.yaml", OTHER_FROM, f"service_from_address: {service}")
    brand = load_catalog(copy).brand
    assert (brand.sender(is_series=True), brand.sender(is_series=False)) == (series, service)


@pytest.mark.parametrize(
    ("series", "service", "said"),
    [
        ("news@practice.co.uk", "hello@other.co.uk", "same registered name"),
        ("news@a.uk.com", "hello@b.uk.com", "same registered name"),
        ("null", "hello@practice.co.uk", "give both"),
    ],
)
def test_d5_two_addresses_of_different_names_are_refused(
    copy: Path, series: str, service: str, said: str
) -> None:
    edit(copy, "brand.yaml", OWN_FROM, f"\nfrom_address: {series}")
    edit(copy, "brand.yaml", OTHER_FROM, f"service_from_address: {service}")
    with pytest.raises(ContentInvalid) as refused:
        load_catalog(copy)
    assert said in str(refused.value)


def test_without_a_second_address_all_mail_comes_from_the_one(copy: Path) -> None:
    edit(copy, "brand.yaml", OWN_FROM, "\nfrom_address: sam@practice.co.uk")
    brand = load_catalog(copy).brand
    assert {brand.sender(is_series=each) for each in (True, False)} == {"sam@practice.co.uk"}
    assert "service_from_address" not in brand.missing()
