"""Editing what goes out: a plan or a mail's words, what it would change, and its versions."""

import hashlib
import re
from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from funnel.content.shipped import Kind, ShippedText
from funnel.domain.errors import ContentInvalid, InvalidInput, TextChanged
from funnel.runtime import Runtime
from funnel.services import staff, texts, versions
from funnel.services.impact import Impact
from funnel.services.publishing import NewText, Publish
from funnel.services.reports.titles import step_title
from funnel.web.mailbox import MAIL_POLICY

_PLACE = re.compile(r"^[^:]*:(\d+): ")
_WITHOUT_WORDS = re.compile(r"the step '([a-z0-9.-]+)' has no mail", re.IGNORECASE)
_NEW_WORDS = """\
---
subject: What it is about
preheader: A line that goes on from the subject, as the inbox shows it.
---
Hello {{ first_name or "there" }},
"""


@dataclass(frozen=True)
class Draft:
    """A text being edited: what it says now, and the version it was begun from."""

    kind: Kind
    key: str
    source: str
    after: int

    @property
    def digest(self) -> str:
        """Tells this source from another."""
        return hashlib.sha256(self.source.encode()).hexdigest()


@dataclass(frozen=True)
class Told:
    """What the page says of a draft: its problems, or what it would change.

    `wordless` are the steps whose words are still to be written.
    """

    problems: tuple[str, ...] = ()
    wordless: tuple[str, ...] = ()
    impact: Impact | None = None


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The two editors, how a mail looks on arrival, and the versions of a text."""
    add_versions(routes, rt)

    @routes.get("/sequences/<key>/edit")
    def edit_plan(key: str) -> str:
        return _show(rt, _newest(rt, "sequence", key))

    @routes.post("/sequences/<key>/edit")
    def save_plan(key: str) -> ResponseReturnValue:
        return _save(rt, "sequence", key)

    @routes.get("/words/<key>/<name>")
    def edit_words(key: str, name: str) -> str:
        return _show(rt, _words(rt, key, name))

    @routes.post("/words/<key>/<name>")
    def save_words(key: str, name: str) -> ResponseReturnValue:
        return _save(rt, "mail", f"{key}/{name}")

    @routes.post("/words/<key>/<name>/look")
    def look_at_words(key: str, name: str) -> ResponseReturnValue:
        draft = _typed("mail", f"{key}/{name}")
        try:
            shown = rt.editor.look(_text(draft))
        except ContentInvalid as error:
            return _show(rt, draft, Told(problems=error.findings)), 422
        return Response(shown.html, headers={"Content-Security-Policy": MAIL_POLICY})


def add_versions(routes: Blueprint, rt: Runtime) -> None:
    """The versions of a plan, and of a mail."""

    @routes.get("/sequences/<key>/versions")
    def plan_versions(key: str) -> str:
        return _history(rt, "sequence", key)

    @routes.get("/words/<key>/<name>/versions")
    def words_versions(key: str, name: str) -> str:
        return _history(rt, "mail", f"{key}/{name}")


def _newest(rt: Runtime, kind: Kind, key: str) -> Draft:
    """The newest version; with ?version=3 that one's words, to be published as the next."""
    wanted = request.args.get("version", type=int)
    with rt.reading.begin() as session:
        newest = versions.version(session, kind, key)
        shown = versions.version(session, kind, key, wanted) if wanted else newest
    return Draft(kind, key, shown.source, newest.number)


def _words(rt: Runtime, key: str, name: str) -> Draft:
    """The newest words; for a mail that is new in its sequence, something to begin with."""
    with rt.reading.begin() as session:
        is_new = not versions.history(session, "mail", f"{key}/{name}")
        if is_new and versions.history(session, "sequence", key) and "version" not in request.args:
            return Draft("mail", f"{key}/{name}", _NEW_WORDS, 0)
    return _newest(rt, "mail", f"{key}/{name}")


def _typed(kind: Kind, key: str) -> Draft:
    """What was typed; a browser sends line ends of its own."""
    source = request.form.get("source", "").replace("\r\n", "\n")
    after = request.form.get("after", type=int)
    if after is None:
        abort(400)
    return Draft(kind, key, source, after)


def _text(draft: Draft) -> ShippedText:
    return ShippedText(draft.kind, draft.key, draft.source, draft.key.rpartition("/")[2])


def _save(rt: Runtime, kind: Kind, key: str) -> ResponseReturnValue:
    draft = _typed(kind, key)
    try:
        # What is published is what was looked at: a text changed since is shown anew.
        if request.form.get("do") == "publish" and request.form.get("looked") == draft.digest:
            _publish(rt, draft)
            return redirect(_sequence_page(draft), 303)
        with rt.reading.begin() as session:
            told = Told(impact=rt.editor.preview(session, [_text(draft)], now=rt.clock.now()))
    except ContentInvalid as error:
        return _show(rt, draft, Told(problems=error.findings)), 422
    except (TextChanged, InvalidInput) as error:
        return _show(rt, draft, Told(problems=(str(error),))), 422
    return _show(rt, draft, told)


def _publish(rt: Runtime, draft: Draft) -> Publish:
    """Publish in one transaction with the line that says who did it."""
    with rt.sessions.begin() as session:
        done = rt.editor.publish(
            session,
            [NewText(_text(draft), draft.after)],
            by=g.staff.name,
            origin="desk",
            include_past=request.form.getlist("past"),
            now=rt.clock.now(),
        )
        for kind, key, number in done.made:
            subject = f"{kind} {key}, version {number}"
            staff.note(session, g.staff.id, "published", subject, now=rt.clock.machine())
    rt.bell.ring("mail")
    return done


def _sequence_page(draft: Draft) -> str:
    key = draft.key.partition("/")[0]
    return url_for("desk.sequences" if key == "service" else "desk.sequence", key=key)


def _title(rt: Runtime, draft: Draft) -> str:
    """What the therapist calls it: the title of a sequence, the subject of a mail."""
    sequence_key, _, name = draft.key.partition("/")
    with rt.reading.begin() as session:
        if name:
            return step_title(session, sequence_key, name)
        sequence = texts.sequences(session).get(draft.key)
    return sequence.title if sequence else draft.key


def _show(rt: Runtime, draft: Draft, told: Told | None = None) -> str:
    told = told or Told()
    lines = draft.source.split("\n")
    problems = tuple(_beside_its_line(each, lines) for each in told.problems)
    return render_template(
        "desk/editor.html",
        it=draft,
        title=_title(rt, draft),
        told=Told(problems, _without_words(draft, problems), told.impact),
        back=_sequence_page(draft),
    )


def _without_words(draft: Draft, problems: tuple[str, ...]) -> tuple[str, ...]:
    if draft.kind != "sequence":
        return ()
    return tuple(found[1] for each in problems if (found := _WITHOUT_WORDS.search(each)))


def _beside_its_line(problem: str, lines: list[str]) -> str:
    """A finding that leads to its line in the box; one of the whole text stands on line 1."""
    found = _PLACE.match(problem)
    if found is None:
        return problem
    number, rest = int(found[1]), problem[found.end() :]
    if number == 1 or number > len(lines):
        return f"{rest[:1].upper()}{rest[1:]}"
    return f"Line {number} (“{lines[number - 1].strip()[:60]}”): {rest}"


def _history(rt: Runtime, kind: Kind, key: str) -> str:
    with rt.reading.begin() as session:
        newest = versions.version(session, kind, key)
        rows = versions.history(session, kind, key)
    draft = Draft(kind, key, newest.source, newest.number)
    return render_template(
        "desk/versions.html",
        it=draft,
        title=_title(rt, draft),
        rows=rows,
        back=_sequence_page(draft),
    )
