"""A kiosk: one till over a real encrypted store, driven without a window.

A store is made once and copied for each test. Only the clock, the key store and the cost of argon2id are
the tests' own; everything else is what the product opens.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from app import posting, settings
from app.build import DATABASE, JOURNAL, PROFILES, NewStaff, NewStore, Till, create_store, open_till
from app.context import Context, Session
from app.domain.documents import LineRequest, ReturnedLine, SaleRequest
from app.domain.drawer import face_values
from app.journal import Record
from app.protocol.events import Event
from app.queries.counter import quote
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.count import CountDrawer, count_drawer, shift_sums
from app.usecases.done import Done
from app.usecases.enrol import BirthdayInput, Enrol, Enrolled, ProfileInput, enrol
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.return_goods import Returned, ReturnGoods, preview_return, return_goods
from app.usecases.sell import Payment, Sell, Sold, sell
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.void import Void, Voided, preview_void, void
from db import rows, till
from tests.costs import lower
from tests.fakes import ZONE_MIN, SteppedClock, demo_programme
from tests.keys.conftest import FakeKeystore

PASSPHRASE: Final = "green kettle 老板 on tuesday"
PIN: Final = "135790"
OPENING: Final = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
"""Ten in the morning in the shop, which lies eight hours east."""
OFFSET_MIN: Final = ZONE_MIN
Clock: TypeAlias = SteppedClock


@dataclass(frozen=True, slots=True)
class Template:
    """A closed store with one open shift and one member, and the key store that opens it."""

    folder: Path
    keystore: FakeKeystore
    session: Session
    member_id: bytes

    def copy_to(self, folder: Path) -> Path:
        """The same store somewhere else, for one test to ruin."""
        return Path(shutil.copytree(self.folder, folder))


@dataclass(slots=True)
class Kiosk:
    """The open till of a copied store, with what a cashier does there."""

    folder: Path
    template: Template
    clock: Clock = field(default_factory=lambda: Clock(OPENING + timedelta(hours=1)))
    till: Till = field(init=False)
    running: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.open()

    @property
    def ctx(self) -> Context:
        return self.till.context

    @property
    def session(self) -> Session:
        return self.template.session

    @property
    def member_id(self) -> bytes:
        return self.template.member_id

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def log(self) -> Path:
        """The database's write-ahead log."""
        return self.folder / f"{DATABASE}-wal"

    @property
    def profiles(self) -> Path:
        return self.folder / PROFILES

    def open(self) -> Till:
        """Start the till as the product does, unattended."""
        self.till = open_store(self.folder, self.template, self.clock)
        self.running = True
        return self.till

    def close(self) -> None:
        """Close in order, unless it is over already."""
        if self.running:
            self.running = False
            self.till.close()

    def crash(self) -> None:
        """Let the process end here: nothing is closed, the folder stays as it is.

        The connections must go, and their last close would empty the log into the file, so the
        files are put back as they were.
        """
        kept = {path: path.read_bytes() for path in (self.database, self.log) if path.exists()}
        self.close()
        for path, content in kept.items():
            path.write_bytes(content)

    def reopen(self) -> Till:
        """Close in order and start again."""
        self.close()
        return self.open()

    def quote_and_sell(
        self,
        minor: int = 36800,
        *,
        quantity: int = 1,
        redeem: int = 0,
        member: bool = True,
        command_id: bytes | None = None,
    ) -> Done[Sold]:
        """One cash sale of one line."""
        member_id = self.member_id if member else None
        command = sale_command(
            self.ctx, self.session, member_id, minor,
            quantity=quantity, redeem=redeem, command_id=command_id,
        )  # fmt: skip
        return sell(self.ctx, command)

    def take_back(self, sale_id: bytes, quantity: int = 1) -> Done[Returned]:
        """Return units of a sale's first line."""
        lines = (ReturnedLine(0, quantity),)
        shown = preview_return(self.ctx, sale_id, lines)
        command = ReturnGoods(
            self.ctx.ids(), self.session, sale_id, lines, "faulty",
            shown.refund_minor, shown.balance_after,
        )  # fmt: skip
        return return_goods(self.ctx, command)

    def undo(self, event_id: bytes) -> Done[Voided]:
        """Void a document of this shift."""
        shown = preview_void(self.ctx, event_id)[0]
        return void(
            self.ctx, Void(self.ctx.ids(), self.session, event_id, "test", shown.balance_after)
        )

    def end_shift(self) -> None:
        """Count the drawer as it should be, to the smallest coin, and close the shift."""
        ctx = self.ctx
        with ctx.read() as conn:
            shift = till.open_shift(conn)
            assert shift is not None
            left = shift_sums(conn, shift.id).expected_minor
        counted = []
        for value in face_values(ctx.till.currency.code):
            pieces, left = divmod(left, value)
            counted.append((value, pieces))
        count_drawer(ctx, CountDrawer(ctx.ids(), self.session, shift.id, tuple(counted)))
        close_shift(ctx, CloseShift(ctx.ids(), self.session, shift.id, "unknown" if left else ""))

    def enrol(self, profile: ProfileInput) -> Done[Enrolled]:
        """A new member with consent to the service."""
        return enrol(self.ctx, Enrol(self.ctx.ids(), self.session, profile, True))

    def busy_morning(self) -> None:
        """Something of everything: sales, a redemption, returns, voids, an enrolment."""
        first = self.quote_and_sell(5000, quantity=3).result
        self.take_back(first.event_id)
        back = self.take_back(first.event_id).result
        self.undo(back.event_id)
        self.quote_and_sell(member=False)
        for _ in range(3):
            self.quote_and_sell()
        spent = self.quote_and_sell(redeem=200).result
        assert spent.document.points_spent == 200
        self.undo(self.quote_and_sell(1200).result.event_id)
        self.enrol(ProfileInput("Ada Byron", "13900001234"))

    def events(self) -> list[Record]:
        """The journal as the database has it."""
        return events_of(self.ctx)

    def last_event(self) -> Event:
        """What happened last."""
        with self.ctx.read() as conn:
            head = rows.head(conn)
            row = rows.event_by_seq(conn, head[0]) if head else None
        assert row is not None
        return posting.event_of(row)

    def journal_files(self) -> list[Path]:
        return sorted((self.folder / JOURNAL).glob("*.rjl"))


def events_of(ctx: Context) -> list[Record]:
    """(seq, bytes, hash) of every event in the database."""
    with ctx.read() as conn:
        return [Record(row.seq, row.body, row.hash) for row in rows.events_after(conn, 0)]


def open_store(folder: Path, template: Template, clock: Clock) -> Till:
    """The product's own start, with the key store and clock of the tests."""
    return open_till(
        folder, find_keystore=template.keystore, clock=clock, offset_min=lambda: OFFSET_MIN
    )


def sale_command(
    ctx: Context,
    session: Session,
    member_id: bytes | None,
    minor: int,
    *,
    quantity: int = 1,
    redeem: int = 0,
    command_id: bytes | None = None,
) -> Sell:
    """A charge as the pay sheet makes it: with the quote that is shown now, paid exactly in cash."""

    request = SaleRequest((LineRequest(minor, quantity, name="茶"),), redeem)
    shown = quote(ctx, member_id, request)
    payment = Payment("cash", shown.key.to_pay_minor)
    return Sell(command_id or ctx.ids(), session, member_id, request, payment, shown.key)


def print_to(folder: Path, paper: Path) -> None:
    """Give a closed store a printer that puts each slip into a file of its own in `paper`."""
    paper.mkdir()
    chosen = settings.load(folder)
    printer = replace(chosen.receipt, printer=f"file://{paper}/")
    settings.save(folder, replace(chosen, receipt=printer))


def make_template(folder: Path, code: str = "01") -> Template:
    """Make the store of a till, sign in, open a shift, enrol a member, close. Another till has other cards."""
    keystore = FakeKeystore()
    new = NewStore(
        store="S1", till=code, programme=demo_programme(),
        staff=[NewStaff("lx", "林晓", "cashier", PIN)],
        card_prefix="8800", card_first=1 if code == "01" else int(code) * 1000,
    )  # fmt: skip
    clock = Clock()
    till = create_store(
        folder, new, passphrase=PASSPHRASE, find_keystore=keystore, clock=clock,
        offset_min=lambda: OFFSET_MIN,
    )  # fmt: skip
    ctx = till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "lx", PIN)).result
    session = open_shift(ctx, OpenShift(ctx.ids(), session, 50000)).result
    profile = ProfileInput("陈思远", "13800006621", birthday=BirthdayInput("lunar", 8, 15, 1990))
    member = enrol(ctx, Enrol(ctx.ids(), session, profile, True)).result
    till.close()
    return Template(folder, keystore, session, member.member_id)


@pytest.fixture(scope="session")
def made_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The store that every test copies."""
    return _made_cheaply(tmp_path_factory.mktemp("kiosk"), "01")


def _made_cheaply(base: Path, code: str) -> Template:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(base / "machine"))
        lower(patch)
        return make_template(base / f"store{code}", code)


_OTHERS: Final[dict[tuple[Path, str], Template]] = {}


def other_till(first: Template, folder: Path, code: str = "02") -> Kiosk:
    """Another open till of the shop, on the computer of the first one; its store is made once for all tests."""
    base = first.folder.parent
    if (base, code) not in _OTHERS:
        _OTHERS[base, code] = _made_cheaply(base, code)
    made = _OTHERS[base, code]
    return Kiosk(made.copy_to(folder), made)


@pytest.fixture
def template(
    made_template: Template, _own_machine_folder: None, monkeypatch: pytest.MonkeyPatch
) -> Template:
    """The made store, on the computer that it was made on."""
    monkeypatch.setenv("REGULARS_MACHINE", str(made_template.folder.with_name("machine")))
    return made_template


@pytest.fixture
def kiosk(template: Template, tmp_path: Path) -> Iterator[Kiosk]:
    """An open till of its own."""
    kiosk = Kiosk(template.copy_to(tmp_path / "store"), template)
    yield kiosk
    kiosk.close()
