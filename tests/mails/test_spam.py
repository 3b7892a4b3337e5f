"""SpamAssassin has nothing against our mails, and much against one that is spam."""

import pytest

from tests.mails import spam
from tests.mails.post import every_mail


def test_no_mail_looks_like_spam_and_the_control_does() -> None:
    mails = {mail.key: mail.content for mail in every_mail()}
    control = {"control": spam.CONTROL.read_bytes()}
    scores = spam.scores({**mails, **control})
    assert scores.pop("control").points > 5
    assert {key: score for key, score in scores.items() if not score.is_low} == {}
    assert scores.keys() == mails.keys()


def test_a_score_tells_the_rules_that_made_it() -> None:
    score = spam.Score(0.7, spam.telling("NO_RELAYS=-0.001,HTML_FONT_LOW_CONTRAST=0.713"))
    assert score.rules == ("HTML_FONT_LOW_CONTRAST 0.713",)
    assert score.is_low
    assert not spam.Score(1.0, ()).is_low


def test_without_spamassassin_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AssertionError, match=r"^The tests need SpamAssassin. Run `make test`"):
        spam.scores({})
