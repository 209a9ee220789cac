"""What somebody has to look at: raised once, cleared once, told by webhook and by mail."""

from __future__ import annotations

import contextlib
import io
import logging
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.protocol.limits import Limits
from app.protocol.store import StoredEvent, Tenant
from headoffice import alarms, nights
from headoffice.alarms import Alarm, Alarms, Figures, changes
from headoffice.directory import Chain
from headoffice.flags import Pile, Unseen
from headoffice.office import wall_ms
from headoffice.quiet import Known
from headoffice.watching import JsonLines
from headoffice.webhooks.mail import BadMailSettings, Mailer, settings_of
from tests.headoffice.api_office import system, written
from tests.headoffice.api_receiver import receiving
from tests.headoffice.console_browser import signed_in
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    rows,
    served,
    wait_for,
)
from tests.headoffice.mail_server import Smtp, mail_server, mail_toml
from tests.headoffice.serving_process import run
from tests.headoffice.test_http_command import certificate

HOUR = 3_600_000
FLAGGED = "SELECT event_id FROM recount_flag"
PASSWORD = "correct-horse-7"


def figures(**changed: Any) -> Figures:
    """A chain where all is well."""
    tenant = Tenant(TENANT, 1, 100)._replace(
        **{n: v for n, v in changed.items() if n in Tenant._fields}
    )
    more = {name: value for name, value in changed.items() if name in Figures._fields}
    plain = {"quarantined": 0, "silent_ms": {}, "lease_ms": 24 * HOUR, "night_failed": False}
    return Figures(Known(tenant, {}), **{**plain, **more})


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"quarantined": 1}, alarms.QUARANTINE),
        ({"left": 50, "overdrawn": 31}, alarms.BOUND),
        ({"night_failed": True}, alarms.NIGHT_FAILED),
        ({"silent_ms": {b"d" * 16: 48 * HOUR + 1}}, alarms.TILL_SILENT),
        ({"flagged": Unseen(over_returned=Pile(1, 5))}, alarms.OVER_RETURN),
        ({"flagged": Unseen(others=Pile(5_000, 5))}, alarms.RECOUNT),
    ],
)
def test_each_alarm_begins_and_ends_with_its_cause(changed: dict[str, Any], kind: str) -> None:
    raised, cleared = changes(figures(**changed), {}, 7)
    assert ([each.kind for each in raised], cleared) == ([kind], [])
    standing = {(each.kind, each.subject): each for each in raised}
    assert changes(figures(**changed), standing, 8) == ([], [])
    assert changes(figures(), standing, 9) == ([], raised)


def test_at_the_very_edge_there_is_none() -> None:
    edge = figures(left=50, overdrawn=30, silent_ms={b"d" * 16: 48 * HOUR})
    assert changes(edge, {}, 7) == ([], [])


def test_each_time_that_f_grows_is_an_alarm_of_its_own_and_none_is_ever_over() -> None:
    old = Alarm(alarms.LOST, "5", 5, 1)
    raised, cleared = changes(figures(lost=8), {(old.kind, old.subject): old}, 9)
    assert ([each.figure for each in raised], cleared) == ([8], [])
    assert changes(figures(), {(old.kind, old.subject): old}, 9) == ([], [])


def test_no_till_is_silent_that_talked_a_moment_ago_however_short_a_lease_is() -> None:
    short = figures(lease_ms=0, silent_ms={b"d" * 16: 10 * 60_000})
    assert changes(short, {}, 7) == ([], [])
    (raised,), _ = changes(short._replace(silent_ms={b"d" * 16: 10 * 60_000 + 1}), {}, 7)
    assert raised.kind == alarms.TILL_SILENT


def test_a_head_office_that_has_just_begun_calls_no_till_silent() -> None:
    silent = {b"d" * 16: 72 * HOUR}
    assert changes(figures(silent_ms=silent, settling=True), {}, 7) == ([], [])
    old = Alarm(alarms.TILL_SILENT, "64" * 16, 5, 1)
    standing = {(old.kind, old.subject): old}
    assert changes(figures(silent_ms=silent, settling=True), standing, 7) == ([], [])


@pytest.mark.parametrize(
    ("looked_ms", "newest_ms", "again"),
    [(0, 30, False), (5, 30, False), (20, 19, False), (20, 30, True)],
)
def test_a_pile_that_stands_rings_again_for_what_came_after_somebody_looked(
    looked_ms: int, newest_ms: int, again: bool
) -> None:
    old = {(kind, ""): Alarm(kind, "", 3, 10) for kind in (alarms.OVER_RETURN, alarms.RECOUNT)}
    flagged = Unseen(Pile(2, newest_ms), Pile(4_999, 15), looked_ms)
    assert changes(figures(flagged=flagged), old, alarms.AGAIN_MS) == ([], []), "not all the time"
    now_ms = alarms.AGAIN_MS + 10
    raised, cleared = changes(figures(flagged=flagged), old, now_ms)
    wanted = [Alarm(alarms.OVER_RETURN, "", 2, now_ms)] if again else []
    assert (raised, cleared) == (wanted, [old[alarms.OVER_RETURN, ""]] if again else [])


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    """A chain with a till."""
    begin_chain(tmp_path, limits=Limits(grant_most=50, cap=20, lease_ms=HOUR))
    with served(tmp_path) as made:
        made.till(1).sync()
        yield made


def standing(at: Served) -> list[tuple[str, str]]:
    """What stands in the store."""
    with contextlib.closing(database_of(at.folder)) as database, database.of(TENANT):
        return [(each.kind, each.subject) for each in Alarms(database, TENANT).standing()]


def test_a_silent_till_is_an_alarm_until_it_talks(at: Served) -> None:
    device = at.tills[0].device.hex()
    with receiving() as receiver, system(at) as shop:
        events = ["alarm.raised", "alarm.cleared"]
        shop.post("/v1/webhooks", {"url": receiver.url, "events": events})
        at.clock.moved_ms += 3 * HOUR
        receiver.wait(1)
        told = receiver.heard[0].plain
        assert (told["type"], told["data"]["alarm"], told["data"]["subject"]) == (
            "alarm.raised", "till.silent", device,
        )  # fmt: skip
        assert told["data"]["figure"] >= 3 * 3600
        assert shop.get("/v1/alarms")["alarms"][0]["cleared_ms"] is None
        at.clock.moved_ms += HOUR
        at.tills[0].sync()
        at.clock.moved_ms += 6_000
        receiver.wait(2)
        assert (receiver.types(), standing(at)) == (events, [])
        assert shop.get("/v1/alarms")["alarms"][0]["cleared_ms"] is not None
    assert rows(at.folder, "SELECT count(*) FROM alarm") == [(1,)]


def test_an_alarm_that_stands_is_not_raised_again_after_a_restart(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    for _ in range(2):
        with served(tmp_path) as made:
            if _ == 0:
                event = StoredEvent(b"q" * 16, b"strange", "quarantined")
                written(made, lambda store: store.put_event(event))  # noqa: B023  # done at once
            made.clock.moved_ms += 6_000
            wait_for(lambda: standing(made) == [("quarantine", "")])  # waited for at once
    assert rows(tmp_path, "SELECT count(*) FROM alarm") == [(1,)]


def test_a_night_that_fails_is_an_alarm_until_it_goes_on(
    at: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = nights._book

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(nights, "_book", fail)
    at.clock.moved_ms += 24 * HOUR
    wait_for(lambda: ("night.failed", "") in standing(at))
    monkeypatch.setattr(nights, "_book", whole)
    at.clock.moved_ms += 2 * nights.RETRY_MS
    wait_for(lambda: ("night.failed", "") not in standing(at))


@pytest.mark.usefixtures("each_store")
def test_documents_that_differ_ring_once_and_again_after_somebody_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "AGAIN_MS", 0)
    begin_chain(tmp_path)
    with served(tmp_path) as at, receiving() as receiver, system(at) as shop, signed_in(at) as anna:
        events = ["alarm.raised", "alarm.cleared"]
        shop.post("/v1/webhooks", {"url": receiver.url, "events": events})
        till, at.clock.stood_ms = at.till(1), wall_ms()

        def sold(count: int) -> bytes:
            """The till sends so many sales that no counter's document goes with; the last one's event."""
            at.clock.moved_ms += 1_000
            before = {row[0] for row in rows(tmp_path, FLAGGED)}
            till.earn(ANNA, sales=count)
            till.sync()
            wait_for(lambda: len(rows(tmp_path, FLAGGED)) == len(before) + count)
            at.clock.moved_ms += 6_000
            return bytes(next(row[0] for row in rows(tmp_path, FLAGGED) if row[0] not in before))

        first = sold(2)
        receiver.wait(1)
        sold(1)
        anna.look("/console/")
        anna.send(f"/console/recount/{first.hex()}", until=str(at.clock()))
        sold(1)
        receiver.wait(3)
        told = [(each.plain["type"], each.plain["data"]) for each in receiver.heard]
        assert [(kind, data["alarm"], data["figure"]) for kind, data in told] == [
            ("alarm.raised", "recount", 2),
            ("alarm.cleared", "recount", 2),
            ("alarm.raised", "recount", 3),
        ]
        assert standing(at) == [("recount", "")]
        assert 'href="/console/recount" class="warn"' in anna.look("/console/alarms").text
        for (event,) in rows(tmp_path, FLAGGED):
            anna.send(f"/console/recount/{event.hex()}", until=str(at.clock()))
        at.clock.moved_ms += 6_000
        wait_for(lambda: standing(at) == [])


# Mails --------------------------------------------------------------------------------------------


def test_an_alarm_is_mailed_when_it_begins_and_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path, limits=Limits(grant_most=50, cap=20, lease_ms=HOUR))
    monkeypatch.setenv("REGULARS_SMTP_PASSWORD", PASSWORD)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonLines())
    logging.getLogger("headoffice").addHandler(handler)
    logging.getLogger("headoffice").setLevel(logging.INFO)
    with mail_server() as port:
        mail_toml(tmp_path, port, user='"ho"', language='"zh_CN"')
        with served(tmp_path) as made:
            till = made.till(1)
            till.sync()
            made.clock.moved_ms += 3 * HOUR
            wait_for(lambda: len(Smtp.mails) == 1)
            till.sync()
            made.clock.moved_ms += 6_000
            wait_for(lambda: len(Smtp.mails) == 2)
            wait_for(lambda: rows(tmp_path, "SELECT 1 FROM webhook_message") == [])
    logging.getLogger("headoffice").removeHandler(handler)
    first, second = (message_from_bytes(each, policy=policy.default) for each in Smtp.mails)
    assert first["subject"] == "Chain T：收银台静默超过两个额度有效期"
    assert second["subject"] == "Chain T：已解除：收银台静默超过两个额度有效期"
    assert first["to"] == "boss@example.com, it@example.com"
    assert till.device.hex()[:8] in str(first.get_content())
    assert any(line.startswith(b"AUTH") for line in Smtp.said)
    assert PASSWORD not in log.getvalue()
    assert "boss@example.com" not in log.getvalue()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """The certificate of a mail server on loopback, and how it encrypts with it."""
    cert, key = certificate(tmp_path_factory.mktemp("mail"))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert, key)
    return cert, made


def sent(folder: Path, port: int, **settings: str) -> str:
    """One try of a mail with a user and a password."""
    mail_toml(folder, port, user='"ho"', **settings)
    data = {"alarm": alarms.QUARANTINE, "subject": "", "raised_ms": 0, "figure": 1}
    body = msgspec.json.encode({"type": "alarm.raised", "data": data})
    return Mailer(settings_of(folder)).send(
        Chain(TENANT, "Chain T", 0, Limits(grant_most=50, cap=20)), body
    )


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_and_its_password_go_encrypted_to_a_server_that_is_known(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encrypted: tuple[Path, ssl.SSLContext],
    security: str,
) -> None:
    cert, tls = encrypted
    monkeypatch.setenv("REGULARS_SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with mail_server(monkeypatch, security, tls) as port:
        assert sent(tmp_path, port, security=f'"{security}"') == ""
        assert len(Smtp.mails) == 1
    clear = {line.split()[0].upper() for line in Smtp.said if not line.startswith(b"tls ")}
    assert clear == (set() if security == "tls" else {b"EHLO", b"STARTTLS"})
    assert any(line.startswith(b"tls AUTH") for line in Smtp.said)


@pytest.mark.parametrize(
    ("security", "offered", "why"),
    [
        ("tls", "tls", "tls"),
        ("starttls", "starttls", "tls"),
        ("starttls", "none", "mail_notsupportederror"),
    ],
)
def test_nothing_is_said_to_a_mail_server_that_is_not_known_or_does_not_encrypt(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encrypted: tuple[Path, ssl.SSLContext],
    security: str,
    offered: str,
    why: str,
) -> None:
    monkeypatch.setenv("REGULARS_SMTP_PASSWORD", PASSWORD)
    with mail_server(monkeypatch, offered, encrypted[1]) as port:
        assert sent(tmp_path, port, security=f'"{security}"') == why
    assert not Smtp.mails
    assert not [line for line in Smtp.said if b"AUTH" in line or b"MAIL" in line]


def test_a_mail_that_the_server_does_not_take_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_chain(tmp_path)
    mail_toml(tmp_path, 1)
    with served(tmp_path) as made:
        event = StoredEvent(b"q" * 16, b"strange", "quarantined")
        written(made, lambda store: store.put_event(event))
        made.clock.moved_ms += 6_000
        wait_for(lambda: rows(tmp_path, "SELECT last FROM webhook_message") == [("unreachable",)])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"strange": '"x"'}, "strange"),
        ({"port": '"x"'}, "port"),
        ({"port": "0"}, "port"),
        ({"security": '"ssl"'}, "security"),
        ({"language": '"fr"'}, "language"),
        ({"to": '"x"'}, "to"),
        ({"to": ""}, "toml"),
    ],
)
def test_settings_that_are_wrong_are_named(
    tmp_path: Path, wrong: dict[str, str], field: str
) -> None:
    mail_toml(tmp_path, 25, **wrong)
    with pytest.raises(BadMailSettings, match=f"^{field}$"):
        settings_of(tmp_path)


def test_without_settings_nothing_is_mailed_and_wrong_ones_stop_the_start(tmp_path: Path) -> None:
    assert settings_of(tmp_path) is None
    assert not Mailer(None).wants("Chain T")
    begin_chain(tmp_path)
    (tmp_path / "mail.toml").write_text('host = "x"')
    told = run("serve", "--port", "0", "--data", tmp_path)
    assert (told.returncode, "mail.toml" in told.stderr, "sender" in told.stderr) == (4, True, True)
