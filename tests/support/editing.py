"""Writing and publishing texts as the therapist does at the desk."""

from collections.abc import Collection
from typing import Literal

from funnel.content.shipped import ShippedText
from funnel.services.publishing import NewText, Publish
from tests.support.house import House

Kind = Literal["mail", "sequence"]
PREHEADER = "A preheader of the length that a preheader ought to have."


def sequence_source(key: str, *steps: str, **more: str) -> str:
    """A plan for all who confirm; each step as "key: 2 days"."""
    head = {
        "key": key,
        "title": f"The {key} one",
        "purpose": "series",
        "starts_on": "[confirmed]",
        "min_gap": "0 minutes",
        **more,
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    lines.append("steps:")
    for step in steps:
        name, after = step.split(": ")
        lines += [f"  - key: {name}", f"    after: {after}"]
    return "\n".join(lines) + "\n"


def mail_source(subject: str, body: str = "Hello, this is the mail.") -> str:
    """The words of a mail that may go."""
    return f"---\nsubject: {subject}\npreheader: {PREHEADER}\n---\n\n{body}\n"


def publish(
    house: House,
    *wanted: tuple[Kind, str, str],
    include_past: Collection[str] = (),
    after: int | None = None,
) -> Publish:
    """Publish these texts (kind, key, source) together, as Dr Reyes at the desk."""
    new = [NewText(ShippedText(kind, key, source, key), after) for kind, key, source in wanted]
    with house.rt.sessions.begin() as session:
        return house.rt.editor.publish(
            session,
            new,
            by="Dr Reyes",
            origin="desk",
            include_past=include_past,
            now=house.clock.now(),
        )
