"""What providers post to us: verified on the raw bytes, stored, answered; worked on later."""

import json

from flask import Blueprint, abort, request

from funnel.domain.errors import WebhookRefused
from funnel.links import SENDGRID_HOOK
from funnel.runtime import Runtime
from funnel.services.mail_events import take_events


def routes(rt: Runtime) -> Blueprint:
    """The webhooks."""
    hooks = Blueprint("hooks", __name__)

    @hooks.post(SENDGRID_HOOK)
    def sendgrid() -> tuple[str, int]:
        raw = request.get_data(cache=False)
        rt.verifier.verify(
            raw,
            request.headers.get("X-Twilio-Email-Event-Webhook-Signature"),
            request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp"),
            rt.clock.machine(),
        )
        with rt.sessions.begin() as session:
            take_events(session, _read_events(raw), now=rt.clock.now())
        rt.bell.ring("mail")
        return "", 204

    @hooks.errorhandler(WebhookRefused)
    def refused(error: WebhookRefused) -> tuple[str, int]:
        return str(error), 403

    return hooks


def _read_events(raw: bytes) -> list[object]:
    try:
        events = json.loads(raw)
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(events, list):
        abort(400)
    return events
