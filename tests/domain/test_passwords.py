"""What a password of the desk must be."""

import pytest

from funnel.domain.passwords import password_problem


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "Zwölf Bären tanzen",
        "kettle-lamp-otter-42",
        "x7#Kq9!mWz2$",
        "日本語のとても長い合言葉です",
        " spaces  at both ends are fine ",
    ],
)
def test_long_and_uncommon_passwords_will_do(password: str) -> None:
    assert password_problem(password, ["ada@example.org", "Ada", "Clinical Massage MK"]) is None


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Passw0rd2026!",
        "P@$$w0rd!2024",
        "qwertyuiop123",
        "1qaz2wsx3edc4rfv",
        "123456789012",
        "iloveyou1234",
        "LiverpoolLiverpool",
        "WelcomeWelcome1",
        "Summer2026Summer",
        "ClinicalMassageMK",
        "ada.ada.ada1234",
        "backpain-relief-2026",
    ],
)
def test_what_a_stranger_tries_first_is_refused(password: str) -> None:
    problem = password_problem(password, ["ada@example.org", "Ada", "Clinical Massage MK"])
    assert problem is not None
    assert "stranger" in problem


def test_a_short_password_is_told_the_length() -> None:
    problem = password_problem("elevenchars")
    assert problem is not None
    assert "12 characters" in problem


def test_length_is_limited_in_octets_so_that_hashing_stays_cheap() -> None:
    # Accented letters take two octets each: 112 characters here are over the limit.
    assert password_problem("žluťoučký kůň úpěl ďábelské ódy") is None
    problem = password_problem("žluťoučký kůň " * 8)
    assert problem is not None
    assert "128" in problem


def test_one_key_held_down_is_refused() -> None:
    problem = password_problem("ababababababab")
    assert problem is not None
    assert "repeats" in problem
