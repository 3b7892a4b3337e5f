"""A reader's prints in a test: asked for, made, and looked at as the pages look at them."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from funnel.db.guides import Guide, GuidePrint
from funnel.domain.guides import Edition
from funnel.services import guides
from tests.support import make
from tests.support.house import House


def asked(house: House) -> UUID:
    """Ada confirmed; her guide is asked for and not yet made, the house copies are there."""
    make.request(house)
    house.work()
    return make.confirm(house).guide_handle


def make_next(house: House) -> bool:
    """One step of the printer."""
    return house.rt.worker.printer.make_next()


def guide_row(house: House) -> Guide:
    """The only guide there is."""
    with house.rt.reading.begin() as session:
        return session.scalars(select(Guide)).one()


def print_row(house: House, edition: Edition = Edition.GUIDE) -> GuidePrint:
    """The only reader's print of an edition."""
    query = select(GuidePrint).where(
        GuidePrint.guide_id.is_not(None), GuidePrint.edition == edition
    )
    with house.rt.reading.begin() as session:
        return session.scalars(query).one()


def view(house: House, handle: UUID) -> guides.GuideView:
    """What the guide's page shows."""
    with house.rt.reading.begin() as session:
        return guides.guide_view(session, handle, now=house.clock.now())


def file_of(house: House, handle: UUID, edition: Edition = Edition.GUIDE) -> bytes | None:
    """What a download gives; None while there is nothing."""
    with house.rt.reading.begin() as session:
        file = guides.guide_file(
            session, handle, edition, shelf=house.rt.shelf, now=house.clock.now()
        )
    return file.content if file else None


def press_button(house: House, handle: UUID, edition: Edition = Edition.GUIDE) -> bool:
    """Press a download button, as the page does; True when the file is there."""
    with house.rt.sessions.begin() as session:
        now = house.clock.now()
        is_there = guides.want(session, handle, edition, shelf=house.rt.shelf, now=now)
        if is_there:
            guides.count_download(session, handle, now=now)
    return is_there


def ready_mails(house: House) -> int:
    """How often Ada was told that her guide is ready."""
    return sum(message.mail_key == "service/guide_ready" for message in make.messages(house))


def all_keys(house: House) -> list[str]:
    """The name of every file on the shelf."""
    return house.rt.shelf.storage.keys(datetime.max.replace(tzinfo=UTC))


def personal(house: House) -> list[dict[str, object]]:
    """The documents of readers that the press was given, in order."""
    return [dict(each) for each in house.press.documents if each.get("first_name")]
