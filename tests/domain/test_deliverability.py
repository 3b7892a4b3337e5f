"""What a report means for series mail, and what is kept of what could not be seen."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel.domain.deliverability import NEVER_LOOKED, Finding, Light, Report, why_wait

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def finding(key: str, light: Light) -> Finding:
    return Finding(key, light, key.upper(), "What was found.")


def report(**lights: Light) -> Report:
    return Report(NOW, tuple(finding(key, light) for key, light in lights.items()))


@pytest.mark.parametrize(
    ("known", "excused", "why"),
    [
        (None, (), NEVER_LOOKED),
        (report(spf=Light.GREEN, dkim=Light.AMBER), (), None),
        (report(), (), None),
        (report(spf=Light.RED), (), "Mail in your name may not be believed yet: SPF."),
        (report(spf=Light.UNKNOWN), (), "Mail in your name may not be believed yet: SPF."),
        (report(spf=Light.RED), ("spf",), None),
        (
            report(spf=Light.RED, dkim=Light.RED),
            ("spf",),
            "Mail in your name may not be believed yet: DKIM.",
        ),
        (report(spf=Light.RED), ("dkim",), "Mail in your name may not be believed yet: SPF."),
    ],
)
def test_series_mail_waits_for_what_is_red_or_was_never_known(
    known: Report | None, excused: tuple[str, ...], why: str | None
) -> None:
    assert why_wait(known, excused) == why


@pytest.mark.parametrize("before", list(Light))
def test_what_cannot_be_seen_stands_as_it_did(before: Light) -> None:
    kept = report(spf=Light.UNKNOWN).after(report(spf=before))
    assert kept.findings[0].light is before
    assert kept.at == NOW


@pytest.mark.parametrize("now", [Light.GREEN, Light.AMBER, Light.RED])
def test_what_was_seen_counts_whatever_was_before(now: Light) -> None:
    assert report(spf=now).after(report(spf=Light.GREEN)).findings[0].light is now


def test_what_is_looked_at_for_the_first_time_has_no_before() -> None:
    kept = report(spf=Light.UNKNOWN).after(report(dkim=Light.GREEN))
    assert [each.light for each in kept.findings] == [Light.UNKNOWN]
    assert report(spf=Light.UNKNOWN).after(None).findings[0].light is Light.UNKNOWN


def test_two_looks_in_the_dark_change_nothing() -> None:
    first = report(spf=Light.GREEN)
    dark = Report(NOW + timedelta(hours=1), report(spf=Light.UNKNOWN).findings)
    assert dark.after(dark.after(first)).findings == first.findings


def test_the_worst_comes_first() -> None:
    mixed = report(a=Light.GREEN, b=Light.RED, c=Light.AMBER, d=Light.UNKNOWN, e=Light.RED)
    assert [each.key for each in mixed.worst_first] == ["b", "e", "d", "c", "a"]
    assert mixed.light is Light.RED
