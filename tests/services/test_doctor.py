"""The doctor's look: real adapters, with SendGrid and a name server on loopback behind them."""

import re
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from funnel.domain.deliverability import NEVER_LOOKED, Finding, Light, Report
from funnel.domain.mail_account import MailSetup, Provider
from funnel.services import control, proof
from funnel.services.doctor import Doctor
from funnel.services.errands import Errand
from funnel.services.work import in_a_thread
from funnel.web.app import create_app
from tests.support.fake_dns import Manner
from tests.support.fake_sendgrid import BROKEN, Fault
from tests.support.house import House
from tests.support.live import DOMAIN, HOOK, Live, open_live
from tests.support.zones import dkim_key

HOOKS_PATH = "/v3/user/webhooks/event/settings/all"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def live(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Live]:
    file = tmp_path / "funnel.db"
    file.write_bytes(prepared_sqlite.read_bytes())
    with open_live(f"sqlite:///{file}", tmp_path) as opened:
        yield opened


def by_key(report: Report) -> dict[str, Finding]:
    return {finding.key: finding for finding in report.findings}


def lights(report: Report) -> dict[str, Light]:
    return {finding.key: finding.light for finding in report.findings}


def test_all_is_green_when_all_is_set_up(live: Live) -> None:
    live.set_up()
    found = lights(live.house.rt.doctor.examine())
    assert set(found.values()) == {Light.GREEN}, found
    assert set(found) == {
        f"sender {DOMAIN}", "key", "key reads", f"domain {DOMAIN}", f"spf {DOMAIN}",
        f"dkim {DOMAIN}", f"dmarc {DOMAIN}", "replies", "links", "webhook", "clock",
    }  # fmt: skip


def test_nothing_set_up_is_red_with_everything_to_paste(live: Live) -> None:
    live.sendgrid.account.add_domain(DOMAIN, is_valid=False)
    found = by_key(live.house.rt.doctor.examine())
    assert found[f"domain {DOMAIN}"].light is Light.RED
    assert {each.name for each in found[f"domain {DOMAIN}"].records} == {
        f"em7.{DOMAIN}", f"s1._domainkey.{DOMAIN}", f"s2._domainkey.{DOMAIN}",
    }  # fmt: skip
    assert found["webhook"].light is Light.RED
    assert HOOK in found["webhook"].say


@pytest.mark.parametrize(
    ("name", "key", "manner"),
    [
        (f"em7.{DOMAIN}", f"spf {DOMAIN}", Manner.SERVFAIL),
        (f"s1._domainkey.{DOMAIN}", f"dkim {DOMAIN}", Manner.SERVFAIL),
        (f"_dmarc.{DOMAIN}", f"dmarc {DOMAIN}", Manner.SERVFAIL),
        (DOMAIN, "replies", Manner.SERVFAIL),
        (f"_dmarc.{DOMAIN}", f"dmarc {DOMAIN}", Manner.LAME),
        (f"_dmarc.{DOMAIN}", f"dmarc {DOMAIN}", Manner.SILENT),
        (f"_dmarc.{DOMAIN}", f"dmarc {DOMAIN}", Manner.GARBAGE),
    ],
)
def test_a_name_that_does_not_answer_is_unknown_and_then_stands_as_it_did(
    live: Live, name: str, key: str, manner: Manner
) -> None:
    live.set_up()
    doctor = live.house.rt.doctor
    live.dns.manners[name] = manner
    assert lights(doctor.examine())[key] is Light.UNKNOWN
    live.dns.manners.clear()
    doctor.look()
    live.dns.manners[name] = manner
    assert lights(doctor.look())[key] is Light.GREEN


def test_a_truncated_answer_is_asked_for_again_and_read_whole(live: Live) -> None:
    live.set_up()
    live.dns.manners[f"_dmarc.{DOMAIN}"] = Manner.TRUNCATED
    assert lights(live.house.rt.doctor.examine())[f"dmarc {DOMAIN}"] is Light.GREEN


def test_a_provider_that_is_away_is_unknown_and_tells_no_lie(live: Live) -> None:
    live.set_up()
    live.sendgrid.account_faults.extend([BROKEN] * 3)
    live.sendgrid.log_faults.append(BROKEN)
    found = lights(live.house.rt.doctor.examine())
    unknown = {key for key, light in found.items() if light is Light.UNKNOWN}
    assert "key reads" not in found
    assert unknown == {"key", "webhook", *ABOUT_DOMAIN}


ABOUT_DOMAIN = {f"{what} {DOMAIN}" for what in ("domain", "spf", "dkim", "dmarc")}
HICCUPS = {"key": [BROKEN], "domains": [None, BROKEN], "webhook": [None, None, BROKEN]}


@pytest.mark.parametrize("faults", HICCUPS.values(), ids=HICCUPS)
def test_a_hiccup_of_the_provider_holds_nobody_who_was_well(
    live: Live, faults: list[Fault | None]
) -> None:
    live.set_up()
    own = live.house.rt.doctor
    setup = replace(own.setup, senders=(f"hello@news.{DOMAIN}",))
    doctor = replace(own, setup=setup)
    look(live, doctor)
    live.sendgrid.account_faults.extend(faults)
    assert look(live, doctor) is None
    assert live.sendgrid.account_faults == deque()


@pytest.mark.parametrize("faults", HICCUPS.values(), ids=HICCUPS)
def test_nor_somebody_whose_key_may_only_send(live: Live, faults: list[Fault | None]) -> None:
    live.set_up()
    live.sendgrid.account.scopes = ["mail.send"]
    live.sendgrid.account.forbidden = {"/v3/whitelabel/domains", HOOKS_PATH}
    look(live)
    live.sendgrid.account_faults.extend(faults)
    assert look(live) is None


def test_a_hiccup_of_the_provider_lets_nothing_go_that_was_held(live: Live) -> None:
    live.sendgrid.account.add_domain(DOMAIN, is_valid=False)
    live.dns.text(f"_dmarc.{DOMAIN}", "v=DMARC1; p=none")
    live.dns.add(DOMAIN, "MX", "10 mx.example.net.")
    for selector in ("s1", "s2"):
        live.dns.text(f"{selector}._domainkey.{DOMAIN}", dkim_key())
    before = look(live)
    assert before is not None
    assert f"{DOMAIN} at SendGrid" in before
    assert "News" in before
    live.sendgrid.account_faults.extend([None, BROKEN, BROKEN])
    assert look(live) == before


def test_an_excuse_outlasts_a_hiccup_of_the_provider(live: Live) -> None:
    look(live)
    house = live.house
    with house.rt.sessions.begin() as session:
        proof.send_anyway(session, proof.SENTENCE, by="Dr Reyes", now=house.clock.machine())
    live.sendgrid.account_faults.extend([BROKEN] * 3)
    assert look(live) is None
    assert look(live) is None, "nothing new was found once it answered"


def look(live: Live, doctor: Doctor | None = None) -> str | None:
    """One look of the doctor; why series mail waits after it."""
    doctor = doctor or live.house.rt.doctor
    with live.house.rt.sessions.begin() as session:
        proof.require(session, is_required=True, setup=doctor.setup.mark)
    doctor.look()
    with live.house.rt.reading.begin() as session:
        return control.sending_state(session).unproved


def test_a_wrong_key_is_red(live: Live) -> None:
    live.set_up()
    live.sendgrid.api_key = "SG.another"
    assert lights(live.house.rt.doctor.examine())["key"] is Light.RED


def test_a_key_that_may_only_send_is_green_and_what_goes_without_is_amber(live: Live) -> None:
    live.set_up()
    account = live.sendgrid.account
    account.scopes = ["mail.send"]
    account.forbidden = {"/v3/whitelabel/domains", HOOKS_PATH}
    found = by_key(live.house.rt.doctor.examine())
    assert found["key"].light is Light.GREEN
    assert found["key reads"].light is Light.AMBER
    assert found[f"dkim {DOMAIN}"].light is Light.GREEN
    assert found[f"spf {DOMAIN}"].light is Light.AMBER
    assert not live.house.rt.doctor.examine().in_the_way


def test_each_name_is_asked_for_once_a_look(live: Live) -> None:
    live.set_up()
    live.house.rt.doctor.examine()
    asked = [(name, kind) for name, kind, _ in live.dns.asked]
    assert len(asked) == len(set(asked))


def test_nothing_is_changed_at_the_provider(live: Live) -> None:
    live.set_up()
    live.house.rt.doctor.examine()
    assert live.sendgrid.accepted == []
    assert live.sendgrid.account.erased == []


def test_both_senders_are_looked_at_when_service_mail_has_its_own(live: Live) -> None:
    live.set_up()
    doctor = live.house.rt.doctor
    setup = replace(doctor.setup, senders=(f"news@mail.{DOMAIN}", f"hello@{DOMAIN}"))
    found = lights(replace(doctor, setup=setup).examine())
    assert found[f"domain mail.{DOMAIN}"] is Light.GREEN
    assert found[f"dmarc mail.{DOMAIN}"] is Light.GREEN
    assert found[f"sender {DOMAIN}"] is Light.GREEN


def test_an_smtp_sender_is_looked_at_by_what_its_owner_told(live: Live) -> None:
    live.set_up()
    live.dns.text(DOMAIN, "v=spf1 include:_spf.provider.example ~all")
    live.dns.text("_spf.provider.example", "v=spf1 -all")
    setup = MailSetup(
        Provider.SMTP,
        (f"hello@{DOMAIN}",),
        site=f"https://{DOMAIN}",
        dkim_selector="s1",
        spf_include="_spf.provider.example",
    )
    found = lights(replace(live.house.rt.doctor, setup=setup, account=None).examine())
    assert found == {
        f"sender {DOMAIN}": Light.GREEN,
        f"spf {DOMAIN}": Light.GREEN,
        f"dkim {DOMAIN}": Light.GREEN,
        f"dmarc {DOMAIN}": Light.GREEN,
        "replies": Light.GREEN,
        "links": Light.GREEN,
        "webhook": Light.AMBER,
        "clock": Light.GREEN,
    }


def test_where_mail_stays_on_the_machine_there_is_nothing_to_look_at(house: House) -> None:
    assert not house.rt.doctor.has_anything_to_look_at
    assert house.rt.doctor.examine().findings == ()
    with house.rt.sessions.begin() as session:
        proof.ask_look(session, now=house.clock.machine())
    house.work()
    with house.rt.reading.begin() as session:
        assert proof.proof(session).report is None


def test_the_webhook_we_ask_for_is_a_page_of_ours(live: Live) -> None:
    adapter = create_app(live.house.rt).url_map.bind(DOMAIN)
    path = re.sub(r"https://[^/]+", "", live.house.rt.doctor.setup.webhook_url)
    assert adapter.test(path, method="POST")


# When it looks -----------------------------------------------------------------------------------


def looks(live: Live) -> int:
    """How often SendGrid was asked what the key may do."""
    return live.sendgrid.account.asked.count("/v3/scopes")


def test_the_worker_looks_every_hour_until_all_is_well_and_then_once_a_day(live: Live) -> None:
    seen = []
    for hour in range(29):
        if hour == 3:
            live.set_up()
        live.house.rt.worker.tick()
        seen.append(looks(live))
        live.house.clock.advance(HOUR)
    assert seen == [1, 2, 3, *[4] * 24, 5, 5]


def test_somebody_who_asks_is_not_kept_waiting_an_hour(live: Live) -> None:
    house = live.house
    live.set_up()
    house.work()
    before = looks(live)
    with house.rt.sessions.begin() as session:
        proof.ask_look(session, now=house.clock.machine())
    house.clock.advance(timedelta(seconds=10))
    house.work()
    assert looks(live) == before + 1


def test_a_new_sending_domain_is_held_and_looked_at_without_waiting_for_the_hour(
    live: Live,
) -> None:
    live.set_up()
    live.house.rt.worker.tick()
    assert looks(live) == 1
    worker, doctor = live.house.rt.worker, live.house.rt.doctor
    other = replace(doctor, setup=replace(doctor.setup, senders=("hello@elsewhere.co.uk",)))
    assert worker.errands is not None
    watch = replace(worker.watch, setup=other.setup.mark)
    worker = replace(worker, watch=watch, errands=replace(worker.errands, doctor=other))
    live.house.clock.advance(timedelta(minutes=1))
    worker.watch.look()
    with live.house.rt.reading.begin() as session:
        assert control.sending_state(session).unproved == NEVER_LOOKED
    worker.tick()
    assert looks(live) == 2
    with live.house.rt.reading.begin() as session:
        assert "elsewhere.co.uk" in str(control.sending_state(session).unproved)


def test_a_look_runs_beside_the_mail(live: Live) -> None:
    started: list[Errand] = []
    worker = replace(live.house.rt.worker, aside=started.append)
    worker.tick()
    assert [errand for errand in started if errand == live.house.rt.doctor.look]
    assert looks(live) == 0, "it was given away, not done"


def test_an_errand_in_a_thread_of_its_own_is_done(live: Live) -> None:
    live.set_up()
    in_a_thread(live.house.rt.doctor.look)
    for thread in threading.enumerate():
        if thread.name == "errand":
            thread.join()
    with live.house.rt.reading.begin() as session:
        assert control.sending_state(session).unproved is None
