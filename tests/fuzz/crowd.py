"""A crowd at the public pages, as a state machine: any page, any form, any order, and time goes by.

Each history lives in a house of its own. After each step the house is looked over.
"""

import logging
import re
import shutil
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from funnel.db.people import ConsentEvent, Subscriber
from funnel.domain.ports import OutgoingEmail
from funnel.services.mail_events import take_events
from funnel.services.rights.erasure import BURIAL
from tests.fuzz.memory import Memory, key_of
from tests.support.corpora import quiz, sign_up, tokens
from tests.support.front_door import Door, copy_database, open_door
from tests.support.house import House, open_house, prepare_database
from tests.support.visitor import hidden_fields

LINK = re.compile(r"http://localhost(/(\w[\w-]*)/([\w.=-]+)[^\s)]*)")
ROBOT = "A robot of the fuzz run"  # not counted as a visit
ADDRESSES = [
    "ada@example.org",
    "ADA@Example.org",
    "ada+tag@example.org",
    "ben@gmail.com",
    "b.e.n@googlemail.com",
    "cleo@münchen.example",
    "no address",
    "a@x.example\r\nBcc: q@q.example",
]
REAL = [typed for typed in ADDRESSES if key_of(typed) is not None]
ticks = st.booleans()
picks = st.integers(0, 999)
# Counted from the newest, which is what people open.
newest = st.integers(0, 9)
addresses = st.sampled_from(ADDRESSES)
visitors = st.integers(1, 3)
# What a person waits before the next thing happens: mostly nothing.
waits = st.sampled_from([0, 0, 1, 4]).map(lambda days: timedelta(days=days))
spans = st.sampled_from([1 / 60, 1, 5, 24, 26, 72, 24 * 8, 24 * 31]).map(
    lambda hours: timedelta(hours=hours)
)


class Errors(logging.Handler):
    """Remembers every error that was logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


class Crowd(RuleBasedStateMachine):
    """What strangers may do in any order, and what must hold whatever they do."""

    template: Path | None = None

    @initialize(readers=st.lists(st.sampled_from(REAL), max_size=2, unique=True), joined=ticks)
    def open(self, readers: list[str], joined: bool) -> None:
        self.memory, self.errors, self.stack = Memory(), Errors(), ExitStack()
        logging.getLogger("funnel").addHandler(self.errors)
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        url = copy_database(self._prepared(), folder)
        self.house: House = self.stack.enter_context(open_house(url, folder))
        self.door: Door = open_door(self.house)
        self.read, self.consents = 0, list[tuple[Any, ...]]()
        for reader in readers:
            self.become_a_reader(reader, series=True, joined=joined, then=timedelta(0))

    @classmethod
    def _prepared(cls) -> Path:
        """A database with the shipped words in it, made once for all histories."""
        if cls.template is None or not cls.template.exists():
            folder = Path(tempfile.mkdtemp(prefix="funnel-fuzz-"))
            prepare_database(f"sqlite:///{folder}/template.db", folder)
            cls.template = folder / "template.db"
        return cls.template

    @classmethod
    def sweep(cls) -> None:
        """Take the template away again."""
        if cls.template is not None:
            shutil.rmtree(cls.template.parent)
            cls.template = None

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            logging.getLogger("funnel").removeHandler(self.errors)
            self.stack.close()

    # --- what anybody may do ---

    @rule(
        path=st.sampled_from(["/", "/privacy", "/safety", "/challenge", "/self-check", "/nothing"])
    )
    def look_around(self, path: str) -> None:
        self._open("GET", path)

    @rule(
        typed=addresses,
        name=st.sampled_from(sign_up.NAMES),
        series=ticks,
        trapped=st.sampled_from([False, False, False, True]),
        who=visitors,
    )
    def ask_for_the_guide(
        self, typed: str, name: str, series: bool, trapped: bool, who: int
    ) -> None:
        more = {"website": "x"} if trapped else {}
        self.memory.ask(typed)
        self._send("/", "/signup", who, email=typed, name=name, **_ticked(series=series), **more)

    @rule(
        typed=addresses,
        answers=st.lists(st.one_of(picks, st.sampled_from(quiz.ANSWERS)), min_size=7, max_size=7),
        series=ticks,
        health=ticks,
        who=visitors,
    )
    def take_the_self_check(
        self, typed: str, answers: list[int | str], series: bool, health: bool, who: int
    ) -> None:
        page = self._open(
            "POST", "/self-check", who, **(self._state("/self-check") | {"signs": "none"})
        )
        page = self._post_on(page, who, signs="none")
        for question, pick in zip(self.house.rt.catalog.self_check.questions, answers, strict=True):
            offered = question.answers
            answer = offered[pick % len(offered)].key if isinstance(pick, int) else pick
            page = self._post_on(page, who, answer=answer, go="next")
        self.memory.ask(typed)
        self._post_on(
            page, who, "/self-check/send", email=typed, **_ticked(series=series, health=health)
        )

    @rule(typed=addresses, who=visitors)
    def ask_for_the_challenge_link(self, typed: str, who: int) -> None:
        self._send("/challenge", "/challenge", who, email=typed)

    @rule(typed=addresses, who=visitors)
    def press_send_it_again(self, typed: str, who: int) -> None:
        sealed = self.door.rt.links.seal(typed)
        self._open("GET", f"/check-your-inbox/{sealed}", who)
        self._open("POST", f"/check-your-inbox/{sealed}/resend", who)

    @rule(typed=st.sampled_from(REAL), series=ticks, joined=ticks, then=waits)
    def become_a_reader(self, typed: str, series: bool, joined: bool, then: timedelta) -> None:
        """All the way at once: ask, wait for the mail, press its button, join the challenge."""
        self.ask_for_the_guide(typed, "Ada", series, trapped=False, who=len(typed))
        self.house.hop(timedelta(minutes=1))
        self._look_over_mail()
        if self.has_mail():
            self.scan(0)
            self.nobody_is_confirmed_who_pressed_no_button()
        self._press_first("confirm", typed)
        if joined:
            self.house.hop(timedelta(minutes=1))
            self._press_first("challenge", typed)
        self.house.hop(then)

    def _press_first(self, kind: str, typed: str) -> None:
        """The button behind the newest link of a kind that this address got."""
        for mail in reversed(self.house.mailer.accepted):
            paths = [path for path, each, _ in LINK.findall(mail.text) if each == kind]
            if paths and mail.to_address.lower() == key_of(typed):
                self._remember(kind, mail.to_address, self._open("POST", paths[0]))
                return

    # --- what a reader does with a mail ---

    def has_mail(self) -> bool:
        return bool(self.house.mailer.accepted)

    @precondition(has_mail)
    @rule(mail=newest, link=picks, method=st.sampled_from(["GET", "HEAD", "OPTIONS"]))
    def follow_a_link(self, mail: int, link: int, method: str) -> None:
        path, _, _ = self._link(mail, link)
        self._open(method, path)

    @precondition(has_mail)
    @rule(mail=newest, link=picks, yes=ticks, who=visitors, then=waits)
    def press_the_button_behind_it(
        self, mail: int, link: int, yes: bool, who: int, then: timedelta
    ) -> None:
        path, kind, _ = self._link(mail, link)
        address = self._mail(mail).to_address
        answer = self._open("POST", path, who, answers="yes" if yes else "no")
        self._remember(kind, address, answer)
        self.house.hop(then)

    def _remember(self, kind: str, address: str, answer: TestResponse) -> None:
        if kind == "confirm" and answer.status_code == 303:
            self.memory.press_confirm(address)
        if kind == "challenge" and answer.status_code == 303:
            self.memory.agree(address)
        if kind in {"unsubscribe", "preferences"} and answer.status_code < 400:
            self.memory.leave(address)  # of the choices every box was left unticked

    @precondition(has_mail)
    @rule(mail=newest, series=ticks, challenge=ticks, then=waits)
    def save_choices(self, mail: int, series: bool, challenge: bool, then: timedelta) -> None:
        token = self._token(mail, "preferences")
        if token is None:
            return
        fields = _ticked(series=series, challenge=challenge)
        answer = self._open("POST", f"/preferences/{token}", **fields)
        if answer.status_code == 303:
            act = self.memory.agree if fields else self.memory.leave
            act(self._mail(mail).to_address)
        self.house.hop(then)

    @precondition(has_mail)
    @rule(mail=newest, then=waits)
    def press_stop(self, mail: int, then: timedelta) -> None:
        """The one click of a mail program, or of a person."""
        token = self._token(mail, "unsubscribe")
        if token is not None:
            self._open("POST", f"/unsubscribe/{token}", **{"List-Unsubscribe": "One-Click"})
            self.memory.leave(self._mail(mail).to_address)
        self.house.hop(then)

    @precondition(has_mail)
    @rule(mail=newest)
    def scan(self, mail: int) -> None:
        """A mail scanner opens every link there is."""
        for path, _, _ in LINK.findall(self._mail(mail).text):
            self._open("GET", path)

    @precondition(has_mail)
    @rule(
        mail=newest,
        kind=st.sampled_from(["challenge", "programme", "guide", "preferences"]),
        more=st.sampled_from(
            ["", "/day/1/done", "/day/5/done", "/day/9/done", "/waitlist", "/download", "/again",
             "/forget-answers", "/pain-relief-blueprint.pdf", "/day/1", "/day/-1", "/no"]
        ),
        field=st.sampled_from(["done", "join", "edition", "x"]),
        value=st.sampled_from(["yes", "no", "guide", "tracker", "large", "maybe", ""]),
        post=ticks,
    )  # fmt: skip
    def use_her_pages(
        self, mail: int, kind: str, more: str, field: str, value: str, post: bool
    ) -> None:
        token = self._token(mail, kind)
        if token is not None and not (post and more == ""):
            self._open("POST" if post else "GET", f"/{kind}/{token}{more}", **{field: value})

    @precondition(has_mail)
    @rule(mail=newest, link=picks, bend=picks, post=ticks)
    def bend_a_token(self, mail: int, link: int, bend: int, post: bool) -> None:
        path, _, token = self._link(mail, link)
        bent = tokens.spoiled(token, [])
        instead = quote(bent[bend % len(bent)], safe="")
        answer = self._open("POST" if post else "GET", path.replace(token, instead))
        assert answer.status_code >= 300, path

    @precondition(has_mail)
    @rule(mail=newest)
    def report_as_spam(self, mail: int) -> None:
        told = self._mail(mail)
        event = {
            "event": "spamreport",
            "email": told.to_address,
            "sg_event_id": str(told.message_id),
        }
        now = self.house.clock.now()
        with self.house.rt.sessions.begin() as session:
            take_events(session, [event], now=now)
        self.house.rt.worker.mail_round()
        self._look_over_mail(but=told.to_address)
        self.memory.complain(told.to_address)

    @rule(span=spans)
    def let_time_pass(self, span: timedelta) -> None:
        self.house.hop(span)

    # --- what must hold ---

    @invariant()
    def nothing_went_wrong(self) -> None:
        assert self.errors.told == []

    @invariant()
    def no_mail_went_to_anybody_who_did_not_want_it(self) -> None:
        self._look_over_mail()

    def _look_over_mail(self, but: str = "") -> None:
        for mail in self.house.mailer.accepted[self.read :]:
            assert key_of(mail.to_address) is not None, mail.to_address
            assert mail.subject.isprintable()
            why_not = self.memory.judge(mail, self.house.clock.now())
            assert why_not is None or mail.to_address == but, f"{mail.subject!r}: {why_not}"
        self.read = len(self.house.mailer.accepted)

    @invariant()
    def every_address_is_one_person(self) -> None:
        with self.house.rt.reading.begin() as session:
            keys = session.scalars(select(Subscriber.email_key)).all()
        assert len(keys) == len(set(keys))
        assert set(keys) <= self.memory.asked

    @invariant()
    def what_was_agreed_is_only_ever_added_to(self) -> None:
        """But for who it was, once somebody is gone."""
        with self.house.rt.reading.begin() as session:
            table = ConsentEvent.__table__
            columns = [column for column in table.c if column.name not in BURIAL]
            rows = [tuple(row) for row in session.execute(select(*columns).order_by(table.c.id))]
        assert rows[: len(self.consents)] == self.consents
        self.consents = rows

    @invariant()
    def nobody_is_confirmed_who_pressed_no_button(self) -> None:
        with self.house.rt.reading.begin() as session:
            keys = session.scalars(
                select(Subscriber.email_key).where(Subscriber.confirmed_at.is_not(None))
            ).all()
            many = session.scalar(select(func.count()).select_from(ConsentEvent)) or 0
        assert set(keys) <= self.memory.confirmed
        assert many or not keys

    # --- hands ---

    def _open(self, method: str, path: str, who: int = 1, /, **fields: str) -> TestResponse:
        answer = self.door.client.open(
            path,
            method=method,
            data=fields if method == "POST" else None,
            environ_overrides={"REMOTE_ADDR": f"192.0.2.{who}", "HTTP_USER_AGENT": ROBOT},
            buffered=True,
        )
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code}"
        return answer

    def _state(self, path: str) -> dict[str, str]:
        return hidden_fields(self._open("GET", path).text)

    def _send(self, page: str, path: str, who: int, **fields: str) -> TestResponse:
        return self._open("POST", path, who, **{**self._state(page), **fields})

    def _post_on(
        self, page: TestResponse, who: int, path: str = "/self-check", **fields: str
    ) -> TestResponse:
        return self._open("POST", path, who, **{**hidden_fields(page.text), **fields})

    def _mail(self, pick: int) -> OutgoingEmail:
        mails = self.house.mailer.accepted
        return mails[-1 - pick % len(mails)]

    def _link(self, mail: int, link: int) -> tuple[str, str, str]:
        """The path, the kind and the token of one of a mail's links."""
        found = [(path, kind, token) for path, kind, token in LINK.findall(self._mail(mail).text)]
        return found[link % len(found)]

    def _token(self, mail: int, kind: str) -> str | None:
        found = LINK.findall(self._mail(mail).text)
        return next((token for _, each, token in found if each == kind), None)


def _ticked(**boxes: bool) -> dict[str, str]:
    return {name: "yes" for name, is_ticked in boxes.items() if is_ticked}
