"""`funnel simulate` as its owner runs it."""

import json

from click.testing import CliRunner

from funnel.cli.simulate import simulate

KEYS = [
    "people", "days", "seed", "first_day", "funnel", "mails", "mails_by_class", "mails_by_key",
    "busiest_day", "busiest_day_mails", "hours", "backlog", "database", "seconds",
]  # fmt: skip


def _run(*more: str) -> str:
    size = ("--people", "60", "--days", "30", "--from", "2027-06-01", "--rate", "0.5")
    result = CliRunner().invoke(simulate, [*size, *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_answer_is_one_object_that_adds_up_and_is_the_same_again() -> None:
    found = json.loads(_run("--json"))
    assert list(found) == KEYS
    assert found["people"] == found["funnel"]["requested"] == 60
    assert found["first_day"] == "2027-06-01"
    assert found["mails"] == sum(found["mails_by_class"].values())
    assert found["mails"] == sum(found["mails_by_key"].values())
    assert found["database"]["rows"]["message"] == found["mails"]
    assert found["backlog"]["rate_a_second"] == 0.5
    assert len(found["hours"]["by_hour_of_day"]) == 24
    again = json.loads(_run("--json"))
    assert {**found, "seconds": 0} == {**again, "seconds": 0}
    assert json.loads(_run("--json", "--seed", "7"))["mails_by_key"] != found["mails_by_key"]


def test_without_json_it_is_a_page_people_can_read() -> None:
    printed = _run()
    assert printed.startswith("60 people ask for the guide in 30 days: demo rates, no results.")
    for words in ("busiest hour", "peak backlog", "1 GB after"):
        assert words in printed
