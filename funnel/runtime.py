"""The composition root: settings in, one frozen Runtime out. Nothing is connected by it."""

import os
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from blueprint import figures
from blueprint.version import code_version
from funnel.adapters.clocks import SystemClock
from funnel.adapters.journal import FileJournal
from funnel.adapters.mark import FileMarks
from funnel.adapters.press import PdfPress
from funnel.adapters.proof_of_work import AltchaProofs
from funnel.adapters.sendgrid_events import SignatureVerifier
from funnel.adapters.storage import FileStorage
from funnel.checks import documents_of, refuse_errors
from funnel.content.catalog import Catalog, load_catalog
from funnel.content.documents import NOTICE, Documents
from funnel.content.guide_document import guide_document
from funnel.content.house_rules import house
from funnel.content.render import Renderer
from funnel.content.shipped import shipped_texts
from funnel.db.engine import make_engine, make_readers, make_sessions
from funnel.db.migrate import upgrade
from funnel.domain.clock import Clock
from funnel.domain.delivery import PATIENCE, Patience
from funnel.domain.errors import SettingInvalid
from funnel.domain.flow import Limits
from funnel.domain.gate import Gate
from funnel.domain.mail_account import MailSetup
from funnel.domain.people import fingerprint
from funnel.domain.ports import (
    Bell,
    GuidePress,
    MailboxReader,
    Mailer,
    Outside,
    ProofOfWork,
    WebhookVerifier,
)
from funnel.links import Links
from funnel.provider import (
    fenced,
    local_path,
    mail_setup,
    mailbox_reader,
    make_mailer,
    outside_of,
)
from funnel.services import control, house_copies, proof
from funnel.services.advancing import SequenceEngine
from funnel.services.complaints import Complaints
from funnel.services.doctor import Doctor
from funnel.services.doubt import Sweeper
from funnel.services.errands import Errands
from funnel.services.house_rules import Rules
from funnel.services.letters import LetterWriter
from funnel.services.lineage import NOT_LOOKED_YET, LineageWatch
from funnel.services.list_pull import ListPull
from funnel.services.printing import Printer
from funnel.services.publishing import Editor, Shipping, publish_shipped
from funnel.services.recipes import Recipe
from funnel.services.rights import notice
from funnel.services.rights.golive import GoLive
from funnel.services.rights.journal import JournalKeeping
from funnel.services.rights.rights import Rights, make_rights
from funnel.services.self_check import Keeper, house_parts
from funnel.services.sending import Sender, nothing
from funnel.services.shelf import Shelf
from funnel.services.skew import ClockWatch
from funnel.services.throttle import Throttle
from funnel.services.watch import Watch
from funnel.services.work import Worker
from funnel.settings import Settings
from funnel.vault import Vault, derive

TASKS = {"mail": "funnel.work_mail", "pdf": "funnel.work_guides"}


@dataclass(frozen=True)
class Runtime:
    """Everything the web, the worker and the command line share."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    reading: sessionmaker[Session]
    links: Links
    vault: Vault
    catalog: Catalog
    mailer: Mailer
    mailbox: MailboxReader | None
    keeper: Keeper
    complaints: Complaints
    shelf: Shelf
    recipe: Recipe
    editor: Editor
    press: GuidePress
    bell: Bell
    verifier: WebhookVerifier
    worker: Worker
    sequences: SequenceEngine
    documents: Documents
    rights: Rights
    doctor: Doctor
    figure: Callable[[str], figures.Figure]
    proofs: ProofOfWork
    throwaway: Callable[[], Collection[str]]

    def close(self) -> None:
        """Let go of processes, connections and files."""
        self.press.close()
        self.mailer.close()
        self.engine.dispose()


def start(settings: Settings, *, bell: Bell | None = None) -> Runtime:
    """The runtime of an installation that is fit to start; raises SettingInvalid for any error."""
    refuse_errors(settings)
    return build_runtime(settings, bell=bell)


def build_runtime(
    settings: Settings,
    *,
    clock: Clock | None = None,
    bell: Bell | None = None,
    mailer: Mailer | None = None,
    press: GuidePress | None = None,
    catalog: Catalog | None = None,
    patience: Patience = PATIENCE,
    reach: Callable[[str], None] = nothing,
    outside: Outside | None = None,
) -> Runtime:
    """Pick the adapters that the settings name; raises SettingInvalid or ContentInvalid.

    What is given is taken instead: the demo brings its clock, a test its fakes, and the proof by
    faults a `patience` of seconds and what is to happen at the sender's places.
    """
    clock = clock or SystemClock()
    engine = make_engine(settings.database_url)
    sessions = make_sessions(engine)
    links = Links(settings.base_url, settings.secret_keys, settings.address_key)
    root = Path(settings.templates_path)
    catalog = catalog or load_catalog(root)
    provider = mailer or make_mailer(settings)
    mailer = fenced(settings, provider)
    vault = Vault(settings.secret_keys, settings.address_key)
    keeper = Keeper(vault, catalog.self_check)
    shelf = Shelf(FileStorage(local_path(settings.storage_url)), vault)
    recipe = _recipe(catalog, links, vault)
    press = press or PdfPress()
    renderer = Renderer(root, catalog)
    writer = LetterWriter(catalog, renderer, links)
    bell = bell or _bell(settings)
    sequences = SequenceEngine(links.pepper, _rules(catalog), keeper.patterns)
    setup = mail_setup(settings, catalog, links)
    watch = _watch(settings, catalog, sessions, clock, mailer, patience, setup)
    journal = FileJournal(local_path(settings.storage_url))
    if not settings.demo:
        JournalKeeping(journal, links.pepper).watch(sessions)
    outside = outside or outside_of(settings, provider)
    rights = make_rights(
        catalog,
        sessions=sessions,
        reading=make_readers(engine),
        clock=clock,
        links=links,
        shelf=shelf,
        recipe=recipe,
        journal=journal,
        provider=outside.erasure,
        margin=_margin(mailer, patience),
    )
    throttle = Throttle(watch.limits, watch.clocks.gate)
    doctor = Doctor(
        sessions,
        clock,
        setup,
        outside.servers,
        outside.account,
        watch.clocks,
    )
    pull = ListPull(sessions, clock, links, outside.lists) if outside.lists else None
    worker = Worker(
        sessions=sessions,
        clock=clock,
        links=links,
        sender=Sender(
            sessions,
            clock,
            mailer,
            writer,
            _worker_name(),
            settings.sending,
            patience=patience,
            reach=reach,
            rules=sequences.rules,
            throttle=throttle,
        ),
        sweeper=Sweeper(
            sessions, clock, mailer, settings.mail_url.startswith("sendgrid:"), patience, throttle
        ),
        printer=Printer(sessions, clock, press, shelf, recipe, keeper.part),
        bell=bell,
        sequences=sequences,
        watch=watch,
        remind_after=catalog.house_rules.confirm_reminder,
        # A demo's days take seconds, and its figures are to stay: nothing in it goes by itself.
        timers=replace(rights.timers, rules=()) if settings.demo else rights.timers,
        outside=rights.outside,
        errands=Errands(sessions, clock, doctor, pull),
    )
    return Runtime(
        settings=settings,
        clock=clock,
        engine=engine,
        sessions=sessions,
        reading=make_readers(engine),
        links=links,
        vault=vault,
        catalog=catalog,
        mailer=mailer,
        mailbox=mailbox_reader(settings, provider),
        keeper=keeper,
        complaints=Complaints(vault),
        shelf=shelf,
        recipe=recipe,
        editor=Editor(catalog, renderer),
        press=press,
        bell=bell,
        verifier=SignatureVerifier(settings.sendgrid_public_keys),
        worker=worker,
        sequences=sequences,
        documents=documents_of(settings, catalog),
        rights=rights,
        doctor=doctor,
        figure=figures.draw,
        proofs=_proofs(settings.secret_keys[0]),
        throwaway=_throwaway,
    )


def prepare(rt: Runtime) -> Shipping:
    """Bring the database to the newest schema, publish new shipped texts, renew house copies.

    Safe to repeat. Returns what came of the shipped texts.
    """
    upgrade(rt.settings.database_url)
    texts = shipped_texts(Path(rt.settings.templates_path))
    with rt.sessions.begin() as session:
        if not control.is_same_pepper(session, fingerprint("pepper", rt.links.pepper)):
            raise SettingInvalid(
                "the oldest key in SECRET_KEY is another one than before, so addresses to be left "
                "alone could not be told any more. Put the old key back as the last one, or name "
                "it as ADDRESS_KEY."
            )
        # Here already, so that no worker sends in the moment before its watch says so.
        mark = rt.doctor.setup.mark
        proof.require(session, is_required=rt.settings.must_be_proved, setup=mark)
        shipping = publish_shipped(session, texts, rt.catalog, now=rt.clock.now())
        house_copies.keep_fresh(session, rt.recipe, now=rt.clock.now())
        notice.publish(session, rt.documents.all[NOTICE].source, now=rt.clock.now())
    return shipping


def _rules(catalog: Catalog) -> Rules:
    """The practice's rules over all series mail, as they are on a day and with its absences."""
    zone = catalog.brand.time_zone
    return lambda away, now: house(catalog.house_rules, zone=zone, now=now, absences=away)


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _watch(
    settings: Settings,
    catalog: Catalog,
    sessions: sessionmaker[Session],
    clock: Clock,
    mailer: Mailer,
    patience: Patience,
    setup: MailSetup,
) -> Watch:
    """What is looked at before anything is sent. A demo's database may come from anywhere."""
    gate = Gate() if settings.demo else Gate(NOT_LOOKED_YET)
    marks = FileMarks(local_path(settings.storage_url))
    limits = Limits(
        per_second=settings.send_rate,
        per_day=settings.send_daily,
        warm_up_from=settings.warm_up,
        # Hours of an outage are the machine's hours: a calendar that runs fast knows none.
        catches_up=settings.send_rate is not None and isinstance(clock, SystemClock),
    )
    margin = _margin(mailer, patience)
    lineage = None if settings.demo else LineageWatch(sessions, clock, marks, gate, margin)
    clocks = ClockWatch(sessions, SystemClock(), mailer, gate, _worker_name())
    golive = _golive(settings, catalog)
    must_be_proved = settings.must_be_proved
    return Watch(sessions, clock, limits, lineage, clocks, golive, must_be_proved, setup.mark)


def _golive(settings: Settings, catalog: Catalog) -> GoLive:
    """The law's question is for those who write to real people."""
    is_real = settings.is_production and settings.has_real_provider
    return GoLive(is_answered=not is_real or catalog.privacy.ico_answer is not None)


def _margin(mailer: Mailer, patience: Patience) -> timedelta:
    """For how long a mail that was claimed may still be under way."""
    return patience.lease + patience.call_lease(mailer.answer_seconds)


def _bell(settings: Settings) -> Bell:
    from funnel.adapters.bells import CeleryBell, LocalBell

    return CeleryBell(settings.broker_url, TASKS) if settings.broker_url else LocalBell()


def _proofs(secret: str) -> ProofOfWork:
    return AltchaProofs(derive(secret, "proofs"), derive(secret, "proof answers"))


def _throwaway() -> Collection[str]:
    """The domains that throw their mail away. Many: loaded with the first form that is sent."""
    from disposable_email_domains import blocklist

    return blocklist


def _recipe(catalog: Catalog, links: Links, vault: Vault) -> Recipe:
    """What every guide of this practice has in common.

    Its link is open to all: a printed guide is lent on, and must not open a person's own pages.
    """
    practice = {**guide_document(catalog), "challenge_url": links.url("challenge-open")}
    return Recipe(practice, house_parts(catalog.self_check), code_version(), vault)
