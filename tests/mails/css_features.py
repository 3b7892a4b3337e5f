"""Which features of CSS a mail uses, by the names that caniemail.com gives them."""

import re
from collections.abc import Iterator
from typing import Any

import tinycss2

from tests.mails.caniemail_data import support

# Read by the one engine that they name, and skipped by all others.
VENDOR = re.compile(r"-(?:ms|webkit|moz)-|mso-")
_GROUPS = {
    "top": "css-left-right-top-bottom",
    "right": "css-left-right-top-bottom",
    "bottom": "css-left-right-top-bottom",
    "left": "css-left-right-top-bottom",
    "flex": "css-display-flex",
    "grid": "css-display-grid",
}
_DISPLAYS = {
    "none": "css-display-none",
    "flex": "css-display-flex",
    "inline-flex": "css-display-flex",
    "grid": "css-display-grid",
    "inline-grid": "css-display-grid",
}
_FUNCTIONS = {
    "calc": "css-unit-calc",
    "rgb": "css-rgb",
    "rgba": "css-rgba",
    "var": "css-variables",
    "clamp": "css-function-clamp",
    "min": "css-function-min",
    "max": "css-function-max",
    "light-dark": "css-function-light-dark",
    "linear-gradient": "css-linear-gradient",
    "radial-gradient": "css-radial-gradient",
    "conic-gradient": "css-conic-gradient",
}
_LOGICAL = re.compile(r"(margin|padding|border)-(?:inline|block)\b")
_WORDS = {"initial": "css-unit-initial", "system-ui": "css-sytem-ui"}
_SIMPLE = re.compile(r"::?[\w-]+(?:\([^)]*\))?|\.[\w-]+|#[\w-]+|\[[^\]]*\]|\*|[\w-]+")
_COMBINATORS = {
    ">": "css-selector-child",
    "+": "css-selector-adjacent-sibling",
    "~": "css-selector-general-sibling",
    " ": "css-selector-descendant",
}

# A feature, and those it stands inside: a client that skips one of these never comes to it.
Use = tuple[str, frozenset[str]]


def in_sheet(css: str, within: frozenset[str]) -> Iterator[Use]:
    """The features of a whole sheet."""
    if "/*" in css:
        yield "css-comments", within
    yield from _in_rules(tinycss2.parse_stylesheet(css, True, True), within)


def in_declarations(css: str | list[Any], within: frozenset[str]) -> Iterator[Use]:
    """The features of what stands between braces, or in a style attribute."""
    for node in tinycss2.parse_blocks_contents(css, True, True):
        if node.type == "declaration":
            yield from ((feature, within) for feature in _in_declaration(node))
        elif node.type == "qualified-rule":
            yield "css-nesting", within
        else:
            yield f"broken CSS ({node.type})", within


def in_address(address: str) -> str | None:
    """The kind of picture behind an address; None where it does not say."""
    if address.startswith("data:"):
        return "image-base64"
    kind = re.search(r"\.(\w+)(?:[?#]|$)", address)
    return f"image-{kind[1].lower().replace('jpeg', 'jpg')}" if kind else None


def _in_rules(rules: list[Any], within: frozenset[str]) -> Iterator[Use]:
    for rule in rules:
        if rule.type == "at-rule":
            yield from _in_at_rule(rule, within)
        elif rule.type == "qualified-rule":
            selectors = tinycss2.serialize(rule.prelude)
            yield from ((feature, within) for feature in in_selectors(selectors))
            yield from in_declarations(rule.content, within)
        else:
            yield f"broken CSS ({rule.type})", within


def _in_at_rule(rule: Any, within: frozenset[str]) -> Iterator[Use]:
    asked = re.findall(r"\(\s*([\w-]+)", tinycss2.serialize(rule.prelude))
    own = {f"css-at-{rule.lower_at_keyword}"}
    own |= {f"css-at-media-{name}" for name in asked} & support().keys()
    yield from ((feature, within) for feature in own)
    if rule.content and rule.lower_at_keyword in {"media", "supports"}:
        yield from _in_rules(tinycss2.parse_rule_list(rule.content, True, True), within | own)


def in_selectors(text: str) -> Iterator[str]:
    """The features of the selectors before a brace."""
    if "," in text:
        yield "css-selector-grouping"
    for selector in text.split(","):
        plain = re.sub(r"\s*([>+~])\s*", r"\1", " ".join(selector.split()))
        yield from (_COMBINATORS[sign] for sign in re.findall(r"[>+~ ]", plain))
        for compound in re.split(r"[>+~ ]", plain):
            simple = _SIMPLE.findall(compound)
            yield from map(_simple_selector, simple)
            if sum(each[0] in ".#" for each in simple) > 1:
                yield "css-selector-chaining"


def _simple_selector(text: str) -> str:
    match text[0]:
        case ".":
            return "css-selector-class"
        case "#":
            return "css-selector-id"
        case "[":
            return "css-selector-attribute"
        case "*":
            return "css-selector-universal"
        case ":":
            kind = "element" if text.startswith("::") else "class"
            return f"css-pseudo-{kind}-{text.strip(':').partition('(')[0]}"
        case _:
            return "css-selector-type"


def _in_declaration(declaration: Any) -> Iterator[str]:
    name: str = declaration.lower_name
    if VENDOR.match(name):
        return
    yield _property(name)
    if declaration.important:
        yield "css-important"
    if name == "display":
        yield from filter(None, (_DISPLAYS.get(each.lower_value) for each in declaration.value
                                 if each.type == "ident"))  # fmt: skip
    yield from _in_values(declaration.value)


def _property(name: str) -> str:
    """The feature a property belongs to: its own, or that of the longest beginning."""
    if name.startswith("--"):
        return "css-variables"
    if logical := _LOGICAL.match(name):
        return f"css-{logical[1]}-inline-block"
    beginning = name
    while beginning:
        found = _GROUPS.get(beginning, f"css-{beginning}")
        if found in support():
            return found
        beginning = beginning.rpartition("-")[0]
    return f"css-{name}"


def _in_values(tokens: list[Any]) -> Iterator[str]:
    for token in tokens:
        match token.type:
            case "dimension":
                yield f"css-unit-{token.lower_unit}"
            case "percentage":
                yield "css-unit-percent"
            case "ident" if token.lower_value in _WORDS:
                yield _WORDS[token.lower_value]
            case "url":
                yield in_address(token.value) or "a picture of no known kind"
            case "function" if token.lower_name == "url":
                yield in_address(token.arguments[0].value) or "a picture of no known kind"
            case "function":
                yield _FUNCTIONS.get(token.lower_name, f"css-function-{token.lower_name}")
                yield from _in_values(token.arguments)
