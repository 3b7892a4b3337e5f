"""What a password of the desk must be: long, and not one of those that are tried first."""

import re
from collections.abc import Iterable

MIN_CHARACTERS = 12
MAX_OCTETS = 128
_MIN_DIFFERENT = 5
_MIN_OWN = 6

# What passwords of twelve characters and more are commonly built from. Longest first, so that
# "password" goes before "pass".
_COMMON_WORDS = """
    password passwort passw0rd pass word secret private access system server login logon signin
    admin administrator root superuser master guest default test testing demo sample example
    welcome hello letmein letmeinnow changeme changeit openup opensesame trustno whatever nothing
    iloveyou loveyou lovely sweetheart princess prince princesa angel babygirl flower sunshine
    rainbow butterfly buttercup chocolate cheese cookie banana orange summer winter spring autumn
    monday friday january february august september october november december
    football baseball basketball liverpool chelsea arsenal manchester united everton rangers celtic
    charlie michael jennifer jessica ashley daniel thomas jordan george andrew matthew joshua
    dragon monkey tiger shadow superman batman spiderman pokemon starwars naruto minecraft
    computer internet google facebook instagram whatsapp windows microsoft samsung iphone android
    qwertyuiop qwerty qwertz azerty asdfghjkl asdfgh asdf zxcvbnm zxcvbn zxcv qazwsxedc qazwsx
    qweasdzxc wasd onetwothree abcdefghijkl abcdef abcd abc
    1qaz2wsx3edc4rfv 1qaz2wsx3edc 1qaz2wsx zaq12wsx q1w2e3r4t5y6 q1w2e3r4t5 q1w2e3r4 1q2w3e4r5t6y
    1q2w3e4r5t 1q2w3e4r 01234567890 1234567890 123456789 12345678 1234567 123456 12345 1234 123
    0987654321 987654321 87654321 7654321 654321 54321 4321 321
    therapist therapy massage clinical clinic treatment backpain painrelief pain relief blueprint
    funnel mobility challenge programme booking london milton keynes england britain
"""
_COMMON = sorted(_COMMON_WORDS.split(), key=len, reverse=True)
_LOOKALIKES = str.maketrans("@$!+", "asit")
_DIGIT_LETTERS = str.maketrans("0134578", "oleastb")


def password_problem(password: str, context: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as a kind sentence; None when it will do.

    `context` holds words a guesser knows: name, address, practice. Any characters are welcome.
    """
    if len(password) < MIN_CHARACTERS:
        return f"Please use at least {MIN_CHARACTERS} characters. A few words together are good."
    if len(password.encode()) > MAX_OCTETS:
        return f"Please keep it under {MAX_OCTETS} characters."
    if len(set(password)) < _MIN_DIFFERENT:
        return "That repeats too few characters. Please mix it up more."
    if _own_part(password, context) < _MIN_OWN:
        return "That is one of the first things a stranger would try. Please choose another."
    return None


def _own_part(password: str, context: Iterable[str]) -> int:
    """How many characters are left once common words, years and the context are taken out."""
    plain = password.casefold().translate(_LOOKALIKES)
    known = [*_context_words(context), *_COMMON]
    return min(_left_over(plain, known), _left_over(plain.translate(_DIGIT_LETTERS), known))


def _left_over(text: str, known: list[str]) -> int:
    for word in known:
        text = text.replace(word, " ")
    text = re.sub(r"(?:19|20)\d\d", " ", text)
    return len(set(re.sub(r"[\W_]", "", text)))


def _context_words(context: Iterable[str]) -> list[str]:
    words = {word for text in context for word in re.split(r"[\W_]+", text.casefold())}
    return sorted((word for word in words if len(word) > 2), key=len, reverse=True)
