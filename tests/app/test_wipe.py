"""A till that head office shuts out forgets its members, wherever they lie, and keeps its journal; one that
does not hear head office for long shows nobody until it does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.backup import DATABASE, listed
from app.domain.errors import Refusal, Refused, Unavailable
from app.protocol.references import lease_days_of
from app.queries.counter import documents_of_shift
from app.queries.members import (
    ledger,
    lots,
    member_of_card,
    member_panel,
    members_of_phone,
    profile,
)
from app.queries.search import search
from app.shut import why_shut
from app.sync.exchange import Exchange
from app.usecases import wipe as wiping
from app.usecases.back_up import NoteBackup, make_backup, note_backup
from app.usecases.enrol import ProfileInput
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.paper_files import save_card
from app.usecases.tidy import ARRIVING, CARDS, tidy
from app.usecases.wipe import is_wiped
from db import people, rows, till
from db import wiping as db_wiping
from db.engine import Reader
from tests.app.chain import Chain, settle
from tests.app.joined import edit, second, sell_to, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.app.test_forgotten import plain_pages

__all__ = ["kiosk", "made_template", "second", "template"]

ADA = ProfileInput("Zzyxwater Quuxly", "17755553333", email="zzyxwater@quux.example")
BOB = ProfileInput("Vvortigern Jexx", "17766664444")
TRACES = (b"yxwater", b"uuxly", b"5553333", b"quux.example", b"ortigern", b"6664444", b"Zzyx Noted")

PERSONAL = (
    "profile", "member_key", "credential", "event_note", "member_base", "consent_base", "dirty_cell",
    "print_job", "cart", "search_dirty", "member_seq",
)  # fmt: skip
"""Tables that say who somebody is."""


@pytest.fixture
def shut_out(kiosk: Kiosk, second: Kiosk) -> tuple[Kiosk, Exchange, Chain]:
    """A till with members of its own and of another one, everywhere that it keeps them; head office has shut it
    out and it has not heard of it yet."""
    chain = Chain()
    one, two = chain.let_in(kiosk), chain.let_in(second)
    bob = second.enrol(BOB).result.member_id
    sell_to(second, bob)
    ada = kiosk.enrol(ADA).result.member_id
    settle(one, two)
    settle(one)
    sell_to(kiosk, ada)
    sell_to(kiosk, bob)
    tidy(kiosk.ctx)
    save_card(kiosk.ctx, ada, kiosk.folder / CARDS)
    (kiosk.folder / ARRIVING).mkdir()
    (kiosk.folder / ARRIVING / "0123456789abcdef-0-16").write_text(ADA.name)
    (kiosk.folder / ARRIVING / "copy").mkdir()
    (kiosk.folder / ARRIVING / "copy" / "0123456789abcdef-0-16").write_text(ADA.name)
    reports = kiosk.folder / "reports"
    reports.mkdir()
    for name in (
        "audit-01-7.csv",
        "members-01-2026-11-01.pdf",
        "catalogue-01-3.csv",
        "audit-02-7.csv",
        "own.csv",
    ):
        (reports / name).write_text(
            f"{ADA.name}\n" if name.startswith(("audit-01", "members")) else "x"
        )
    made = make_backup(kiosk.ctx)
    note_backup(kiosk.ctx, NoteBackup(kiosk.ctx.ids(), made))
    chain.cut = True
    with kiosk.ctx.write_rows() as conn:
        people.put_note(conn, people.NoteRow(b"e" * 16, ada, "Zzyx Noted"))
        people.mark_search_dirty(conn, ada)
        till.save_cart(conn, '{"for": "Zzyx Noted"}', updated_us=1)
    edit(kiosk, ada, "Zzyxwater Quuxly-Two")
    kiosk.enrol(ProfileInput("Zzyxwater Third", "17755553333"))
    chain.cut = False
    chain.server.write_off(kiosk.ctx.till.device)
    return kiosk, one, chain


def found(kiosk: Kiosk) -> dict[str, list[bytes]]:
    """Traces of members by file; databases behind their cipher, the closed store's too."""
    kiosk.close()
    told: dict[str, list[bytes]] = {}
    for path in (each for each in kiosk.folder.rglob("*") if each.is_file()):
        plain = path.read_bytes()
        if path.name == DATABASE:
            plain = plain_pages(plain, kiosk.ctx.data_key)
        traces = [trace for trace in TRACES if trace.lower() in plain.lower()]
        if traces:
            told[str(path.relative_to(kiosk.folder))] = traces
    return told


def profile_cells(kiosk: Kiosk) -> list[bytes]:
    return [cell for _, cell in kiosk.ctx.profiles.cells() if b'"t": "staff"' not in cell]


def counts(kiosk: Kiosk) -> dict[str, int]:
    """How many rows each table has that holds a person."""
    with kiosk.ctx.read() as conn:
        return {
            table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in PERSONAL
        }


def hear(exchange: Exchange) -> None:
    heard = exchange.once()
    assert heard is not None
    assert heard.why == "revoked"


def test_the_till_has_them_in_many_places_before(shut_out: tuple[Kiosk, Exchange, Chain]) -> None:
    """The red twin: without it a search that finds nothing would prove nothing."""
    kiosk, _, _ = shut_out
    assert any(b"Quuxly-Two" in cell for cell in profile_cells(kiosk))
    assert all(counts(kiosk).values()), counts(kiosk)
    told = found(kiosk)
    assert set(told[DATABASE]) == set(TRACES)
    assert [name for name in told if name.startswith("backups/")]
    assert {"reports/audit-01-7.csv", "reports/members-01-2026-11-01.pdf"} <= set(told)


def test_nobody_is_left_anywhere_and_the_journal_is_whole(
    shut_out: tuple[Kiosk, Exchange, Chain],
) -> None:
    kiosk, exchange, _ = shut_out
    with kiosk.ctx.read() as conn:
        events = rows.event_count(conn)
    hear(exchange)
    with kiosk.ctx.read() as conn:
        assert rows.event_count(conn) == events + 1, "its events, and the backup's"
        assert [code for _, code, _ in rows.incidents(conn)] == [wiping.WIPED]
    assert len(kiosk.ctx.journal.scan().records) == events + 1
    assert not profile_cells(kiosk)
    assert not any(counts(kiosk).values())
    assert len(listed(kiosk.folder / "backups")) == 1
    sound(kiosk)
    assert not list((kiosk.folder / CARDS).iterdir())
    left = {path.name for path in (kiosk.folder / "reports").iterdir()}
    assert left == {"catalogue-01-3.csv", "audit-02-7.csv", "own.csv"}
    assert found(kiosk) == {}
    kiosk.open()
    sound(kiosk)
    hear(exchange_of(kiosk))


def exchange_of(kiosk: Kiosk) -> Exchange:
    return Chain().exchange(kiosk)


@pytest.mark.parametrize("name", ["_wipe_files", "make_backup", "_wipe_rows"])
def test_what_was_begun_is_gone_on_with_after_a_start(
    shut_out: tuple[Kiosk, Exchange, Chain], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, exchange, _ = shut_out

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(wiping, name, dies)
        with pytest.raises(KeyboardInterrupt):
            exchange.once()
    assert not is_wiped(kiosk.ctx)
    if name == "make_backup":
        assert not profile_cells(kiosk), "not left to the next backup"
    kiosk.crash()
    kiosk.open()
    hear(exchange_of(kiosk))
    assert is_wiped(kiosk.ctx)
    assert found(kiosk) == {}


def test_rows_go_in_portions(
    shut_out: tuple[Kiosk, Exchange, Chain], monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, exchange, _ = shut_out
    monkeypatch.setattr(db_wiping, "PORTION", 1)
    monkeypatch.setattr(wiping, "_MEMBERS_AT_ONCE", 1)
    hear(exchange)
    sound(kiosk)
    assert found(kiosk) == {}


def test_it_is_not_through_while_a_reader_keeps_the_log(
    shut_out: tuple[Kiosk, Exchange, Chain],
) -> None:
    kiosk, exchange, _ = shut_out
    reader = kiosk.ctx.read(Reader.REPORT)
    # On a thread of its own a connection keeps its snapshot: here the pool's other reader does.
    from threading import Event, Thread

    begun, over = Event(), Event()

    def read() -> None:
        with reader as conn:
            conn.execute("SELECT count(*) FROM profile").fetchone()
            begun.set()
            over.wait(60)

    thread = Thread(target=read)
    thread.start()
    begun.wait(60)
    with pytest.raises(Unavailable):
        exchange.once()
    over.set()
    thread.join()
    assert not is_wiped(kiosk.ctx)
    hear(exchange)
    assert is_wiped(kiosk.ctx)


def refused(act: Callable[[], object]) -> Refusal | None:
    try:
        act()
    except Refused as error:
        return error.code
    return None


def looks(kiosk: Kiosk) -> list[Callable[[], object]]:
    """Every way to a member at the counter."""
    ctx, member = kiosk.ctx, kiosk.member_id
    return [
        lambda: search(ctx, "6621"),
        lambda: member_panel(ctx, member),
        lambda: profile(ctx, member),
        lambda: ledger(ctx, member),
        lambda: lots(ctx, member),
        lambda: members_of_phone(ctx, "+8617755553333"),
        lambda: save_card(ctx, member, kiosk.folder / CARDS),
        lambda: sell_to(kiosk, member),
        lambda: kiosk.enrol(ADA),
    ]


def test_a_till_that_is_shut_out_sells_nothing_more_and_its_shift_can_be_closed(
    shut_out: tuple[Kiosk, Exchange, Chain],
) -> None:
    kiosk, exchange, _ = shut_out
    hear(exchange)
    for look in looks(kiosk):
        assert refused(look) is Refusal.TILL_REVOKED
    assert refused(lambda: kiosk.quote_and_sell(member=False)) is Refusal.TILL_REVOKED
    kiosk.end_shift()
    opening = OpenShift(kiosk.ctx.ids(), kiosk.session, 20000)
    assert refused(lambda: open_shift(kiosk.ctx, opening)) is Refusal.TILL_REVOKED


# The lease ------------------------------------------------------------------------------------------


def all_refused(kiosk: Kiosk) -> set[Refusal | None]:
    return {refused(look) for look in looks(kiosk)}


def test_without_head_office_for_long_members_are_locked_and_sales_go_on(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    card = member_panel(kiosk.ctx, kiosk.member_id).card_no or ""
    kiosk.clock.now += timedelta(days=14, seconds=-1)
    assert refused(lambda: search(kiosk.ctx, "6621")) is None
    assert documents_of_shift(kiosk.ctx) == ()
    kiosk.quote_and_sell()
    kiosk.clock.now += timedelta(seconds=1)
    assert all_refused(kiosk) == {Refusal.MEMBERS_LOCKED}
    assert refused(lambda: member_of_card(kiosk.ctx, card)) is Refusal.MEMBERS_LOCKED
    assert refused(lambda: member_of_card(kiosk.ctx, "8800999999")) is Refusal.CARD_UNKNOWN
    assert [line.member_name for line in documents_of_shift(kiosk.ctx)] == [""]
    kiosk.quote_and_sell(member=False)
    settle(exchange)
    assert refused(lambda: search(kiosk.ctx, "6621")) is None
    assert documents_of_shift(kiosk.ctx)[-1].member_name


def test_head_office_says_how_many_days(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    chain.lease(2)
    settle(exchange)
    kiosk.clock.now += timedelta(days=2)
    with kiosk.ctx.read() as conn:
        shut = why_shut(conn, kiosk.ctx.clock())
    assert shut is not None
    assert shut.facts == {"days": 2}


def test_a_clock_that_is_set_back_opens_nothing(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    kiosk.clock.now += timedelta(days=15)
    kiosk.quote_and_sell(member=False)
    kiosk.clock.now -= timedelta(days=15)
    assert refused(lambda: search(kiosk.ctx, "6621")) is Refusal.MEMBERS_LOCKED
    settle(exchange)
    assert refused(lambda: search(kiosk.ctx, "6621")) is None


def test_a_clock_that_was_far_ahead_once_lets_the_lease_end_all_the_same(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    kiosk.clock.now += timedelta(days=3650)
    kiosk.quote_and_sell(member=False)
    kiosk.clock.now -= timedelta(days=3650)
    settle(exchange)
    kiosk.clock.now += timedelta(days=14)
    assert refused(lambda: search(kiosk.ctx, "6621")) is Refusal.MEMBERS_LOCKED


def test_a_refusal_is_no_contact(kiosk: Kiosk) -> None:
    chain = Chain()
    exchange = chain.let_in(kiosk)
    settle(exchange)
    device = chain.server.store.device(kiosk.ctx.till.device)
    assert device is not None
    chain.server.store.put_device(device._replace(standing="locked"))
    kiosk.clock.now += timedelta(days=14)
    heard = exchange.once()
    assert heard is not None
    assert heard.why == "locked"
    assert refused(lambda: search(kiosk.ctx, "6621")) is Refusal.MEMBERS_LOCKED


def test_a_till_of_its_own_knows_no_lease(kiosk: Kiosk) -> None:
    kiosk.clock.now += timedelta(days=400)
    assert refused(lambda: search(kiosk.ctx, "6621")) is None


@pytest.mark.parametrize(
    ("body", "days"),
    [
        (None, 14),
        (b"", 14),
        (b"1", 1),
        (b"365", 365),
        (b"366", 14),
        (b"0", 14),
        (b"-3", 14),
        ("٣".encode(), 14),
    ],
)
def test_a_lease_that_makes_no_sense_is_the_default(body: bytes | None, days: int) -> None:
    assert lease_days_of(body) == days
