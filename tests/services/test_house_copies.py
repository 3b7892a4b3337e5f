"""House copies: printed when the words change, the old one in use until the new one is there."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from funnel.db.guides import GuidePrint
from funnel.domain.errors import GuideFailed
from funnel.domain.guides import PLAIN_AFTER, Edition
from funnel.domain.ports import PressedGuide
from funnel.domain.self_check import Answer, Question, SelfCheck, pattern_for
from funnel.services import guides, house_copies
from funnel.services.recipes import Recipe
from funnel.services.self_check import house_parts
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


def test_new_code_makes_a_new_copy_and_old_code_keeps_away_from_it(each_house: House) -> None:
    house = each_house
    house.work()
    newer = replace(house.rt.recipe, code_version="newer")
    keep_fresh(house, newer)
    assert not make_next(house), "a worker not started anew yet"
    assert with_recipe(house, newer)


def test_old_code_in_the_middle_of_a_copy_does_not_pass_it_off_as_the_new_one(
    each_house: House,
) -> None:
    house = each_house
    press, recipe = house.press.press, new_words(house)

    def renewed_meanwhile(document: object, out: Path, edition: str) -> PressedGuide:
        house.press.press = press  # type: ignore[method-assign]  # once
        keep_fresh(house, recipe)
        return press(document, out, edition)  # type: ignore[arg-type]  # handed on as it came

    house.press.press = renewed_meanwhile  # type: ignore[method-assign, assignment]  # for once
    assert make_next(house)
    assert plain(house) is None
    while with_recipe(house, recipe):
        pass
    assert b"'news'" in (plain(house) or b"")


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_renews_a_copy_sees_what_became_of_it_meanwhile(each_house: House) -> None:
    house = each_house
    with house.rt.sessions.begin() as session:
        seen = list(session.scalars(select(GuidePrint)))
        house.work()
        house_copies.keep_fresh(session, new_words(house), now=house.clock.now())
        assert {each.fence for each in seen} == {2}
    while with_recipe(house, new_words(house)):
        pass
    assert b"'news'" in (plain(house) or b"")


def test_a_pattern_that_is_gone_stops_no_other_copy(each_house: House) -> None:
    house = each_house
    with house.rt.sessions.begin() as session:
        gone = house.rt.catalog.self_check.fallback
        house_copies.want(session, house.rt.recipe, gone, Edition.GUIDE, now=house.clock.now())
    parts = {key: part for key, part in house.rt.recipe.house.items() if key != gone}
    without = replace(new_words(house), house=parts)
    while with_recipe(house, without):
        pass
    assert len(house.press.documents) == 0, "nothing here is for this recipe yet"
    keep_fresh(house, without)
    while with_recipe(house, without):
        pass
    with house.rt.reading.begin() as session:
        copies = house_copies.copies(session)
    assert {each.pattern for each in copies} == {guides.PLAIN}
    assert all(each.is_ready for each in copies)


def test_a_copy_that_the_desk_waits_for_comes_with_the_new_words(house: House) -> None:
    pattern = house.rt.catalog.self_check.fallback
    with house.rt.sessions.begin() as session:
        house_copies.want(session, house.rt.recipe, pattern, Edition.GUIDE, now=house.clock.now())
    keep_fresh(house, new_words(house))
    while with_recipe(house, new_words(house)):
        pass
    with house.rt.reading.begin() as session:
        assert all(each.is_ready for each in house_copies.copies(session))


def test_the_made_up_reader_of_every_pattern_really_has_it(house: House) -> None:
    check = house.rt.catalog.self_check
    for pattern in check.patterns:
        lines = house_parts(check)[pattern.key]["told"]
        assert isinstance(lines, list)
        told_by = {
            answer.told: (question.key, answer.key)
            for question in check.questions
            for answer in question.answers
        }
        answers = dict(told_by[line] for line in lines)
        assert pattern_for(check, answers) == pattern


def test_made_up_readers_are_found_at_once_in_a_long_self_check(house: House) -> None:
    """Nine questions of six answers: ten million ways, and the last alone would lead there."""
    pattern = house.rt.catalog.self_check.patterns[0]
    patterns = tuple(replace(pattern, key=f"p{number}") for number in range(6))
    questions = tuple(
        Question(
            f"q{place}",
            "?",
            (
                *(Answer(f"a{number}", ".", {"p0": 1}, told="x") for number in range(5)),
                Answer(
                    "last", ".", {}, told=f"p{place}", decides=f"p{place}" if place < 6 else None
                ),
            ),
        )
        for place in range(9)
    )
    parts = house_parts(SelfCheck(1, 90, questions, patterns, "p0"))
    for each in patterns[1:]:
        assert each.key in parts[each.key]["told"]  # type: ignore[operator]  # a list of lines


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
