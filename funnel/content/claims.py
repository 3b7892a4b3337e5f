"""What our words may not claim: rules of the advertising code, in words that can be searched."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A pattern that may not appear, and what to write instead."""

    pattern: re.Pattern[str]
    mend: str


def _rule(words: str, mend: str) -> Rule:
    return Rule(re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE), mend)


CLAIMS = (
    _rule(r"cur(?:e|es|ed|ing)|heal(?:s|ed|ing)?|eradicat\w+|eliminat\w+",
          "no massage or exercise may claim that: write 'may help' or 'may ease'"),
    _rule(r"guarantee\w*|100\s?(?:%|per\s?cent)|miracle\w*|risk-free",
          "nobody can promise a result: write 'aims to', or leave it out"),
    _rule(r"(?:clinically |scientifically )?proven",
          "that needs trials of this very product: write 'many people find', or leave it out"),
    _rule(r"permanent\w*|pain[- ]free(?: for good)?|for good|once and for all",
          "no lasting result may be promised: write 'for now', 'easier', or leave it out"),
    _rule(r"fix(?:es)? (?:your|my)|get rid of|banish\w*|say goodbye to",
          "a body is not mended by an email: write 'ease' or 'look after'"),
    _rule(r"suits (?:everyone|everybody|anyone)|for every(?:one|body)|(?:most|more) effective",
          "that cannot be shown: write 'suits most adults with ordinary low back pain'"),
    _rule(r"diagnos(?:e|es|ed|ing) (?:you|your|the)|treat(?:s|ing)? (?:your )?(?:sciatica|arthritis"
          r"|disc\w*|stenosis)",
          "that is for a doctor or physio: send the reader there"),
    _rule(r"last chance|hurry|act now|only \d+ (?:left|places|spots)|don['’]t miss|limited time",
          "no pressure that is not real: leave it out"),
)  # fmt: skip

_NUMBER = r"(?:one|two|three|four|five|six|seven|eight|nine|\d+)"
STATISTIC = re.compile(
    rf"\d+(?:\.\d+)?\s?(?:%|per\s?cent\b)|\b{_NUMBER} in (?:two|three|four|five|six|seven|eight"
    r"|nine|ten|\d+)\b|\b\d+(?:\.\d+)? million\b|\b\d[\d,]* (?:patients|adults|participants)\b",
    re.IGNORECASE,
)
SOURCE = re.compile(r"\bsources?:.*\b(?:19|20)\d\d\b", re.IGNORECASE | re.DOTALL)

# A subject is seen on a locked phone and kept by the provider: it may not hint at health (C29).
HEALTH = re.compile(
    r"\b(?:back|spin(?:e|al)|hips?|glutes?|buttocks?|bottom|legs?|knees?|pelvi[cs]\w*|muscles?"
    r"|nerves?|discs?|joints?|sciatica|arthritis|lumbar|pain\w*|p\.a\.i\.n|hurts?|ach(?:e|es|ing|y)"
    r"|sore\w*|stiff\w*|tight\w*|numb\w*|injur\w*|symptoms?|conditions?|posture|illness\w*"
    r"|surger\w*|pregnan\w*|rehab\w*|therap\w+|massage|flare\w*)(?!\w)",
    re.IGNORECASE,
)

# A mail the reader asked for by an act may not also advertise (C20).
PITCH = re.compile(
    r"\b(?:challenge|discount|special offer|offers?|buy|book a|book your|price|upgrade|sale"
    r"|join (?:me|us|the))\b|£\s?\d",
    re.IGNORECASE,
)

_PLAIN_LABEL = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")
MAX_LABEL = 100


def health_in(key: str) -> str | None:
    """The word in a mail's or step's key that tells of health; None when it tells nothing."""
    found = HEALTH.search(re.sub(r"[^A-Za-z]+", " ", key))
    return found[0] if found else None


def label_of(mail_key: str) -> str:
    """What a provider may know a mail by: its key, else its series, and never a word of health."""
    for label in (mail_key, mail_key.partition("/")[0]):
        is_plain = _PLAIN_LABEL.fullmatch(label) is not None and len(label) <= MAX_LABEL
        if is_plain and health_in(label) is None:
            return label
    return "mail"
