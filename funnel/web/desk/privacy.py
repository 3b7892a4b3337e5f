"""Privacy: documents to read and print, what goes by itself, and one person's rights."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from funnel.domain.errors import NotFound
from funnel.runtime import Runtime
from funnel.services import people, staff, timeline
from funnel.services.rights import export, notice, outside, receipt, requests, retention
from funnel.web import paper
from funnel.web.desk import access
from funnel.web.your_data import as_file


def add_pages(routes: Blueprint, rt: Runtime) -> None:
    """The room, its documents, and the acts on a person's page."""
    _add_room(routes, rt)
    _add_copies(routes, rt)
    _add_erasure(routes, rt)


def _add_room(routes: Blueprint, rt: Runtime) -> None:
    @routes.get("/privacy")
    def privacy() -> str:
        now, kept = rt.clock.now(), rt.catalog.retention
        with rt.reading.begin() as session:
            due = rt.rights.timers.due(session)
            silent = retention.silent_readers(session, kept.inactive_months, now=now)
            pending, current = outside.pending(session), notice.current(session)
        return render_template(
            "desk/privacy.html",
            documents=rt.documents,
            due=due,
            silent=silent,
            kept=kept,
            pending=pending,
            notice=current,
        )

    @routes.get("/privacy/<key>")
    def document(key: str) -> str:
        found = rt.documents.all.get(key)
        if found is None:
            raise NotFound
        html = paper.html_of(found.source)
        return render_template("paper/document.html", document=found, html=html)


def _add_copies(routes: Blueprint, rt: Runtime) -> None:
    """Each is a POST that shows what it made: looking leaves a line, and a GET writes nothing."""

    @routes.post("/people/<int:subscriber_id>/receipt")
    @access.needs_recent_password(rt)
    def person_receipt(subscriber_id: int) -> ResponseReturnValue:
        with rt.sessions.begin() as session:
            made = receipt.receipt(session, subscriber_id, now=rt.clock.now())
            _note(session, rt, "looked at a consent receipt", subscriber_id)
        if request.form.get("as") == "json":
            return as_file(made.as_json(), "consent-receipt.json")
        return render_template("paper/receipt.html", made=made)

    @routes.post("/people/<int:subscriber_id>/export")
    @access.needs_recent_password(rt)
    def person_export(subscriber_id: int) -> ResponseReturnValue:
        """Without answers of the self-check: no page of the desk shows any."""
        with rt.sessions.begin() as session:
            data = export.personal_data(
                session,
                subscriber_id,
                links=rt.links,
                brand=rt.catalog.brand,
                keeper=None,
                now=rt.clock.now(),
            )
            _note(session, rt, "exported a person's data", subscriber_id)
        if request.form.get("as") == "json":
            return as_file(data.as_json(), "personal-data.json")
        return render_template("paper/data.html", data=data)

    @routes.post("/people/<int:subscriber_id>/send-data")
    def person_send_data(subscriber_id: int) -> ResponseReturnValue:
        with rt.sessions.begin() as session:
            person = people.by_id(session, subscriber_id)
            is_sent = requests.send_link(session, person, links=rt.links, now=rt.clock.now())
            did = "sent" if is_sent else "tried to send"
            _note(session, rt, f"{did} a person the link to their data", subscriber_id)
        rt.bell.ring("mail")
        sent = "data" if is_sent else "nothing"
        return redirect(url_for("desk.person", subscriber_id=subscriber_id, sent=sent), 303)


def _add_erasure(routes: Blueprint, rt: Runtime) -> None:
    @routes.get("/people/<int:subscriber_id>/erase")
    @access.needs_recent_password(rt)
    def ask_erase(subscriber_id: int) -> str:
        return _ask_erase(rt, subscriber_id)

    @routes.post("/people/<int:subscriber_id>/erase")
    @access.needs_recent_password(rt)
    def erase(subscriber_id: int) -> ResponseReturnValue:
        """Erase a person, once their address was typed: a number in a link says too little."""
        typed = request.form.get("typed", "").strip().lower()
        with rt.sessions.begin() as session:
            person = people.by_id(session, subscriber_id)
            is_meant = typed == person.email.lower()
            if is_meant:
                rt.rights.eraser.erase(session, subscriber_id, now=rt.clock.now())
                _note(session, rt, "erased a person", subscriber_id)
        if not is_meant:
            return _ask_erase(rt, subscriber_id, is_wrong=True), 422
        return redirect(url_for("desk.people", erased="yes"), 303)


def _ask_erase(rt: Runtime, subscriber_id: int, *, is_wrong: bool = False) -> str:
    with rt.reading.begin() as session:
        found = timeline.person(
            session,
            subscriber_id,
            offer_keys=tuple(rt.catalog.offers),
            engine=rt.sequences,
            now=rt.clock.now(),
        )
    return render_template("desk/erase.html", it=found, is_wrong=is_wrong)


def _note(session: Session, rt: Runtime, action: str, subscriber_id: int) -> None:
    subject = f"person {subscriber_id}"
    staff.note(session, g.staff.id, action, subject, now=rt.clock.machine())
