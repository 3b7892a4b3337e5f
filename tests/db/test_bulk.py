"""Many rows in one statement: the same outcome on both databases, whatever the rows share."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from funnel.db.bulk import among, insert_absent, update_by_shape
from funnel.db.people import Subscriber

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HANDLES = [uuid4() for _ in range(5)]


def fill(session: Session) -> None:
    rows = [
        {
            "id": number,
            "public_id": HANDLES[number - 1],
            "email": f"p{number}@example.org",
            "email_key": f"p{number}@example.org",
            "state": "pending",
            "created_at": NOW,
            "source": "direct",
            "is_test": False,
        }
        for number in range(1, 6)
    ]
    assert insert_absent(session, Subscriber, rows) == [1, 2, 3, 4, 5]


def people(session: Session) -> dict[int, Subscriber]:
    return {person.id: person for person in session.scalars(select(Subscriber))}


@pytest.mark.parametrize("names", [["Ada", "Ada"], ["Ada", "Ben"], ["Ada", None], [None, None]])
@pytest.mark.parametrize("later", [0, 1])
def test_each_row_gets_its_own_values_and_no_other_row_any(
    sessions: sessionmaker[Session], names: list[str | None], later: int
) -> None:
    at = [NOW, NOW + timedelta(microseconds=later)]
    with sessions.begin() as session:
        fill(session)
        rows = [
            {"id": number, "first_name": name, "confirmed_at": when, "state": "confirmed"}
            for number, name, when in zip((2, 4), names, at, strict=True)
        ]
        update_by_shape(session, Subscriber, [*rows, {"id": 5, "time_zone": "Europe/London"}])
    with sessions.begin() as session:
        found = people(session)
        assert [found[number].first_name for number in (1, 2, 3, 4, 5)] == [
            None, names[0], None, names[1], None,
        ]  # fmt: skip
        assert [found[number].confirmed_at for number in (1, 2, 4)] == [None, *at]
        assert [found[number].state for number in (1, 2, 4)] == ["pending", *["confirmed"] * 2]
        assert [found[number].time_zone for number in (4, 5)] == [None, "Europe/London"]


@pytest.mark.parametrize("wanted", [[], [HANDLES[1]], [HANDLES[4], uuid4(), HANDLES[0]]])
def test_among_finds_those_that_are_there_and_only_those(
    sessions: sessionmaker[Session], wanted: list[UUID]
) -> None:
    with sessions.begin() as session:
        fill(session)
        by_handle = select(Subscriber.public_id).where(among(session, Subscriber.public_id, wanted))
        found = set(session.scalars(by_handle))
        by_number = select(Subscriber.id).where(among(session, Subscriber.id, [2, 9]))
        by_word = select(Subscriber.id).where(
            among(session, Subscriber.email, ["p3@example.org", 'a"b{,}\\', ""])
        )
        assert found == set(wanted) & set(HANDLES)
        assert list(session.scalars(by_number)) == [2]
        assert list(session.scalars(by_word)) == [3]
