"""People with a series mail each, written in one go."""

from datetime import datetime

from sqlalchemy import Engine, text

# Everybody confirmed, agreed, has a guide, and has the first mail of the series due, asked for by
# the therapist: so that the hour of the day does not matter.
_SEED = """
INSERT INTO subscriber (id, public_id, email, email_key, first_name, state, time_zone, created_at,
                        confirmed_at, source, is_test)
SELECT n, {handle}, 'p' || n || '@example.org', 'p' || n || '@example.org', 'Reader' || n,
       'confirmed', 'Europe/London', :now, :now, 'google', {false} FROM ({numbers}) AS numbers;
INSERT INTO consent (subscriber_id, purpose, given_at)
SELECT n, 'series', :now FROM ({numbers}) AS numbers;
INSERT INTO funnel_event (subscriber_id, fact, occurred_at)
SELECT n, 'confirmed', :now FROM ({numbers}) AS numbers;
INSERT INTO guide (public_id, subscriber_id, document, requested_at, downloads)
SELECT {handle}, n, '{{}}', :now, 0 FROM ({numbers}) AS numbers;
INSERT INTO enrolment (id, subscriber_id, sequence_key, state, started_at, anchor_at, why, round)
SELECT n, n, 'nurture', 'active', :now, :now, 'The mail is on its way.', 1
FROM ({numbers}) AS numbers;
INSERT INTO message (id, subscriber_id, enrolment_id, step_key, dedupe_key, mail_class, purpose,
                     mail_key, text_version_id, priority, created_at, due_at, not_before, state,
                     fence, attempt, is_resent, is_hurried, why)
SELECT {handle}, n, n, 'one-technique', 'step:' || n, 'drip', 'series', 'nurture/one-technique',
       (SELECT max(id) FROM text_version WHERE kind = 'mail' AND key = 'nurture/one-technique'),
       0, :now, :now, :due, 'scheduled', 0, 0, {false}, {true}, 'It is due.'
FROM ({numbers}) AS numbers
"""
_NUMBERS = {
    "postgresql": "SELECT g AS n FROM generate_series(1, {count}) AS g",
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {count})"
    " SELECT n FROM g",
}
_HANDLE = {
    "postgresql": "lpad(to_hex(n), 32, '0')::uuid",
    "sqlite": "printf('%032x', n)",
}
_TIDY = {"postgresql": "VACUUM ANALYZE", "sqlite": "ANALYZE"}
_TRUE = {"postgresql": ("true", "false"), "sqlite": ("1", "0")}


def seed(engine: Engine, count: int, *, due_at: datetime, now: datetime) -> None:
    """So many people, each with a series mail that is due at `due_at`."""
    name = engine.dialect.name
    true, false = _TRUE[name]
    numbers = _NUMBERS[name].format(count=count)
    parts = _SEED.format(numbers=numbers, handle=_HANDLE[name], true=true, false=false)
    with engine.begin() as connection:
        for part in parts.split(";"):
            connection.execute(text(part), _values(part, name, now=now, due=due_at))
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(_TIDY[name]))


def _values(part: str, dialect: str, **instants: datetime) -> dict[str, object]:
    """The instants that this statement names, as the database keeps them."""
    named = {name: at for name, at in instants.items() if f":{name}" in part}
    if dialect == "postgresql":
        return dict(named)
    return {name: int(at.timestamp() * 1_000_000) for name, at in named.items()}
