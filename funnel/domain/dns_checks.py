"""The checks of one sending domain: SPF, DKIM, DMARC, and whether replies find their way."""

from collections.abc import Iterator
from dataclasses import replace

from funnel.domain.deliverability import Finding, Light, Record
from funnel.domain.dkim import DkimKey, read_key
from funnel.domain.dmarc import Dmarc, read_dmarc
from funnel.domain.mail_account import MailSetup, Provider, SendingDomain
from funnel.domain.names import LookUp, Lookup, RecordKind, domain_of, organisation_of
from funnel.domain.spf import MOST_LOOKUPS, Spf, merged, read_spf

SENDGRID_SELECTORS = ("s1", "s2")
_SPF_WHY = "SPF names the servers that may send for you. Without it mail looks forged."
_DKIM_WHY = (
    "DKIM signs each mail, so that nobody can send or change one in your name. "
    "Gmail and Yahoo refuse series mail without it."
)
_DMARC_WHY = (
    "DMARC says what to do with mail that only pretends to be yours. "
    "Gmail and Yahoo ask every sender of series mail for it."
)
_AWAY = "The name servers did not answer, so this is not known just now."


def check_domain(
    domain: str, setup: MailSetup, known: SendingDomain | None, look_up: LookUp
) -> Iterator[Finding]:
    """Everything the DNS says of a domain that we send from.

    `known` is what the provider tells of it; None where it does not.
    """
    if known is not None:
        yield _set_up(domain, known, look_up)
    yield check_spf(domain, setup, known, look_up)
    yield _check_dkim(domain, setup, known, look_up)
    yield _check_dmarc(domain, known, look_up)


def domain_not_told(domain: str) -> Iterator[Finding]:
    """The same findings while the provider does not answer, for all of them depend on its word."""
    say = "SendGrid could not be asked which records it signs with, so this is not known just now."
    yield Finding(f"domain {domain}", Light.UNKNOWN, f"{domain} at SendGrid", say)
    yield Finding(f"spf {domain}", Light.UNKNOWN, f"SPF of {domain}", say, _SPF_WHY)
    yield Finding(f"dkim {domain}", Light.UNKNOWN, f"DKIM of {domain}", say, _DKIM_WHY)
    yield Finding(f"dmarc {domain}", Light.UNKNOWN, f"DMARC of {domain}", say, _DMARC_WHY)


def _set_up(domain: str, known: SendingDomain, look_up: LookUp) -> Finding:
    """Each record that SendGrid asks for, against what really stands in the DNS."""
    key, title = f"domain {domain}", f"{domain} at SendGrid"
    # An SPF record may say more than SendGrid asks for; its own check reads it.
    asked = [each for each in known.records if not each.value.startswith("v=spf1")]
    found = {record: _stands(record, look_up) for record in asked}
    missing = tuple(record for record, stands in found.items() if stands is False)
    why = "SendGrid signs and sends in your name only for a domain whose records are in place."
    if missing:
        say = f"{_many(len(missing), 'record')} of it cannot be found, or lead elsewhere."
        return Finding(key, Light.RED, title, say, why, missing)
    if None in found.values():
        return Finding(key, Light.UNKNOWN, title, _AWAY, why)
    if not known.is_valid:
        say = "Its records are in place, but SendGrid has not looked: press Verify there."
        return Finding(key, Light.AMBER, title, say, why)
    return Finding(key, Light.GREEN, title, "Every record it asks for is in place.")


def _stands(record: Record, look_up: LookUp) -> bool | None:
    """Whether that record can be found; None when it cannot be said."""
    found = look_up(record.name, RecordKind(record.kind))
    if not found.is_known:
        return None
    return any(_plain(value, record.kind) == _plain(record.value) for value in found.values)


def _plain(value: str, kind: str = "") -> str:
    """A value without what does not matter in it, such as an MX's number."""
    bare = value.rpartition(" ")[2] if kind == RecordKind.MX else value
    return "".join(bare.split()).lower().rstrip(".")


# SPF ---------------------------------------------------------------------------------------------


def check_spf(
    domain: str, setup: MailSetup, known: SendingDomain | None, look_up: LookUp
) -> Finding:
    """SPF is asked of the return path: with SMTP the sender's own domain, at SendGrid one below."""
    key, title = f"spf {domain}", f"SPF of {domain}"
    is_sendgrid = setup.provider is Provider.SENDGRID
    own = read_spf(domain, look_up)
    if is_sendgrid and known is None:
        light, say = _own_at_sendgrid(own)
        say += " Which name SendGrid uses for returned mail cannot be seen with this key."
        return Finding(key, max(light, Light.AMBER, key=_order), title, say, _SPF_WHY)
    asked = known.return_path if is_sendgrid and known is not None else domain
    spf = read_spf(asked, look_up) if asked != domain else own
    include = None if is_sendgrid else setup.spf_include
    finding = _judge_spf(key, title, asked, spf, include)
    if is_sendgrid:
        finding = replace(finding, records=())  # its record comes with SendGrid's own
    if finding.light is Light.GREEN and not is_sendgrid and include is None:
        return _unsure(finding)
    if finding.light is Light.GREEN and asked != domain:
        light, say = _own_at_sendgrid(own)
        why = _SPF_WHY if light is Light.AMBER else ""
        return Finding(key, light, title, f"{finding.say} {say}".strip(), why)
    return finding


def _judge_spf(key: str, title: str, name: str, spf: Spf, include: str | None) -> Finding:
    wanted = f"include:{include}" if include else "include:[the name your mail provider gives]"
    if len(spf.records) > 1:
        say = f"There are {len(spf.records)} records where only one may be, so none counts."
        one = Record("TXT", name, merged(spf.records, f"include:{include}" if include else None))
        return Finding(
            key, Light.RED, title, f"{say} Put this one in their place.", _SPF_WHY, (one,)
        )
    if spf.is_too_long or spf.dead:
        return Finding(key, Light.RED, title, _broken(spf), _SPF_WHY)
    if not spf.is_known:
        return Finding(key, Light.UNKNOWN, title, _AWAY, _SPF_WHY)
    if not spf.records:
        record = Record("TXT", name, f"v=spf1 {wanted} ~all")
        return Finding(key, Light.RED, title, "There is no record.", _SPF_WHY, (record,))
    if include and include.lower() not in spf.names:
        record = Record("TXT", name, merged(spf.records, wanted))
        say = f"The record does not name {include}. Put this one in its place."
        return Finding(key, Light.RED, title, say, _SPF_WHY, (record,))
    say = f"One record, and it asks {_many(spf.lookups, 'question')} of at most {MOST_LOOKUPS}."
    return Finding(key, Light.GREEN, title, say)


def _broken(spf: Spf) -> str:
    if spf.dead:
        return f"It includes {', '.join(spf.dead)}, where no record is, so all of it fails."
    return (
        f"It makes receivers ask more than {MOST_LOOKUPS} questions, so they give up and it fails. "
        "Take out what you no longer send with."
    )


def _unsure(finding: Finding) -> Finding:
    """Which servers an SMTP account sends from, only its provider knows."""
    say = (
        f"{finding.say} Whether it names your mail provider's servers cannot be seen from here: "
        "set SPF_INCLUDE to the name they give, and it is checked."
    )
    return Finding(finding.key, Light.AMBER, finding.title, say, _SPF_WHY)


def _own_at_sendgrid(own: Spf) -> tuple[Light, str]:
    """The sender's own record, of which SendGrid's mail does not depend."""
    if len(own.records) > 1:
        return Light.AMBER, "The domain itself has several records: other mail of yours may fail."
    if own.is_too_long or own.dead:
        return Light.AMBER, f"The domain's own record: {_broken(own)}"
    return Light.GREEN, ""


def _order(light: Light) -> int:
    return (Light.GREEN, Light.AMBER, Light.RED).index(light)


# DKIM --------------------------------------------------------------------------------------------


def _check_dkim(
    domain: str, setup: MailSetup, known: SendingDomain | None, look_up: LookUp
) -> Finding:
    key, title = f"dkim {domain}", f"DKIM of {domain}"
    places = _key_places(domain, setup, known)
    if not places:
        say = (
            "Whether your mail provider signs cannot be seen from here: ask them for the name of "
            "the key (the selector), set DKIM_SELECTOR to it, and it is checked."
        )
        return Finding(key, Light.AMBER, title, say, _DKIM_WHY)
    found = {place.name: look_up(place.name, RecordKind.TXT) for place in places}
    bad = [(place, *problem) for place in places if (problem := _key_problem(found[place.name]))]
    if bad:
        worst = max((light for _, light, _ in bad), key=_order_of_key)
        shown = [(place, say) for place, light, say in bad if light is worst]
        told = dict.fromkeys(say for _, say in shown)
        # What SendGrid asks for is shown once, with the domain.
        is_to_paste = worst is Light.RED and known is None
        records = tuple(place for place, _ in shown) if is_to_paste else ()
        return Finding(key, worst, title, " ".join(told), _DKIM_WHY, records)
    return Finding(key, Light.GREEN, title, "The keys are there and long enough.")


def _order_of_key(light: Light) -> int:
    return (Light.AMBER, Light.UNKNOWN, Light.RED).index(light)


def _key_places(domain: str, setup: MailSetup, known: SendingDomain | None) -> tuple[Record, ...]:
    """The names under which the keys stand, each with the record that belongs there."""
    if known is not None:
        return tuple(each for each in known.records if "._domainkey." in each.name)
    if setup.provider is Provider.SENDGRID:
        return tuple(
            Record("CNAME", f"{s}._domainkey.{domain}", f"[as SendGrid shows it: {s}.domainkey.u…]")
            for s in SENDGRID_SELECTORS
        )
    if setup.dkim_selector is None:
        return ()
    name = f"{setup.dkim_selector}._domainkey.{domain}"
    return (Record("TXT", name, "[the key that your mail provider shows you]"),)


def _key_problem(found: Lookup) -> tuple[Light, str] | None:
    if not found.is_known:
        return Light.UNKNOWN, _AWAY
    keys = [key for value in found.values if (key := read_key(value)) is not None]
    if not keys:
        return Light.RED, "There is no key under a name where one must be."
    return _weakness(keys[0])


def _weakness(key: DkimKey) -> tuple[Light, str] | None:
    if key.is_revoked:
        return Light.RED, "A key was withdrawn: its record is empty."
    if not key.bits:
        return Light.RED, "A key is damaged and cannot be read."
    if key.is_weak:
        return Light.RED, f"A key has only {key.bits:,} bits, and at least 1,024 are needed."
    if not key.is_good:
        return Light.AMBER, f"A key has {key.bits:,} bits. That is enough; 2,048 are better."
    return None


# DMARC -------------------------------------------------------------------------------------------


def _check_dmarc(domain: str, known: SendingDomain | None, look_up: LookUp) -> Finding:
    key, title = f"dmarc {domain}", f"DMARC of {domain}"
    place, found = _dmarc_place(domain, look_up)
    record = Record("TXT", f"_dmarc.{organisation_of(domain)}", "v=DMARC1; p=none")
    rules = read_dmarc(found)
    if not found.is_known:
        return Finding(key, Light.UNKNOWN, title, _AWAY, _DMARC_WHY)
    if not rules:
        return Finding(key, Light.RED, title, "There is no record.", _DMARC_WHY, (record,))
    if len(rules) > 1:
        say = f"There are {len(rules)} records where only one may be, so none counts. Keep one."
        return Finding(key, Light.RED, title, say, _DMARC_WHY)
    if not rules[0].policy:
        say = "The record does not say p=none, p=quarantine or p=reject, so it means nothing."
        return Finding(
            key, Light.RED, title, say, _DMARC_WHY, (Record("TXT", place, record.value),)
        )
    return _alignment(key, title, domain, known, rules[0])


def _dmarc_place(domain: str, look_up: LookUp) -> tuple[str, Lookup]:
    """The record of the domain, else that of the name that was registered."""
    own = f"_dmarc.{domain}"
    found = look_up(own, RecordKind.TXT)
    above = f"_dmarc.{organisation_of(domain)}"
    if not found.is_known or read_dmarc(found) or above == own:
        return own, found
    return above, look_up(above, RecordKind.TXT)


def _alignment(
    key: str, title: str, domain: str, known: SendingDomain | None, rule: Dmarc
) -> Finding:
    """Whether the signature or the return path is of the sender's own domain."""
    signer, returns = (known.domain, known.return_path) if known else (domain, domain)
    by_signature = rule.aligns_signature(domain, signer)
    by_path = rule.aligns_return_path(domain, returns)
    policy = f"p={rule.policy}"
    if not by_signature and not by_path:
        say = f"It says {policy}, and neither the signature nor the return path is of {domain}."
        return Finding(key, Light.RED, title, say, _DMARC_WHY)
    if not by_signature:
        say = f"It says {policy} and is strict: the signature is of {signer}, which does not count."
        return Finding(key, Light.AMBER, title, say, _DMARC_WHY)
    return Finding(key, Light.GREEN, title, f"It says {policy}, and your signature counts for it.")


# Replies -----------------------------------------------------------------------------------------


def check_replies(address: str, look_up: LookUp) -> Finding:
    """Whether somebody who answers a mail reaches anybody."""
    domain = domain_of(address)
    key, title = "replies", f"Replies to {domain}"
    why = "People answer your mails, and some filters ask whether they could."
    found = look_up(domain, RecordKind.MX)
    if not found.is_known:
        return Finding(key, Light.UNKNOWN, title, _AWAY, why)
    servers = [value.partition(" ")[2] for value in found.values]
    if servers in (["."], [""]):
        return Finding(key, Light.RED, title, "The domain says that it takes no mail.", why)
    if servers:
        return Finding(key, Light.GREEN, title, f"Mail to it goes to {sorted(servers)[0]}.")
    kinds = (RecordKind.A, RecordKind.AAAA)
    bare = [look_up(domain, kind) for kind in kinds]
    if any(each.values for each in bare):
        say = "The domain names no mail server; mail goes to its web server, if that takes any."
        return Finding(key, Light.AMBER, title, say, why)
    if not all(each.is_known for each in bare):
        return Finding(key, Light.UNKNOWN, title, _AWAY, why)
    say = "The domain has no mail server, so nobody gets the answers."
    return Finding(key, Light.RED, title, say, why)


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
