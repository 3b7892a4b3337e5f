"""How hard a text is to read: the Flesch-Kincaid grade, in years of schooling."""

import re

_MARKS = re.compile(r"\]\([^)]*\)|\{\{.*?\}\}|[#*\[\]]")
_QUOTE = re.compile(r"^> ?", re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:\d+\.|-)\s", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z'’-]+")
_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
    letters = word.lower().strip("'’-")
    count = len(_VOWELS.findall(letters))
    if letters.endswith("e") and not letters.endswith("le") and count > 1:
        count -= 1
    return max(count, 1)


def grade(markdown: str) -> float:
    """The grade of a text; list items and headings count as sentences."""
    text = _ITEM.sub("\n\n", _QUOTE.sub("", markdown))
    parts = re.split(r"[.!?:]|\n\s*\n", _MARKS.sub("", text))
    sentences = [part for part in parts if _WORD.search(part)]
    words = [word for part in sentences for word in _WORD.findall(part)]
    per_sentence = len(words) / len(sentences)
    per_word = sum(syllables(word) for word in words) / len(words)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59
