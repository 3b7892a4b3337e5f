"""Every route, template, link, task and setting is where the house says it is."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from blueprint.figures.entries import ENTRIES
from funnel.links import PATTERNS
from funnel.runtime import TASKS
from funnel.settings import Settings
from funnel.tasks import create_celery
from funnel.web.app import create_app
from tests.support.house import House, open_house

ROOT = Path(__file__).parents[2]
WEB_TEMPLATES = ROOT / "templates" / "web"
OPEN_BLUEPRINTS = {
    "public", "self_check", "guide", "portal", "choices", "complaint", "your_data", "hooks",
    "mailbox",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    file = folder / "funnel.db"
    file.write_bytes(prepared_sqlite.read_bytes())
    with open_house(f"sqlite:///{file}", folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(house: House) -> Flask:
    return create_app(house.rt)


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def example(rule: Rule) -> str:
    """A URL of this rule with made-up parts."""
    return re.sub(r"<(?:int:)?(\w+)>", "1", rule.rule)


def test_every_link_we_send_leads_to_a_page(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for name, pattern in PATTERNS.items():
        path = pattern.format(token="t", day=1)
        assert adapter.test(path, method="GET"), f"{name} leads nowhere: {path}"


def test_every_route_is_public_by_name_or_refuses_strangers(app: Flask) -> None:
    client = app.test_client()
    for rule in rules(app):
        blueprint = rule.endpoint.partition(".")[0]
        if blueprint in OPEN_BLUEPRINTS or rule.endpoint == "health":
            continue
        assert blueprint == "desk", f"{rule.rule} belongs to no known part"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(example(rule), method=method)
            is_door = "sign-in" in rule.rule or "set-up" in rule.rule
            assert is_door or answer.status_code in {302, 303, 403}, f"{method} {rule.rule}"


def test_every_acting_route_refuses_another_sites_form(app: Flask) -> None:
    client = app.test_client()
    for rule in rules(app):
        is_exempt = rule.endpoint.startswith("hooks.") or rule.endpoint == "portal.unsubscribe"
        if "POST" not in (rule.methods or set()) or is_exempt:
            continue
        for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = client.post(example(rule), headers=headers)
            assert answer.status_code in {302, 303, 403}, f"{rule.rule} took a foreign form"
            if answer.status_code != 403:
                assert "/desk/sign-in" in answer.headers["Location"], rule.rule


def test_every_web_template_is_used_and_every_used_one_exists() -> None:
    there = {str(path.relative_to(WEB_TEMPLATES)) for path in WEB_TEMPLATES.rglob("*.html")}
    named = re.compile(r"[\"']([\w/]+\.html)[\"']")
    sources = [*(ROOT / "funnel" / "web").rglob("*.py"), *WEB_TEMPLATES.rglob("*.html")]
    used = {name for source in sources for name in named.findall(source.read_text())}
    pages = ast.parse((ROOT / "funnel" / "web" / "errors.py").read_text())
    numbers = {node.value for node in ast.walk(pages) if isinstance(node, ast.Constant)}
    used |= {f"errors/{number}.html" for number in numbers if isinstance(number, int)} & there
    assert there - used == set()
    assert {name for name in used if "/" in name or name == "base.html"} - there == set()


def test_every_queue_is_consumed_and_every_task_is_routed(house: House) -> None:
    celery = create_celery(house.rt)
    ours = {name for name in celery.tasks if not name.startswith("celery.")}
    assert ours == set(TASKS.values())
    assert set(celery.conf.task_routes) == ours
    assert {entry["task"] for entry in celery.conf.beat_schedule.values()} == ours
    compose = (ROOT / "docker-compose.yml").read_text()
    for queue in TASKS:
        assert re.search(rf"-Q[\s\",]+{queue}\b", compose), f"nobody consumes {queue}"


def test_the_readme_names_every_setting() -> None:
    source = (ROOT / "funnel" / "settings.py").read_text()
    named = set(re.findall(r"read\.\w+\(\s*\"([A-Z_]+)\"", source))
    readme = (ROOT / "README.md").read_text()
    told = set(re.findall(r"^\| `([A-Z_]+)`", readme, re.MULTILINE))
    assert told == named
    assert len(named) >= len(fields(Settings)) - 2  # the demo flag, and one read twice


def test_the_stylesheet_knows_the_frame_of_every_figure() -> None:
    """Neighbours share one scale only if the page knows how wide each drawing is, and its floor."""
    css = (ROOT / "funnel" / "web" / "static" / "public.css").read_text("utf-8")
    for name, entry in ENTRIES.items():
        rules = re.findall(rf"\.figure--{name}(?=[ ,])[^{{]*{{([^}}]*)}}", css)
        said = dict(re.findall(r"--(cm|floor): (\d+)", "".join(rules)))
        frame = entry.frame
        cm, floor = int(said.get("cm", 176)), int(said.get("floor", 7))
        assert cm == round(frame.right - frame.left), name
        assert floor == round(-frame.bottom) or name == "bridge-cover", name
