"""Events of the provider, told to a house as the webhook tells them."""

from funnel.db.mail import Message
from funnel.services import mail_events
from tests.support import make
from tests.support.house import House
from tests.support.steps import DRIP, drip_due, send

Event = dict[str, object]


def take(house: House, *events: object) -> int:
    """Store them, as the webhook's answer does."""
    with house.rt.sessions.begin() as session:
        return mail_events.take_events(session, list(events), now=house.clock.now())


def tell(house: House, *events: object) -> None:
    """Store them and act on them."""
    take(house, *events)
    handle(house)


def handle(house: House) -> None:
    """Act on all that is stored."""
    while True:
        with house.rt.sessions.begin() as session:
            done = mail_events.handle_events(session, links=house.rt.links, clock=house.clock)
        if not done:
            return


def about(message: Message, event: str, **more: object) -> Event:
    """An event about one of Ada's mails, with every handle it may carry."""
    return {
        "event": event,
        "sg_event_id": f"{event}-{message.id.hex}",
        "sg_message_id": f"{message.provider_id}.filter0001.0",
        "smtp-id": f"<{message.id}@practice.example>",
        "send_id": str(message.id),
        "email": "ada@example.org",
        "timestamp": 1795000000,
        **more,
    }


def sent_drip(house: House) -> Message:
    """Ada's first series mail, handed over."""
    drip_due(house)
    send(house)
    return make.message(house, DRIP)
