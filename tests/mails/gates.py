"""Every gate that a mail passes before it leaves, and what each said."""

from collections.abc import Sequence
from dataclasses import dataclass

from funnel.content.catalog import Catalog
from funnel.content.style import html_links, text_links
from tests.mails import approved, build, caniemail, headers, structure, words
from tests.mails.browser import CHECKED, Look, look_at
from tests.mails.caniemail_data import CLIENTS
from tests.mails.post import Mail
from tests.mails.spam import Score, scores


@dataclass(frozen=True)
class Verdict:
    """What one gate says of a mail: a figure for the table, and what is wrong."""

    gate: str
    figure: str
    problems: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Judged:
    """A mail and what every gate said."""

    mail: Mail
    score: Score
    look: Look
    verdicts: tuple[Verdict, ...]

    @property
    def is_green(self) -> bool:
        return all(verdict.is_good for verdict in self.verdicts)


def judge_all(mails: Sequence[Mail], catalog: Catalog) -> list[Judged]:
    """Every mail before every gate: one SpamAssassin and one browser for all."""
    points = scores({mail.key: mail.content for mail in mails})
    looks = look_at({mail.key: mail.arrived.html for mail in mails})
    return [judge(mail, catalog, points[mail.key], looks[mail.key]) for mail in mails]


def judge(mail: Mail, catalog: Catalog, score: Score, look: Look) -> Judged:
    """What every gate says of one mail."""
    html = mail.arrived.html
    links = len(html_links(html) & text_links(mail.arrived.text))
    verdicts = (
        Verdict("Build", _weight(mail), build.problems(mail, catalog)),
        Verdict(
            "Spam",
            " ".join((f"{score.points:.1f}", *score.rules)),
            () if score.is_low else score.rules,
        ),
        Verdict("Clients", f"{len(CLIENTS)} programs", caniemail.problems(html)),
        Verdict("Access", f"{len(CHECKED)} windows", tuple(look.problems)),
        Verdict("Words", f"grade {words.reading_grade(mail):.1f}", words.problems(mail)),
        Verdict("Parts", f"{links} links in both", structure.problems(mail, catalog)),
        Verdict("Headers", f"{len(mail.arrived.header_lines)} lines", headers.problems(mail)),
        Verdict("Pictures", f"{len(look.pictures)}", tuple(approved.problems(mail.key, look))),
    )
    return Judged(mail, score, look, verdicts)


def _weight(mail: Mail) -> str:
    octets, style = build.html_octets(mail), build.style_octets(mail)
    return f"{octets / 1000:.1f} KB, style {style / 1000:.1f}"
