"""A till changes its key at head office, by real HTTP: yearly, after a rebase, whatever is lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import bases
from app.context import Context
from app.domain.errors import Refusal
from app.domain.errors import Refused as RuleRefused
from app.protocol.endpoints import ROTATE, Enrol
from app.protocol.hlc import stamp
from app.protocol.outbox_file import NotAnOutbox
from app.sync import join as joining
from app.sync import own_key
from app.sync.asking import line_of
from app.sync.client import HeadOffice, NoAnswer, Refused, public_key_of
from app.sync.exchange import Exchange
from app.sync.join import join
from app.sync.own_key import GOOD_MS
from app.usecases.carry_outbox import carry_outbox
from db import head_office
from headoffice.__main__ import main
from headoffice.carried import checked
from headoffice.keys import FILE_NAME
from headoffice.office import STORE_FILE
from tests.app.chain import settle
from tests.app.joined import kept_database, put_back, sound
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import Served, begin_chain, code_for, opened, rows, served
from tests.headoffice.lossy import Lossy, lossy

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]


@pytest.fixture(autouse=True)
def _again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_key, "AGAIN_S", 0.0)


@pytest.fixture
def way(office: Served) -> Iterator[Lossy]:
    """The way to head office, on which things can be lost."""
    with lossy(office.url, 1) as found:
        found.heal()
        yield found


def keys_of(at: Kiosk) -> tuple[bytes, head_office.OwnKeyRow]:
    """The public key by which it signs, and what it has beside."""
    with at.ctx.read() as conn:
        row = head_office.head_office(conn)
        assert row is not None
        return public_key_of(row.seed), head_office.own_key(conn)


def known_of(office: Served) -> tuple[bytes, bytes | None]:
    """By which keys head office knows its only till."""
    (found,) = rows(office.folder, "SELECT public_key, next_key FROM till")
    return found


def changes(office: Served) -> int:
    """How often the audit says that a till changed its key."""
    ((count,),) = rows(office.folder, "SELECT count(*) FROM console_audit WHERE act = 'till_key'")
    return int(count)


def grow_old(at: Kiosk) -> None:
    """The key in use is as old as one may be."""
    with at.ctx.write_rows() as conn:
        row, own = head_office.head_office(conn), head_office.own_key(conn)
        assert row is not None
        head_office.put_own_key(conn, row.seed, own._replace(since_ms=own.since_ms - GOOD_MS))


def settled(at: Kiosk, office: Served, before: bytes) -> None:
    """The till has a new key, which is the only one that head office knows, and lost nothing."""
    now, own = keys_of(at)
    assert now != before
    assert own.next is None
    assert known_of(office) == (now, None)
    sound(at)


@pytest.mark.usefixtures("each_store")
def test_a_key_of_a_year_is_changed_once_and_the_one_before_signs_no_more(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    first, _ = keys_of(till)
    assert known_of(office) == (first, None)
    settle(one)
    assert keys_of(till)[0] == first, "a young key stays"
    with till.ctx.read() as conn:
        old = head_office.head_office(conn)
    assert old is not None
    grow_old(till)
    till.quote_and_sell()
    settle(one)
    settled(till, office, first)
    assert changes(office) == 1
    line = HeadOffice(
        office.url, till.ctx.till.device, old.seed, old.their_key, lambda: office.clock() / 1000
    )
    with pytest.raises(Refused, match="bad_signature"):
        line.ask("/v1/sync", bytes(16), 1, b"")
    line.close()
    settle(one)
    assert changes(office) == 1


def test_a_clock_that_was_set_back_makes_no_key_younger(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    first, own = keys_of(till)
    with till.ctx.write_rows() as conn:
        body = head_office.control(conn)
        assert body is not None
        control = bases.CONTROL.unpack(body)._replace(hlc=stamp(0, own.since_ms + GOOD_MS))
        head_office.put_control(conn, bases.CONTROL.pack(control))
    settle(one)
    settled(till, office, first)
    second, _ = keys_of(till)
    settle(one)
    assert keys_of(till)[0] == second, "nor does it change its key at each question"


@pytest.mark.usefixtures("each_store")
def test_a_rebase_brings_a_new_key(till: Kiosk, office: Served, lines: list[Exchange]) -> None:
    kept_one = let_in(till, office, lines)
    settle(kept_one)
    kept = kept_database(till)
    till.quote_and_sell()
    one = Exchange(till.ctx)
    lines.append(one)
    settle(one)
    first, _ = keys_of(till)
    put_back(till, kept)
    till.quote_and_sell()
    again = Exchange(till.ctx)
    lines.append(again)
    settle(again)
    settled(till, office, first)
    assert keys_of(till)[1].epoch == 2


@pytest.mark.parametrize("fault", ["request lost", "reset before", "reply lost", "reset after"])
def test_a_new_key_that_is_lost_on_the_way_is_offered_again_and_is_the_same(
    till: Kiosk, office: Served, lines: list[Exchange], way: Lossy, fault: str
) -> None:
    one = joined_by(till, office, lines, way)
    first, _ = keys_of(till)
    grow_old(till)
    way.next_faults.append(fault)
    one.once()
    assert way.counts[fault] == 1
    offered = keys_of(till)[1].next
    assert offered is not None, "it is in the store before it is on its way"
    assert keys_of(till)[0] == first, "until head office has answered the old one signs"
    settle(one)
    settled(till, office, first)
    assert keys_of(till)[0] == public_key_of(offered)
    assert changes(office) == 1, "asked again it is the same change"


def joined_by(till: Kiosk, office: Served, lines: list[Exchange], way: Lossy) -> Exchange:
    join(till.ctx, way.url, code_for(office.folder, "North", "till 1"))
    one = Exchange(till.ctx)
    lines.append(one)
    settle(one)
    return one


class Killed(BaseException):
    """The process ends here."""


def dies(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    "step", ["before the offer", "before the answer is written", "after it is written"]
)
def test_a_till_that_is_killed_at_any_step_is_never_locked_out(
    till: Kiosk,
    office: Served,
    lines: list[Exchange],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    first, _ = keys_of(till)
    grow_old(till)
    till.quote_and_sell()
    with monkeypatch.context() as patch:
        if step == "before the offer":
            patch.setattr(HeadOffice, "ask", dies)
        elif step == "before the answer is written":
            patch.setattr(own_key.OwnKey, "_change", dies)
        else:
            change = own_key.OwnKey.offer

            def offered(*args: object) -> None:
                change(*args)  # type: ignore[arg-type]  # as it was called
                raise Killed

            patch.setattr(own_key.OwnKey, "offer", offered)
        with pytest.raises(Killed):
            one.once()
    till.crash()
    till.open()
    again = Exchange(till.ctx)
    lines.append(again)
    settle(again)
    settled(till, office, first)


def test_a_till_that_knows_only_the_offered_key_finds_which_one_head_office_took(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    """Its store was put back to the moment between offer and answer, after the new key had signed."""
    one = let_in(till, office, lines)
    settle(one)
    first, _ = keys_of(till)
    grow_old(till)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeadOffice, "ask", dies)
        with pytest.raises(Killed):
            one.once()
    kept = kept_database(till)
    settle(exchange_of(till, lines))
    taken, _ = keys_of(till)
    assert known_of(office) == (taken, None)
    put_back(till, kept)
    assert keys_of(till)[0] == first
    till.quote_and_sell()
    settle(exchange_of(till, lines))
    settled(till, office, first)


def exchange_of(till: Kiosk, lines: list[Exchange]) -> Exchange:
    found = Exchange(till.ctx)
    lines.append(found)
    return found


def copy_of(office: Served, folder: Path) -> Path:
    """A backup of head office's store, and its key."""
    with opened(office.folder):
        pass
    folder.mkdir()
    for name in (STORE_FILE, f"{STORE_FILE}-wal", FILE_NAME):
        if (office.folder / name).exists():
            shutil.copy(office.folder / name, folder / name)
    return folder


def test_head_office_put_back_to_before_a_change_hears_by_the_key_before(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    first, _ = keys_of(till)
    backup = copy_of(office, tmp_path / "backup")
    grow_old(till)
    till.quote_and_sell()
    settle(one)
    newer, own = keys_of(till)
    assert own.former is not None
    assert public_key_of(own.former) == first
    assert main(["restored", "--data", str(backup)]) == 0
    with served(backup) as restored:
        move_to(till, restored.url)
        till.quote_and_sell()
        again = exchange_of(till, lines)
        settle(again)
        settled(till, restored, first)
        with opened(backup) as (store, _), store.reading():
            shown = store.member(till.member_id)
            assert shown is not None
        again.close()
    assert newer in told_keys(backup), "the newer key is offered again"


def told_keys(folder: Path) -> set[bytes]:
    """The last keys of the till that the store knows."""
    (found,) = rows(folder, "SELECT public_key, next_key, former_key FROM till")
    return set(found)


def move_to(till: Kiosk, url: str) -> None:
    """Head office is at this address, as names move."""
    with till.ctx.write_rows() as conn:
        row = head_office.head_office(conn)
        assert row is not None
        head_office.put_head_office(conn, row._replace(address=url))


def test_nobody_but_head_office_makes_a_till_try_its_other_keys(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    grow_old(till)
    settle(one)
    now, _ = keys_of(till)
    stranger = copy_of(office, tmp_path / "stranger")
    (stranger / FILE_NAME).unlink()
    by = set[bytes]()

    def line(ctx: Context, row: head_office.HeadOfficeRow) -> HeadOffice:
        by.add(public_key_of(row.seed))
        return line_of(ctx, row)

    # It knows the till by no key, and says so: but by its own signature.
    with opened(stranger) as (store, directory), store.writing():
        (kept,) = directory.tills()
        directory.put_till(kept._replace(public_key=bytes(31) + b"\1"))
    with served(stranger) as found:
        move_to(till, found.url)
        other = Exchange(till.ctx, open_line=line)
        lines.append(other)
        for _ in range(4):
            heard = other.once()
            assert heard is not None
            assert heard.why in ("gone", "unknown")
        other.close()
    assert by == {now}


@pytest.mark.parametrize("lost", ["the till's key", "head office's key"])
def test_a_till_that_head_office_knows_no_more_comes_back_by_a_code(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path, lost: str
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    kept = kept_database(till)
    settle(one := exchange_of(till, lines))
    if lost == "the till's key":
        grow_old(till)
        settle(one)
        put_back(till, kept)
        till.quote_and_sell()
        heard = exchange_of(till, lines).once()
        assert heard is not None
        assert heard.why == "unknown"
        come_back(till, office, lines)
        return
    copy = copy_of(office, tmp_path / "copy")
    (copy / FILE_NAME).unlink()
    with served(copy) as found:
        move_to(till, found.url)
        one = exchange_of(till, lines)
        for why in ("gone", "gone", "unknown"):
            heard = one.once()
            assert heard is not None
            assert heard.why == why
        come_back(till, found, lines)


def come_back(till: Kiosk, office: Served, lines: list[Exchange]) -> None:
    join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    till.quote_and_sell()
    settle(one := exchange_of(till, lines))
    sound(till)
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(till.member_id)
        assert known is not None
    with till.ctx.read() as conn:
        body = head_office.control(conn)
    assert body is not None
    assert bases.CONTROL.unpack(body).acked == len(till.events())
    one.close()


def test_a_line_that_fails_while_a_key_is_offered_keeps_no_sale_waiting(
    till: Kiosk,
    office: Served,
    lines: list[Exchange],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    grow_old(till)
    monkeypatch.setattr(own_key, "AGAIN_S", 300.0)
    ask: Callable[..., bytes] = HeadOffice.ask

    def never(self: HeadOffice, path: str, *args: object, **named: object) -> bytes:
        if path == ROTATE:
            raise NoAnswer("nobody takes keys")
        return ask(self, path, *args, **named)

    monkeypatch.setattr(HeadOffice, "ask", never)
    till.quote_and_sell()
    settle(one)
    with till.ctx.read() as conn:
        body = head_office.control(conn)
    assert body is not None
    assert bases.CONTROL.unpack(body).acked == len(till.events())


def test_without_a_line_an_offer_is_no_answer(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    grow_old(till)

    def nobody(*_: object, **__: object) -> bytes:
        raise NoAnswer("cut")

    monkeypatch.setattr(HeadOffice, "ask", nobody)
    heard = one.once()
    assert heard is not None
    assert heard.why == "gone", "the mark at the counter is that of a till without a line"


def test_an_answer_to_an_old_key_changes_none_of_a_till_that_was_let_in_again(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    grow_old(till)
    settle(one)
    with till.ctx.read() as conn:
        row, own = head_office.head_office(conn), head_office.own_key(conn)
    assert row is not None
    assert own.former is not None
    join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    joined, _ = keys_of(till)
    one._key.answered(row, own.former)
    assert keys_of(till)[0] == joined
    settle(one)


def test_what_a_lost_till_had_signed_by_the_key_before_is_taken_in(
    till: Kiosk, office: Served, lines: list[Exchange], tmp_path: Path
) -> None:
    one = let_in(till, office, lines)
    settle(one)
    carry_outbox(till.ctx, tmp_path / "outbox", everything=True)
    grow_old(till)
    settle(one)
    with opened(office.folder) as (_, directory):
        tills = directory.tills()
    assert checked((tmp_path / "outbox").read_bytes(), tills)[0].device == till.ctx.till.device
    with pytest.raises(NotAnOutbox):
        checked((tmp_path / "outbox").read_bytes(), [tills[0]._replace(former_key=None)])


@pytest.mark.parametrize("told", [True, False])
def test_a_code_of_another_chain_takes_no_till_away(
    till: Kiosk,
    office: Served,
    lines: list[Exchange],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: bool,
) -> None:
    """Nor a place at that chain, where it is told whose the till is; an older one is not."""
    if not told:
        monkeypatch.setattr(joining, "Enrol", lambda *values: Enrol(*values[:5]))
    settle(let_in(till, office, lines))
    before = keys_of(till)
    elsewhere, other = tmp_path / "elsewhere", b"U" * 16
    elsewhere.mkdir()
    begin_chain(elsewhere, tenant=other)
    with served(elsewhere) as found:
        with pytest.raises(RuleRefused) as refused:
            join(till.ctx, found.url, code_for(elsewhere, "North", "till 1", tenant=other))
        with opened(elsewhere, other) as (_, directory):
            assert [each.standing for each in directory.tills()] == ([] if told else ["live"])
    assert refused.value.code is Refusal.ALREADY_JOINED
    assert keys_of(till) == before


def test_a_till_that_was_shut_out_is_not_let_in_by_a_code(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    settle(let_in(till, office, lines))
    with till.ctx.write_rows() as conn:
        body = head_office.control(conn)
        assert body is not None
        control = bases.CONTROL.unpack(body)._replace(revoked=True)
        head_office.put_control(conn, bases.CONTROL.pack(control))
    with pytest.raises(RuleRefused) as refused:
        join(till.ctx, office.url, code_for(office.folder, "North", "till 1"))
    assert refused.value.code is Refusal.TILL_REVOKED
