"""The filters and words that only the desk's templates use."""

from flask import Blueprint

from funnel.domain.schedule import zone_of
from funnel.runtime import Runtime
from funnel.web.desk import charts, words


def add_filters(routes: Blueprint, rt: Runtime) -> None:
    """Times in the practice's zone, told from the funnel's now; of signing in, the machine's."""
    zone = zone_of(rt.catalog.brand.time_zone)
    add = routes.add_app_template_filter
    add(lambda when: words.moment(when, rt.clock.now(), zone), "moment")
    machine = rt.clock.machine
    add(lambda when: words.moment(when, machine(), zone), "machine_moment")
    add(lambda when: words.moment_in_sentence(when, machine(), zone), "at_machine_moment")
    add(lambda when: words.moment_in_sentence(when, rt.clock.now(), zone), "at_moment")
    add(lambda when: words.short_day(when, zone), "short_day")
    add(lambda when: words.spell(rt.clock.now() - when), "spell_since")
    add(words.whole_day, "whole_day")
    add(words.number, "number")
    add(words.people, "people")
    add(words.source_name, "source_name")
    add(words.percent, "percent")
    add(words.in_order, "groupby_in_order")

    @routes.context_processor
    def words_and_charts() -> dict[str, object]:
        return {"words": words, "charts": charts}
