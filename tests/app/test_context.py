"""`ctx.write`: one transaction for a command, then the files, then done; and what an event may hold."""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlcipher3.dbapi2 import Connection

from app import posting
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.errors import Outage, Refused, Unavailable
from app.journal import Record
from app.protocol.events import chain
from app.queries.counter import quote
from app.usecases.enrol import BirthdayInput, EditProfile, Enrol, ProfileInput, edit_profile, enrol
from app.usecases.keep_cart import CartLine, OpenCart, keep_cart, kept_cart
from app.usecases.return_goods import ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, sell
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify import verify
from app.usecases.void import Void, preview_void, void
from db import errors as db_errors
from db import people, rows, till
from tests.app.kiosk import PASSPHRASE, PIN, Kiosk, sale_command

# One command, one transaction -----------------------------------------------------------------------


def test_every_event_chains_onto_the_one_before_without_a_gap(kiosk: Kiosk) -> None:
    kiosk.busy_morning()
    previous = kiosk.ctx.chain_start()
    for number, record in enumerate(kiosk.events(), 1):
        assert record.seq == number
        assert record.hash == chain(previous, record.body)
        previous = record.hash


def test_an_event_names_its_till_its_shift_and_who_did_it(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    event = kiosk.last_event()
    assert (event.device, event.epoch) == (kiosk.ctx.till.device, 0)
    assert (event.staff_id, event.shift_id) == (kiosk.session.staff_id, kiosk.session.shift_id)
    assert (event.member_id, event.offset_min) == (kiosk.member_id, 480)


def test_a_sale_is_in_both_copies_when_it_is_said_to_be_done(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    assert list(kiosk.ctx.journal.scan().records) == kiosk.events()


def test_commit_then_personal_values_then_journal_file(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other order could leave an event in the file whose values or rows nobody has."""
    order: list[str] = []
    write, profiles, journal = kiosk.ctx.store.write, kiosk.ctx.profiles, kiosk.ctx.journal

    @contextmanager
    def watched() -> Iterator[Connection]:
        with write() as conn:
            yield conn
        order.append("commit")

    monkeypatch.setattr(kiosk.ctx.store, "write", watched)
    monkeypatch.setattr(profiles, "append", lambda seq, cell: order.append("value"))
    monkeypatch.setattr(journal, "append", lambda records, *, day: order.append("event"))
    kiosk.enrol(ProfileInput("Ada Byron"))
    assert order == ["commit", "value", "value", "value", "event"]


def test_two_threads_cannot_bring_the_journal_file_into_another_order(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that committed first is held up before its append; the other one must not overtake it."""
    ctx, append = kiosk.ctx, kiosk.ctx.journal.append
    committed, second_called, second_done = (threading.Event() for _ in range(3))

    def slow(records: list[Record], *, day: str) -> None:
        if not committed.is_set():
            committed.set()
            assert second_called.wait(20)
            second_done.wait(0.5)  # only without a guard does it come so far
        append(records, day=day)

    def second() -> None:
        assert committed.wait(20)
        command = sale_command(ctx, kiosk.session, None, 1200)
        second_called.set()
        sell(ctx, command)
        second_done.set()

    monkeypatch.setattr(ctx.journal, "append", slow)
    other = threading.Thread(target=second)
    other.start()
    kiosk.quote_and_sell()
    other.join()
    assert [record.seq for record in ctx.journal.scan().records] == [
        record.seq for record in kiosk.events()
    ]
    assert verify(ctx).findings == []


def test_a_writer_that_never_gets_its_turn_is_refused(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.context._TURN_S", 0.01)
    with (
        kiosk.ctx.write(kiosk.ctx.ids()),
        pytest.raises(Unavailable) as caught,
        kiosk.ctx.write(kiosk.ctx.ids()),
    ):
        pass
    assert caught.value.code is Outage.STORE_BUSY


def test_what_the_block_raises_rolls_everything_back_and_writes_no_file(kiosk: Kiosk) -> None:
    keep_cart(kiosk.ctx, OpenCart(typed_amount="12"))
    before = (kiosk.events(), kiosk.journal_files()[0].read_bytes())
    with pytest.raises(KeyError):
        _record_then_raise(kiosk)
    assert (kiosk.events(), kiosk.journal_files()[0].read_bytes()) == before
    assert kept_cart(kiosk.ctx) == OpenCart(typed_amount="12")


def _record_then_raise(kiosk: Kiosk) -> None:
    with kiosk.ctx.write(kiosk.ctx.ids()) as tx:
        tx.record(
            posting.SIGN_IN, event_id=kiosk.ctx.ids(), session=kiosk.session,
            business_date=kiosk.ctx.business_date(), doc={},
        )  # fmt: skip
        raise KeyError


def test_a_cart_that_an_older_version_kept_is_offered_again(kiosk: Kiosk) -> None:
    body = '{"member_id":null,"lines":[],"redeem_points":0,"typed_amount":"12","command_id":"ab"}'
    with kiosk.ctx.write_rows() as conn:
        till.save_cart(conn, body, updated_us=1)
    assert kept_cart(kiosk.ctx) == OpenCart(typed_amount="12")


def test_a_refused_sale_leaves_nothing_and_keeps_the_cart(kiosk: Kiosk) -> None:
    cart = OpenCart(kiosk.member_id.hex(), (CartLine(1000),))
    keep_cart(kiosk.ctx, cart)
    events = kiosk.events()
    shown = quote(kiosk.ctx, kiosk.member_id, SaleRequest((LineRequest(900),)))
    request = SaleRequest((LineRequest(1000),))
    command = Sell(
        kiosk.ctx.ids(), kiosk.session, kiosk.member_id, request, Payment("cash", 1000), shown.key
    )
    with pytest.raises(Refused):
        sell(kiosk.ctx, command)
    assert kiosk.events() == events
    assert kept_cart(kiosk.ctx) == cart


def test_the_cart_goes_in_the_transaction_of_its_sale(kiosk: Kiosk) -> None:
    keep_cart(kiosk.ctx, OpenCart(lines=(CartLine(1000),)))
    kiosk.quote_and_sell(1000)
    assert kept_cart(kiosk.ctx) is None


# The same command again ------------------------------------------------------------------------------


def test_a_sale_done_twice_gives_its_first_outcome(kiosk: Kiosk) -> None:
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 36800, redeem=0)
    first = sell(kiosk.ctx, command)
    kiosk.quote_and_sell(500)
    events = kiosk.events()
    second = sell(kiosk.ctx, command)
    assert (first.again, second.again) == (False, True)
    assert second.result == first.result
    assert kiosk.events() == events


def test_a_return_a_void_and_an_enrolment_done_twice_give_their_first_outcome(
    kiosk: Kiosk,
) -> None:
    ctx, session = kiosk.ctx, kiosk.session
    sold = kiosk.quote_and_sell(5000, quantity=3).result
    lines = (ReturnedLine(0, 1),)
    shown = preview_return(ctx, sold.event_id, lines)
    back = ReturnGoods(
        ctx.ids(), session, sold.event_id, lines, "faulty", shown.refund_minor, shown.balance_after
    )
    returned = return_goods(ctx, back)
    undone = preview_void(ctx, returned.result.event_id)[0]
    undo = Void(ctx.ids(), session, returned.result.event_id, "test", undone.balance_after)
    voided = void(ctx, undo)
    enrolment = Enrol(ctx.ids(), session, ProfileInput("Ada Byron"), True)
    enrolled = enrol(ctx, enrolment)
    events = kiosk.events()
    assert return_goods(ctx, back).result == returned.result
    assert void(ctx, undo).result == voided.result
    assert enrol(ctx, enrolment).result == enrolled.result
    assert kiosk.events() == events


def test_the_outcome_is_the_same_after_a_restart(kiosk: Kiosk) -> None:
    command = sale_command(kiosk.ctx, kiosk.session, kiosk.member_id, 36800)
    first = sell(kiosk.ctx, command)
    kiosk.reopen()
    assert sell(kiosk.ctx, command).result == first.result


# The files fail --------------------------------------------------------------------------------------


def test_a_journal_folder_that_is_gone_warns_then_stops_selling_then_mends(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    """As a second volume that was pulled: the open handle goes first, at the next day's file."""
    kiosk.ctx.journal.close()
    kiosk.ctx.journal.folder = tmp_path / "volume" / "journal"
    tmp_path.joinpath("volume").write_text("not a folder")
    done = kiosk.quote_and_sell()
    assert done.warning == Outage.JOURNAL_FILE_FAILED
    assert kiosk.ctx.journal_problem != ""
    with pytest.raises(Unavailable) as caught:
        kiosk.quote_and_sell()
    assert caught.value.code is Outage.JOURNAL_FILE_FAILED
    assert kiosk.events()[-1].seq == done.result.seq
    tmp_path.joinpath("volume").unlink()
    assert kiosk.quote_and_sell().warning == ""
    assert list(kiosk.ctx.journal.scan().records) == kiosk.events()


# Insert only -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["event", "ledger"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {}"])
def test_journal_and_ledger_are_insert_only(kiosk: Kiosk, table: str, statement: str) -> None:
    kiosk.quote_and_sell()
    with (
        pytest.raises(db_errors.ConstraintBroken, match="insert only"),
        kiosk.ctx.store.write() as conn,
    ):
        conn.execute(statement.format(table))


def test_a_published_programme_cannot_be_changed(kiosk: Kiosk) -> None:
    with (
        pytest.raises(db_errors.ConstraintBroken, match="immutable"),
        kiosk.ctx.store.write() as conn,
    ):
        conn.execute("UPDATE programme SET body = '{}'")


# Nothing personal --------------------------------------------------------------------------------------

CANARIES = {
    "name": "顾清漪",
    "pinyin": "gu qing yi",
    "Latin name": "Quillfeather",
    "phone": "13987654321",
    "end of the phone": "87654321",
    "e-mail": "canary@quill.example",
    "note": "walnut-allergy",
    "alert": "owes-a-cake",
}
SECRETS = {"PIN": PIN, "passphrase": PASSPHRASE}


def spellings(text: str) -> Iterator[bytes]:
    """The bytes that a text leaves behind in the encodings that logs, dumps and documents use."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        plain = text.encode(encoding)
        yield plain
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        for shift in range(3):
            # In base64 of a longer text the letters at both ends depend on the neighbours.
            coded = base64.b64encode(bytes(shift) + plain)
            yield coded[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]
    yield text.encode("unicode_escape")


def hits(blob: bytes, texts: dict[str, str]) -> set[str]:
    return {
        what
        for what, text in texts.items()
        if any(len(spelling) > 5 and spelling in blob for spelling in spellings(text))
    }


@pytest.fixture
def lived(kiosk: Kiosk) -> Iterator[tuple[Kiosk, dict[str, str]]]:
    """A member of canaries who was enrolled, edited, sold to, refunded and found again after a crash."""
    handler = logging.FileHandler(kiosk.folder / "everything.log", encoding="utf-8")
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    profile = ProfileInput(
        CANARIES["name"], CANARIES["phone"], CANARIES["e-mail"], BirthdayInput("solar", 3, 7, 1991),
        CANARIES["note"], CANARIES["alert"],
    )  # fmt: skip
    ctx = kiosk.ctx
    member = kiosk.enrol(profile).result
    edited = ProfileInput(CANARIES["Latin name"], CANARIES["phone"], note=CANARIES["note"])
    edit_profile(
        ctx, EditProfile(ctx.ids(), kiosk.session, member.member_id, 1, edited, True, True)
    )
    with pytest.raises(Refused):
        sign_in(ctx, SignIn(ctx.ids(), "lx", "246802"))
    sign_in(ctx, SignIn(ctx.ids(), "lx", PIN))
    sold = sell(ctx, sale_command(ctx, kiosk.session, member.member_id, 36800)).result
    kiosk.take_back(sold.event_id)
    kiosk.crash()
    kiosk.log.unlink()
    kiosk.open()
    yield kiosk, {**CANARIES, **SECRETS, "card": member.card_no}
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


def test_no_event_holds_anything_personal(lived: tuple[Kiosk, dict[str, str]]) -> None:
    kiosk, texts = lived
    for record in kiosk.events():
        assert hits(record.body, texts) == set(), record.seq


def test_no_file_of_the_store_shows_anything_personal(
    lived: tuple[Kiosk, dict[str, str]],
) -> None:
    kiosk, texts = lived
    names = set()
    for path in kiosk.folder.rglob("*"):
        if path.is_file():
            names.add(path.name)
            assert hits(path.read_bytes(), texts) == set(), path.name
    assert {"regulars.db", "regulars.db-wal", "profiles.rpf", "everything.log"} <= names


def test_the_sealed_profile_file_does_hold_them(lived: tuple[Kiosk, dict[str, str]]) -> None:
    """What the two tests above look for is there to be found: behind the seal, and in the rows."""
    kiosk, texts = lived
    cells = b"".join(cell for _, cell in kiosk.ctx.profiles.cells())
    assert hits(cells, texts) == set(texts) - set(SECRETS)
    with kiosk.ctx.read() as conn:
        (member_id,) = people.members_of_phone(conn, f"+86{CANARIES['phone']}")
        profile = people.profile(conn, member_id)
    assert profile is not None
    assert profile.name == CANARIES["Latin name"]


@pytest.mark.parametrize("what", CANARIES)
def test_a_canary_is_found_in_every_spelling(what: str) -> None:
    text = CANARIES[what]
    for around in (b"", b"x", b"xy", b"xyz"):
        for encoding in ("utf-8", "utf-16-le", "gb18030"):
            plain = around + text.encode(encoding) + b"tail"
            for blob in (plain, plain.hex().encode(), base64.b64encode(plain)):
                assert hits(b"\0\1" + blob + b"\2", CANARIES) >= {what}


def test_the_log_tells_what_was_mended_and_with_ids_only(
    lived: tuple[Kiosk, dict[str, str]],
) -> None:
    kiosk, _ = lived
    text = (kiosk.folder / "everything.log").read_text(encoding="utf-8")
    assert re.search(r"start: events_replayed \{'count': \d+, 'first': \d+\}", text)


def test_a_document_row_belongs_to_each_sale(kiosk: Kiosk) -> None:
    sold = kiosk.quote_and_sell().result
    with kiosk.ctx.read() as conn:
        row = rows.document_by_receipt(conn, sold.receipt_no)
    assert row is not None
    assert (row.event_id, row.total_minor) == (sold.event_id, sold.to_pay_minor)
