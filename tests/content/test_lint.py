"""The lint finds what it is there to find, and lets honest words pass."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from funnel.content.lint import lint_all, lint_claims, lint_mail
from funnel.content.mails import Cta
from funnel.content.render import RenderedMail
from funnel.content.style import lint_build
from tests.content.samples import mail

GOOD = mail("Hello.\n")


@pytest.mark.parametrize(
    "claim",
    [
        "This cures back pain.", "A cure at last.", "It heals your spine.", "Pain eradicated!",
        "We eliminate pain.", "I guarantee it.", "Guaranteed results.", "It works 100%.",
        "A miracle move.", "Proven techniques.", "A clinically proven plan.",
        "Permanent relief.", "Permanently better.", "Be pain-free for good.", "Live pain free.",
        "Gone for good.", "Fix your back.", "Get rid of the ache.", "It suits everyone.",
        "The most effective massage.", "Say goodbye to stiffness.", "We diagnose your pain.",
        "We treat sciatica.", "Last chance to join!", "Hurry.", "Only 3 places left.",
        "Don't miss it.",
    ],
)  # fmt: skip
def test_a_banned_claim_is_found_with_its_line(claim: str) -> None:
    told = lint_claims(f"Honest words.\n\n{claim}\n", "page.html")
    assert [each for each in told if each.startswith("page.html:3: ")]


@pytest.mark.parametrize(
    "honest",
    [
        "It may help some people.", "Many people find it easier.", "Your health comes first.",
        "This is not a diagnosis.", "Hold for 20 to 30 seconds.", "Ease off at 4 out of 10.",
        "Take it slowly, healthy or not.", "A secure page.", "Improve at your own pace.",
        "It suits most adults with ordinary low back pain.", "In five days.", "Page 3.",
    ],
)  # fmt: skip
def test_honest_words_pass(honest: str) -> None:
    assert lint_claims(honest, "x") == ()


@pytest.mark.parametrize(
    "number",
    ["79% of people", "80 per cent of adults", "one in six adults", "1 in 6 people", "10 million",
     "a trial with 184 adults", "1,250 patients"],
)  # fmt: skip
def test_a_statistic_needs_a_source_with_its_year(number: str) -> None:
    bare = f"Hello.\n{number} have it."
    assert "statistic without its source" in lint_claims(bare, "x")[0]
    assert lint_claims(f"{bare}\nSource: Versus Arthritis, 2021.", "x") == ()
    assert lint_claims(f"{bare}\nSource: somebody said.", "x") != ()


@pytest.mark.parametrize(
    "subject",
    ["Your back today", "Hip news", "Why glutes matter", "Is it sciatica?", "Less pain", "PAIN",
     "The P.A.I.N Blueprint", "Feeling stiff?", "Numb feet", "Your injury", "A tight spot",
     "For your knees", "Massage and you", "Sore again?"],
)  # fmt: skip
def test_a_subject_that_tells_of_health_is_found(subject: str) -> None:
    told = lint_mail(dataclasses.replace(GOOD, subject=subject), "m", is_marketing=True)
    assert any("tells of health" in each for each in told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subject": "x" * 45}, "the subject has 45 characters"),
        ({"subject": "Ready for " + "x" * 25 + ' {{ first_name or "you" }}'}, "has 46 characters"),
        ({"subject": "READ THIS"}, "shouts"),
        ({"subject": "Read this!"}, "shouts"),
        ({"preheader": "x" * 39}, "the preheader has 39 characters"),
        ({"preheader": "x" * 91}, "the preheader has 91 characters"),
        (
            {"subject": "A line that says a little more, see here"}
            | {"preheader": "A line that says a little more, see here"},
            "repeats the subject",
        ),
        ({"cta": Cta("Go", "admin")}, "no page named 'admin'"),
        ({"cta": Cta("Go", "confirm")}, "belongs in a service mail only"),
        ({"body": "A proven plan."}, "'proven' is a claim"),
        ({"heading": "The cure"}, "'cure' is a claim"),
        ({"body": "Hello {{ x }}."}, "may stand in double braces"),
    ],
)
def test_a_poor_mail_is_found(change: dict[str, str], told: str) -> None:
    changed = dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]  # fields by name
    assert any(told in each for each in lint_mail(changed, "m.md", is_marketing=True))


def test_a_good_mail_has_no_findings() -> None:
    longest = dataclasses.replace(GOOD, subject="x" * 44, preheader="y" * 90)
    assert lint_mail(longest, "m.md", is_marketing=True) == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Join [the five days](link:challenge).", "remove the link 'challenge'"),
        ("See [it](link:programme).", "remove the link 'programme'"),
        ("You can [book](link:booking).", "remove the link 'booking'"),
        ("Open [it](link:day-1).", "remove the link 'day-1'"),
        ("Buy it now.", "remove 'Buy'"),
        ("A discount for you.", "remove 'discount'"),
        ("Only £ 20.", "remove '£ 2'"),
        ('Hello {{ first_name or "there" }}, [yes](link:confirm).', "leave the first name out"),
    ],
)
def test_a_service_mail_may_not_advertise(body: str, told: str) -> None:
    assert any(told in each for each in lint_mail(mail(body), "m.md", is_marketing=False))


def test_a_service_mail_may_hold_the_page_that_was_asked_for() -> None:
    asked = mail("Here is [your challenge](link:challenge).", "asked_for: [challenge]\n")
    assert lint_mail(asked, "m.md", is_marketing=False) == ()


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<p>" + "x" * 60_000, "weighs"),
        ("<style>" + "x" * 16_000 + "</style>", "styles weigh"),
        ('<img src="https://t.example/pixel.gif">', "fetch or run"),
        ("<style>@import 'https://fonts.example/x'</style>", "fetch or run"),
        ("<style>a{background:url(x.png)}</style>", "fetch or run"),
        ("<style>@font-face{}</style>", "fetch or run"),
        ("<script>x</script>", "fetch or run"),
        ('<link rel="stylesheet" href="x">', "fetch or run"),
        ("<form action=x>", "fetch or run"),
        ('<a href="https://evil.example/">x</a>', "links to 'https://evil.example/'"),
        ('<a href="https://mk.example/b">x</a>', "do not hold the same links"),
        ("<p>x", "do not hold the same links"),
    ],
)
def test_a_badly_built_mail_is_found(html: str, told: str) -> None:
    built = RenderedMail("s", "p", html, "See:\nhttps://mk.example/a")
    hosts = frozenset({"mk.example"})
    assert any(told in each for each in lint_build(built, "m.md", hosts))


@pytest.fixture
def copy(templates: Path, tmp_path: Path) -> Path:
    """A templates folder of the test's own, to be broken."""
    return Path(shutil.copytree(templates, tmp_path / "templates"))


def test_every_problem_of_the_whole_folder_is_told_at_once(copy: Path) -> None:
    nurture = copy / "sequences" / "nurture"
    (nurture / "03-desk-reset.md").rename(nurture / "03-chair-reset.md")
    first = nurture / "01-one-technique.md"
    first.write_text(first.read_text("utf-8").replace("may move", "will cure"), "utf-8")
    second = nurture / "02-why-hips.md"
    second.write_text(second.read_text("utf-8").replace("(link:safety)", "(link:dafety)"), "utf-8")
    third = copy / "sequences" / "programme" / "sequence.yaml"
    third.write_text(third.read_text("utf-8").replace("follows: challenge", "follows: x"), "utf-8")
    fourth = copy / "sequences" / "challenge" / "sequence.yaml"
    fourth.write_text(fourth.read_text("utf-8").replace("key: challenge", "key: other"), "utf-8")
    offers = copy / "offers.yaml"
    offers.write_text(offers.read_text("utf-8").replace("A plan shaped", "A proven plan"), "utf-8")

    told = "\n".join(lint_all(copy))

    for problem in (
        "offers.yaml:15: 'proven' is a claim",
        "the step 'nurture/desk-reset' has no mail",
        "the mail 'nurture/chair-reset' has no step",
        "nurture/01-one-technique.md:1: 'cure' is a claim",
        "nurture/02-why-hips.md:32: there is no page named 'dafety'",
        "it follows 'x', which does not exist",
        "the key is 'other' but the folder 'challenge'",
    ):
        assert problem in told


def test_broken_words_are_told_and_not_thrown(copy: Path) -> None:
    (copy / "brand.yaml").write_text("[", "utf-8")
    assert lint_all(copy)[0].startswith("templates/brand.yaml:")
