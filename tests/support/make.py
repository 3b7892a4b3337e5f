"""Builders of people, by the front door: real services, plain functions."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel.db.guides import Guide
from funnel.db.mail import Enrolment, Message
from funnel.db.people import AddressChange, Confirmation, Subscriber
from funnel.db.rights import DataRequest
from funnel.domain.evidence import Evidence
from funnel.domain.people import parse_address
from funnel.domain.touch import FirstTouch
from funnel.services import (
    address_change,
    challenge,
    confirming,
    guides,
    preferences,
    quiet,
    self_check,
    signup,
    suppression,
)
from funnel.services.complaints import Letter
from funnel.services.rights import requests
from tests.support.house import House

EVIDENCE = Evidence("http://localhost/", "landing", "192.0.2.0", "Test browser", 12.0)
TOUCH = FirstTouch(
    source="clinic-qr",
    utm_source="clinic-qr",
    utm_medium=None,
    utm_campaign=None,
    referrer=None,
    landing_page="/",
)


def request(
    house: House,
    email: str = "ada@example.org",
    *,
    name: str | None = "Ada",
    series: bool = True,
    health: bool = False,
    zone: str | None = "Europe/London",
    ip_key: str | None = None,
    answers: Mapping[str, str] | None = None,
) -> None:
    """Ask for the guide as a visitor does; whoever ticks "health" took the self-check."""
    if health and answers is None:
        answers = some_answers(house)
    asked = signup.SignupRequest(
        address=parse_address(email),
        first_name=name,
        wants_series=series,
        wants_health=health,
        touch=TOUCH,
        time_zone=zone,
        evidence=EVIDENCE,
        answers=answers,
    )
    with house.rt.sessions.begin() as session:
        signup.request_guide(
            session,
            asked,
            now=house.clock.now(),
            links=house.rt.links,
            keeper=house.rt.keeper,
            ip_key=ip_key or f"ip of {email}",
        )


def some_answers(house: House, place: int = 0) -> dict[str, str]:
    """The answer at that place of every question of the self-check."""
    check = house.rt.catalog.self_check
    return {question.key: question.answers[place].key for question in check.questions}


def person(house: House, email: str = "ada@example.org") -> Subscriber:
    """The person of an address."""
    with house.rt.reading.begin() as session:
        found = session.scalars(select(Subscriber).where(Subscriber.email == email)).one()
        session.refresh(found, ["consents"])
        return found


def messages(house: House, email: str = "ada@example.org") -> list[Message]:
    """Every message of an address, oldest first."""
    query = (
        select(Message)
        .join(Subscriber, Subscriber.id == Message.subscriber_id)
        .where(Subscriber.email == email)
        .order_by(Message.created_at, Message.priority.desc())
    )
    with house.rt.reading.begin() as session:
        return list(session.scalars(query))


def message(house: House, mail_key: str, email: str = "ada@example.org") -> Message:
    """The one message of this mail to an address."""
    (found,) = [each for each in messages(house, email) if each.mail_key == mail_key]
    return found


def enrolment(house: House, key: str, email: str = "ada@example.org") -> Enrolment:
    """Where an address stands in a sequence."""
    query = (
        select(Enrolment)
        .join(Subscriber, Subscriber.id == Enrolment.subscriber_id)
        .where(Subscriber.email == email, Enrolment.sequence_key == key)
    )
    with house.rt.reading.begin() as session:
        return session.scalars(query).one()


def unsubscribed(house: House, email: str = "ada@example.org") -> None:
    """Press the unsubscribe button."""
    handle = person(house, email).public_id
    with house.rt.sessions.begin() as session:
        suppression.unsubscribe(
            session, handle, evidence=EVIDENCE, links=house.rt.links, now=house.clock.now()
        )


def newest_confirmation(house: House, email: str = "ada@example.org") -> UUID:
    """The handle of the newest confirm link of an address."""
    query = (
        select(Confirmation.public_id)
        .join(Subscriber, Subscriber.id == Confirmation.subscriber_id)
        .where(Subscriber.email == email)
        .order_by(Confirmation.id.desc())
    )
    with house.rt.reading.begin() as session:
        return session.scalars(query).first() or UUID(int=0)


def confirm(
    house: House, email: str = "ada@example.org", *, with_answers: bool = True
) -> confirming.Confirmed:
    """Press the confirm button of the newest link: the one with the answers, where there is one."""
    handle = newest_confirmation(house, email)
    with house.rt.sessions.begin() as session:
        return confirm_handle(house, handle, session, with_answers=with_answers)


def confirm_handle(
    house: House, handle: UUID, session: Session, *, with_answers: bool = True
) -> confirming.Confirmed:
    """Press the confirm button of one link."""
    return confirming.confirm(
        session,
        handle,
        EVIDENCE,
        now=house.clock.now(),
        links=house.rt.links,
        keeper=house.rt.keeper,
        with_answers=with_answers,
    )


def confirmed(
    house: House,
    email: str = "ada@example.org",
    *,
    name: str | None = "Ada",
    series: bool = True,
    health: bool = False,
    zone: str | None = "Europe/London",
    answers: Mapping[str, str] | None = None,
) -> confirming.Confirmed:
    """Someone who asked and confirmed, with all immediate work done."""
    request(house, email, name=name, series=series, health=health, zone=zone, answers=answers)
    house.work()
    house.clock.advance(timedelta(minutes=2))
    done = confirm(house, email)
    house.work()
    return done


def joined(
    house: House, email: str = "ada@example.org", *, series: bool = True
) -> confirming.Confirmed:
    """Someone confirmed who also joined the challenge."""
    done = confirmed(house, email, series=series)
    join(house, email)
    house.work()
    return done


def join(house: House, email: str = "ada@example.org") -> None:
    """Press the button that joins the challenge."""
    with house.rt.sessions.begin() as session:
        challenge.join(
            session,
            person(house, email).public_id,
            EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )


def choose(house: House, *, series: bool, challenge: bool = False) -> None:
    """What Ada ticks on her choices page; all the rest is unticked."""
    with house.rt.sessions.begin() as session:
        preferences.set_preferences(
            session,
            person(house).public_id,
            series=series,
            challenge=challenge,
            evidence=EVIDENCE,
            links=house.rt.links,
            now=house.clock.now(),
        )


def pause(house: House, email: str = "ada@example.org") -> None:
    """Press the button that pauses for two weeks."""
    with house.rt.sessions.begin() as session:
        quiet.pause(session, person(house, email).public_id, now=house.clock.now())


def want_fewer(house: House, *, is_wanted: bool = True) -> None:
    """Tick the box for at most one email a week, or take the tick away."""
    with house.rt.sessions.begin() as session:
        handle = person(house).public_id
        quiet.set_fewer(session, handle, is_wanted=is_wanted, now=house.clock.now())


def complain(
    house: House,
    email: str = "cleo@example.org",
    *,
    words: str = "You wrote to me after I left.",
    name: str | None = "Cleo",
    ip_key: str | None = None,
) -> None:
    """Send the form for complaints, as anybody may."""
    letter = Letter(parse_address(email), name, words)
    with house.rt.sessions.begin() as session:
        house.rt.complaints.take(
            session,
            letter,
            links=house.rt.links,
            ip_key=ip_key or f"ip of {email}",
            now=house.clock.now(),
        )


def ask_to_move(
    house: House, email: str, *, of: str = "ada@example.org", ip_key: str | None = None
) -> UUID:
    """Ask for another address, from the choices page; returns the handle of its link."""
    with house.rt.sessions.begin() as session:
        address_change.ask(
            session,
            person(house, of).public_id,
            parse_address(email),
            links=house.rt.links,
            ip_key=ip_key or f"ip of {of} for {email} at {house.clock.now()}",
            now=house.clock.now(),
        )
        query = select(AddressChange.public_id).order_by(AddressChange.id.desc())
        return session.scalars(query).first() or UUID(int=0)


def press_move(house: House, handle: UUID) -> address_change.ChangeView:
    """Press the button in the new mailbox."""
    with house.rt.sessions.begin() as session:
        return address_change.confirm(
            session, handle, evidence=EVIDENCE, links=house.rt.links, now=house.clock.now()
        )


def move(house: House, email: str, *, of: str = "ada@example.org") -> None:
    """Move to another address, all at once."""
    press_move(house, ask_to_move(house, email, of=of))


def ask_for_data(house: House, email: str = "ada@example.org") -> UUID:
    """Ask for the link to one's own data; returns the handle of that link."""
    with house.rt.sessions.begin() as session:
        requests.ask_by_handle(
            session, person(house, email).public_id, links=house.rt.links, now=house.clock.now()
        )
        return session.scalars(
            select(DataRequest.public_id).order_by(DataRequest.id.desc()).limit(1)
        ).one()


def ask_again(house: House, email: str = "ada@example.org") -> None:
    """Have the link to the guide sent once more, from the guide's page."""
    with house.rt.sessions.begin() as session:
        query = select(Guide.public_id).join(Subscriber).where(Subscriber.email == email)
        guides.send_again(session, session.scalars(query).one(), now=house.clock.now())


def forget_answers(house: House, email: str = "ada@example.org") -> None:
    """Press the button that deletes the answers to the self-check."""
    with house.rt.sessions.begin() as session:
        self_check.withdraw(
            session, person(house, email).public_id, evidence=EVIDENCE, now=house.clock.now()
        )
