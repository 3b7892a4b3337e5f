"""Every mail we ship is well built, worded and addressed, as it arrives."""

from dataclasses import replace

import pytest

from funnel.content.catalog import Catalog
from tests.mails import build, headers, structure, words
from tests.mails.post import Mail, every_mail, shipped_brand

MAILS = every_mail()
ACCENTS = "Zoë Ångström, clinical massage and movement for Milton Keynes – Wolverton"

each_mail = pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.key)


@each_mail
def test_it_is_light_and_asks_nothing_of_a_third_party(mail: Mail, catalog: Catalog) -> None:
    assert build.problems(mail, catalog) == ()


@each_mail
def test_it_reads_easily_and_claims_nothing(mail: Mail) -> None:
    assert words.problems(mail) == ()


@each_mail
def test_it_is_whole_for_ears_and_eyes(mail: Mail, catalog: Catalog) -> None:
    assert structure.problems(mail, catalog) == ()


@each_mail
def test_its_headers_are_right_to_the_byte_on_either_way(mail: Mail) -> None:
    assert headers.problems(mail) == ()


def test_the_headers_are_as_right_for_a_practice_with_accents() -> None:
    accented = replace(shipped_brand(), from_name=ACCENTS, trading_name="Zoë’s")
    for mail in every_mail(brand=accented):
        assert headers.problems(mail) == ()
        assert ACCENTS not in mail.content.decode("ascii")


def test_the_name_of_the_list_is_one_for_all_series() -> None:
    names = {line for mail in MAILS for line in mail.arrived.lines_of("List-Id")}
    assert names == {"List-Id: <series.mail.practice.example>"}
