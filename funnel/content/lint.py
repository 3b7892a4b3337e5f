"""Judges words: claims, statistics, subjects, preheaders, links, and the compiled mail's build."""

from collections.abc import Iterator
from pathlib import Path

from funnel.content.catalog import Catalog, load_catalog
from funnel.content.claims import CLAIMS, HEALTH, PITCH, SOURCE, STATISTIC
from funnel.content.files import read_text, shown_path
from funnel.content.findings import Findings
from funnel.content.mails import MailText, parse_mail
from funnel.content.markdown import link_targets, read_markdown
from funnel.content.merge import Slot, Slotted, to_slots
from funnel.content.names import (
    LINK_NAMES,
    MARKETING_LINKS,
    PITCH_LINKS,
    SERVICE_LINKS,
    link_name,
    link_problem,
)
from funnel.content.render import MailFields, Renderer
from funnel.content.safety_lint import lint_safety, lint_self_check
from funnel.content.sequence_checks import check_together
from funnel.content.sequences import mail_keys, parse_sequence
from funnel.content.shipped import SERVICE, ShippedText, shipped_texts
from funnel.content.style import lint_build
from funnel.domain.errors import ContentInvalid
from funnel.domain.sequence import Sequence

MAX_SUBJECT = 44
PREHEADER = range(40, 91)
TYPICAL_NAME = 10
_CATALOG_FILES = (
    "self_check.yaml", "challenge.yaml", "offers.yaml", "wordings.yaml", "brand.yaml",
    "sending.yaml",
)  # fmt: skip


def lint_claims(text: str, where: str) -> tuple[str, ...]:
    """Banned claims and statistics without a source ("Source: ..., 2017") in any text."""
    found = Findings(where)
    has_source = SOURCE.search(text) is not None
    for number, line in enumerate(text.split("\n"), start=1):
        for rule in CLAIMS:
            for match in rule.pattern.finditer(line):
                found.add(number, f"'{match[0]}' is a claim we may not make: {rule.mend}")
        if not has_source:
            for match in STATISTIC.finditer(line):
                found.add(number, f"'{match[0]}' is a statistic without its source: add a line "
                                  "such as 'Source: Versus Arthritis, 2021'")  # fmt: skip
    return found.items


def lint_mail(mail: MailText, where: str, *, is_marketing: bool) -> tuple[str, ...]:
    """What is wrong with the words of one mail, apart from what parsing has already refused."""
    found = Findings(where)
    subject, preheader = _typical(mail.subject, found), _typical(mail.preheader, found)
    _check_subject(subject, preheader, found)
    names = {link_name(target) for target in _targets(mail, found)}
    if is_marketing:
        _check_marketing(names, found)
    else:
        _check_service(mail, names, found)
    words = "\n".join((mail.heading or "", mail.kicker or "", subject, preheader, mail.body))
    claims = [finding.partition(": ")[2] for finding in lint_claims(words, where)]
    return (*found.items, *(f"{where}:1: {claim}" for claim in claims))


def _typical(text: str, found: Findings) -> str:
    """The text as it reads with a name of usual length."""

    def value_of(slot: Slot) -> str:
        return slot.value.ljust(TYPICAL_NAME, "n") if slot.kind == "name" else slot.value

    return Slotted.cut(to_slots(text, found, 1)).fill(value_of)


def _check_subject(subject: str, preheader: str, found: Findings) -> None:
    if len(subject) > MAX_SUBJECT:
        found.add(1, f"the subject has {len(subject)} characters: keep it under 45")
    health = HEALTH.search(subject)
    if health:
        found.add(1, f"'{health[0]}' in the subject tells of health: choose neutral words")
    if subject.isupper() or "!" in subject:
        found.add(1, "the subject shouts: write it in plain letters, without '!'")
    if len(preheader) not in PREHEADER:
        found.add(1, f"the preheader has {len(preheader)} characters: make it 40 to 90")
    if preheader.casefold() == subject.casefold():
        found.add(1, "the preheader repeats the subject: let it add something")


def _targets(mail: MailText, found: Findings) -> list[str]:
    root = read_markdown(to_slots(mail.body, found, 1), found, 1)
    targets = list(link_targets(root)) if root else []
    if mail.cta is not None:
        targets.append(f"link:{mail.cta.link}")
        problem = link_problem(targets[-1])
        if problem:
            found.add(1, problem)
    return targets


def _check_marketing(names: set[str | None], found: Findings) -> None:
    for name in sorted(names & SERVICE_LINKS, key=str):
        found.add(1, f"the link '{name}' belongs in a service mail only: remove it")


def _check_service(mail: MailText, names: set[str | None], found: Findings) -> None:
    for name in sorted((names & PITCH_LINKS) - set(mail.asked_for), key=str):
        found.add(1, f"a service mail may not advertise: remove the link '{name}'")
    words = " ".join((mail.subject, mail.preheader, mail.heading or "", mail.body))
    for match in PITCH.finditer(words):
        if match[0].lower() in mail.asked_for:
            continue
        found.add(1, f"a service mail may not advertise: remove '{match[0]}'")
    if names & SERVICE_LINKS and "first_name" in words:
        found.add(1, "a mail to an unconfirmed address may not carry what a stranger typed: "
                     "leave the first name out")  # fmt: skip


def lint_all(root: Path) -> tuple[str, ...]:
    """Every problem of every text under a templates folder; empty when all is well."""
    try:
        catalog = load_catalog(root)
        texts = shipped_texts(root)
    except ContentInvalid as error:
        return error.findings
    patterns = frozenset(pattern.key for pattern in catalog.self_check.patterns)
    return tuple(dict.fromkeys((
        *_lint_catalog(root, catalog),
        *_lint_sequences(texts, patterns),
        *lint_mails(texts, Renderer(root, catalog), frozenset(catalog.brand.link_hosts)),
    )))  # fmt: skip


def _lint_catalog(root: Path, catalog: Catalog) -> Iterator[str]:
    for name in _CATALOG_FILES:
        found = Findings(shown_path(root, root / name))
        yield from lint_claims(read_text(root / name, found) or "", found.where)
    yield from lint_safety(catalog.safety, shown_path(root, root / "safety.yaml"))
    yield from lint_self_check(catalog.self_check, shown_path(root, root / "self_check.yaml"))


def _lint_sequences(texts: tuple[ShippedText, ...], patterns: frozenset[str]) -> Iterator[str]:
    sequences: dict[str, Sequence] = {}
    for text in (each for each in texts if each.kind == "sequence"):
        try:
            sequences[text.key] = parse_sequence(text.source, text.where, patterns)
        except ContentInvalid as error:
            yield from error.findings
            continue
        yield from _lint_steps(sequences[text.key], text, texts)
    where = {text.key: text.where for text in texts}
    yield from (f"{where[key]}:1: {problem}" for key, problem in check_together(sequences))


def _lint_steps(
    sequence: Sequence, text: ShippedText, texts: tuple[ShippedText, ...]
) -> Iterator[str]:
    if sequence.key != text.key:
        yield f"{text.where}:1: the key is '{sequence.key}' but the folder '{text.key}': make one"
    steps = {f"{text.key}/{key}" for key in mail_keys(sequence)}
    forks = {f"{text.key}/{step.key}" for step in sequence.steps if step.ways}
    mails = {
        each.key for each in texts if each.kind == "mail" and each.key.partition("/")[0] == text.key
    }
    for key in sorted(steps - mails):
        yield f"{text.where}:1: the step '{key}' has no mail: add its file"
    for key in sorted(mails & forks):
        yield f"{text.where}:1: the fork '{key}' sends nothing, yet it has a mail: remove its file"
    for key in sorted(mails - steps - forks):
        yield f"{text.where}:1: the mail '{key}' has no step: add one or remove the file"


def lint_mails(
    texts: tuple[ShippedText, ...], renderer: Renderer, hosts: frozenset[str]
) -> Iterator[str]:
    """What is wrong with the mails among these texts: read, judged and built as for a reader."""
    for text in (each for each in texts if each.kind == "mail"):
        is_marketing = not text.key.startswith(f"{SERVICE}/")
        try:
            mail = parse_mail(text.source, text.where)
            yield from lint_mail(mail, text.where, is_marketing=is_marketing)
            rendered = renderer.render(mail, sample_fields(is_marketing=is_marketing))
        except ContentInvalid as error:
            yield from error.findings
            continue
        yield from lint_build(rendered, text.where, hosts | {SAMPLE_HOST})


SAMPLE_HOST = "practice.example"


def sample_fields(*, is_marketing: bool) -> MailFields:
    """Fields to try a mail with: every link, a plain name."""
    return MailFields(
        first_name="Ada",
        links={
            name: f"https://{SAMPLE_HOST}/{name}/sample" for name in LINK_NAMES | MARKETING_LINKS
        },
        is_marketing=is_marketing,
        because="You get this because you asked for the free guide and said yes to emails.",
    )
