"""What a mail says, as its reader gets it: claims, how hard it reads, and what a phone shows."""

from collections.abc import Iterator

from funnel.content.claims import HEALTH
from funnel.content.lint import lint_claims, lint_mail
from tests.content.reading import grade
from tests.mails.post import Mail

MAX_GRADE = 7.0
MOST_WORDS = 280


def reading_grade(mail: Mail) -> float:
    """The years of schooling it asks for, from its heading to its last line."""
    lines = (mail.words.kicker, mail.words.heading, mail.words.body)
    return grade(".\n\n".join(line for line in lines if line))


def problems(mail: Mail) -> tuple[str, ...]:
    """What is wrong with its words."""
    return (
        *lint_mail(mail.words, mail.key, is_marketing=mail.is_series),
        *lint_claims(mail.arrived.text, mail.key),
        *_on_a_locked_phone(mail),
        *_hard_to_read(mail),
    )


def _on_a_locked_phone(mail: Mail) -> Iterator[str]:
    for name, words in (("subject", mail.arrived.subject), ("preheader", mail.preheader)):
        told = HEALTH.search(words)
        if told:
            yield f"the {name} tells of health: '{told[0]}'"


def _hard_to_read(mail: Mail) -> Iterator[str]:
    if reading_grade(mail) > MAX_GRADE:
        yield f"it reads at grade {reading_grade(mail):.1f}"
    if len(mail.words.body.split()) > MOST_WORDS:
        yield f"it has {len(mail.words.body.split())} words"
