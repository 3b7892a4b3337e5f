"""Every route there is, asked for with parts that exist."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from funnel.links import LinkPurpose
from tests.support import make
from tests.support.desk import setup_token
from tests.support.house import House

# Routes whose <token> is of another kind than their path's first word says.
TOKENS = {
    "thank-you": "guide",
    "challenge": "portal",
    "programme": "portal",
    "desk/set-up": "set-up",
    "change-address": "change",
    "your-data": "preferences",
    "your-data/open": "your-data",
}


@dataclass(frozen=True)
class Places:
    """What stands in the open places of routes: one person who joined everything."""

    parts: dict[str, str]
    tokens: dict[str, str]

    def path(self, rule: Rule) -> str:
        """A path of this rule; a place nobody told us of gets a 1."""
        first = rule.rule.partition("/<")[0].strip("/")
        path = rule.rule
        for name in rule.arguments:
            value = self.parts.get(name, "1")
            if name == "token":
                value = self.tokens.get(TOKENS.get(first, first), "1")
            for kind in ("", "int:", "path:", "string:", "uuid:"):
                path = path.replace(f"<{kind}{name}>", value)
        return path


def places(house: House) -> Places:
    """Dora joined everything; her pages and her rows are what is asked for."""
    links = house.rt.links
    dora = make.joined(house, "dora@example.org")
    handles = {
        LinkPurpose.CONFIRM: make.newest_confirmation(house, "dora@example.org"),
        LinkPurpose.GUIDE: dora.guide_handle,
        LinkPurpose.CHANGE: make.ask_to_move(house, "dora@new.example.org", of="dora@example.org"),
        LinkPurpose.YOUR_DATA: make.ask_for_data(house, "dora@example.org"),
    }
    tokens = {str(p): links.token(p, handles.get(p, dora.subscriber_handle)) for p in LinkPurpose}
    return Places(
        parts={
            "subscriber_id": str(make.person(house, "dora@example.org").id),
            "sealed": links.seal("dora@example.org"),
            "number": "1",
            "name": "pain-relief-blueprint.pdf",
            "filename": "desk.css",
            "key": "nurture",
            "step": "01-one-technique",
            "act": "skip",
            "what": "plan",
            "edition": "guide",
            "pattern": "house",
            "version": "1",
        },
        tokens=tokens | {"set-up": setup_token(house) or "over"},
    )


def rules(app: Flask) -> Iterator[tuple[Rule, list[str]]]:
    """Every rule with the methods it is for."""
    for rule in app.url_map.iter_rules():
        yield rule, sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
