"""House copies: printed when the words change, the old one in use until the new one is there."""

from dataclasses import replace

import pytest

from funnel.domain.errors import GuideFailed
from funnel.domain.guides import PLAIN_AFTER, Edition
from funnel.services import guides, house_copies
from funnel.services.recipes import Recipe
from tests.support.house import House
from tests.support.prints import make_next


def keep_fresh(house: House, recipe: Recipe) -> None:
    with house.rt.sessions.begin() as session:
        house_copies.keep_fresh(session, recipe, now=house.clock.now())


def plain(house: House) -> bytes | None:
    with house.rt.reading.begin() as session:
        file = house_copies.copy_file(session, guides.PLAIN, Edition.GUIDE, shelf=house.rt.shelf)
    return file.content if file else None


def new_words(house: House) -> Recipe:
    return replace(house.rt.recipe, practice={**house.rt.recipe.practice, "news": "words"})


def with_recipe(house: House, recipe: Recipe) -> bool:
    """One step of a printer that was started with these words."""
    return replace(house.rt.worker.printer, recipe=recipe).make_next()


def test_a_new_house_prints_its_plain_copies_once(each_house: House) -> None:
    house = each_house
    house.work()
    assert [each["edition"] for each in house.press.documents] == ["guide", "tracker", "large"]
    keep_fresh(house, house.rt.recipe)
    assert not make_next(house)


def test_a_day_later_it_is_still_the_same_copy(house: House) -> None:
    house.work()
    house.clock.advance(house.clock.now() - house.clock.now().replace(day=1))
    keep_fresh(house, house.rt.recipe)
    assert not make_next(house)


def test_new_words_make_a_new_copy_and_the_old_one_serves_meanwhile(house: House) -> None:
    house.work()
    old = plain(house)
    recipe = new_words(house)
    keep_fresh(house, recipe)
    assert old is not None
    assert plain(house) == old
    while with_recipe(house, recipe):
        pass
    assert b"'news'" in (plain(house) or b"")


def test_new_code_makes_a_new_copy(house: House) -> None:
    house.work()
    keep_fresh(house, replace(house.rt.recipe, code_version="newer"))
    assert make_next(house)


def test_a_copy_that_cannot_be_renewed_leaves_the_last_good_one(house: House) -> None:
    house.work()
    old = plain(house)
    keep_fresh(house, new_words(house))
    house.press.failure = GuideFailed("The new words do not fit.")
    for _ in range(3 * PLAIN_AFTER):
        with_recipe(house, new_words(house))
    assert plain(house) == old


def test_every_pattern_can_be_looked_at_with_a_reader_made_up_for_it(house: House) -> None:
    house.work()
    for pattern in house.rt.catalog.self_check.patterns:
        with house.rt.sessions.begin() as session:
            seen = house_copies.want(
                session, house.rt.recipe, pattern.key, Edition.GUIDE, now=house.clock.now()
            )
        assert seen.is_waiting
        assert make_next(house)
        document = house.press.documents[-1]
        assert document["pattern"]["key"] == pattern.key  # type: ignore[index]  # a mapping
        assert isinstance(document["told"], list)
    with house.rt.reading.begin() as session:
        assert all(each.is_ready for each in house_copies.copies(session))


def test_a_pattern_that_does_not_exist_is_refused(house: House) -> None:
    with pytest.raises(KeyError), house.rt.sessions.begin() as session:
        house_copies.want(session, house.rt.recipe, "made-up", Edition.GUIDE, now=house.clock.now())
