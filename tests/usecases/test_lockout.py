"""S2: wrong PINs, across restarts and clock jumps; who works here can't be told from the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from argon2.low_level import hash_secret_raw

from app.domain.errors import Refusal, Refused
from app.lockout import Lockout
from app.usecases.approve import Approve, approve
from app.usecases.sign_in import WAIT_S, SignIn, sign_in
from db import rows, staff_rows
from tests.fakes import PINS
from tests.usecases.counter import Counter
from tests.usecases.test_rights import redeeming

WRONG = "111222"


@dataclass
class Monotonic:
    """Seconds since the machine started."""

    now: float = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _quick(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a PIN costs is measured below; here fifty of them are tried.
    monkeypatch.setattr("app.usecases.sign_in.verifier", lambda key, salt, pin: pin.encode())
    with counter.ctx.write_rows() as conn:
        for who, pin in PINS.items():
            conn.execute("UPDATE staff SET pin_hash = ? WHERE initials = ?", (pin.encode(), who))


@pytest.fixture
def seconds(counter: Counter) -> Monotonic:
    """The monotonic clock of the running till."""
    clock = Monotonic()
    counter.ctx.lockout = Lockout(clock)
    return clock


def attempt(counter: Counter, pin: str, who: str = "lx") -> Refusal | None:
    try:
        sign_in(counter.ctx, SignIn(counter.ctx.ids(), who, pin))
    except Refused as refused:
        return refused.code
    return None


def restart(counter: Counter) -> Monotonic:
    """The program starts again; a monotonic clock begins anywhere."""
    counter.shop.reopen()
    clock = Monotonic(3.0)
    counter.ctx.lockout = Lockout(clock)
    return clock


def lock(counter: Counter, who: str = "lx") -> None:
    for _ in range(4):
        assert attempt(counter, WRONG, who) is Refusal.PIN_WRONG
    assert attempt(counter, WRONG, who) is Refusal.PIN_LOCKED


def test_five_wrong_pins_take_five_minutes_of_waiting(counter: Counter, seconds: Monotonic) -> None:
    lock(counter)
    seconds.now += WAIT_S - 1
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    seconds.now += 1
    assert attempt(counter, PINS["lx"]) is None


def test_the_tries_left_are_said(counter: Counter, seconds: Monotonic) -> None:
    for left in (4, 3, 2, 1):
        with pytest.raises(Refused) as refused:
            sign_in(counter.ctx, SignIn(counter.ctx.ids(), "lx", WRONG))
        assert refused.value.facts == {"left": left}
    del seconds


def test_the_wait_begins_with_the_fifth_wrong_pin_however_late_it_comes(
    counter: Counter, seconds: Monotonic
) -> None:
    for _ in range(4):
        assert attempt(counter, WRONG) is Refusal.PIN_WRONG
    seconds.now += 10 * WAIT_S
    assert attempt(counter, WRONG) is Refusal.PIN_LOCKED
    seconds.now += WAIT_S - 0.5
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    seconds.now += 1
    assert attempt(counter, PINS["lx"]) is None


def test_asking_meanwhile_does_not_shorten_the_wait(counter: Counter, seconds: Monotonic) -> None:
    lock(counter)
    for passed in (60, 60, 60, 60, 59):
        seconds.now += passed
        assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    seconds.now += 1
    assert attempt(counter, PINS["lx"]) is None


def test_a_cashier_who_signs_in_lets_nobody_in_again(counter: Counter, seconds: Monotonic) -> None:
    with counter.ctx.write_rows() as conn:
        conn.execute("UPDATE staff SET role = 'cashier' WHERE initials = 'wm'")
    lock(counter)
    assert attempt(counter, PINS["wm"], "wm") is None
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    del seconds


@pytest.mark.parametrize("jump", [{"days": 400}, {"days": -400}], ids=["ahead", "back"])
def test_a_jump_of_the_clock_frees_nobody(
    counter: Counter, seconds: Monotonic, jump: dict[str, int]
) -> None:
    lock(counter)
    counter.shop.clock.step(**jump)
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    seconds.now += WAIT_S
    assert attempt(counter, PINS["lx"]) is None


def test_a_restart_never_shortens_the_wait_and_goes_on_where_it_was(
    counter: Counter, seconds: Monotonic
) -> None:
    lock(counter)
    seconds.now += 200
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    again = restart(counter)
    again.now += 99
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    for _ in range(5):
        again = restart(counter)
        assert attempt(counter, PINS["lx"]) is Refusal.PIN_LOCKED
    again.now += 1
    assert attempt(counter, PINS["lx"]) is None


def test_a_restart_does_not_forget_how_many_were_wrong(
    counter: Counter, seconds: Monotonic
) -> None:
    for _ in range(4):
        attempt(counter, WRONG)
    restart(counter)
    assert attempt(counter, WRONG) is Refusal.PIN_LOCKED
    del seconds


def test_ten_wrong_pins_shut_out_until_a_supervisor_signs_in(
    counter: Counter, seconds: Monotonic
) -> None:
    lock(counter)
    seconds.now += WAIT_S
    for _ in range(4):
        assert attempt(counter, WRONG) is Refusal.PIN_WRONG
    assert attempt(counter, WRONG) is Refusal.PIN_BLOCKED
    seconds.now += 10**7
    counter.shop.clock.step(days=3)
    restart(counter)
    assert attempt(counter, PINS["lx"]) is Refusal.PIN_BLOCKED
    assert attempt(counter, PINS["wm"], "wm") is None
    assert attempt(counter, PINS["lx"]) is None


def test_a_thousand_guesses_over_restarts_and_jumps_are_ten_tries(
    counter: Counter, seconds: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def counting(key: bytes, salt: bytes, pin: str) -> bytes:
        tried.append(pin)
        return b"never"

    monkeypatch.setattr("app.usecases.sign_in.verifier", counting)
    for turn in range(1000):
        attempt(counter, f"{turn:06d}")
        if turn % 100 == 50:
            counter.shop.clock.step(days=(-1) ** turn)
        if turn % 250 == 249:
            seconds = restart(counter)
        seconds.now += 30
    assert len(tried) <= 10


def test_a_right_pin_forgets_the_wrong_ones_before(counter: Counter, seconds: Monotonic) -> None:
    for _ in range(4):
        attempt(counter, WRONG)
    assert attempt(counter, PINS["lx"]) is None
    assert attempt(counter, WRONG) is Refusal.PIN_WRONG
    del seconds


def test_a_wrong_pin_of_a_second_person_counts_like_any_other(
    counter: Counter, seconds: Monotonic
) -> None:
    ask, _ = redeeming(counter)
    for _ in range(5):
        with pytest.raises(Refused) as refused:
            approve(counter.ctx, Approve(ask, "wm", WRONG))
    assert refused.value.code is Refusal.PIN_LOCKED
    assert attempt(counter, PINS["wm"], "wm") is Refusal.PIN_LOCKED
    del seconds


def test_a_lock_is_in_the_journal(counter: Counter, seconds: Monotonic) -> None:
    lock(counter)
    with counter.ctx.read() as conn:
        head = rows.head(conn)
        assert head is not None
        event = rows.event_by_seq(conn, head[0])
        person = staff_rows.staff_by_initials(conn, "lx")
    assert event is not None
    assert person is not None
    assert event.kind == "pin_locked"
    assert f'"failures":5,"staff":"{person.id.hex()}"'.encode() in event.body
    del seconds


def test_an_unknown_person_is_refused_like_a_known_one(counter: Counter) -> None:
    for who in ("zz", "lx"):
        with pytest.raises(Refused) as refused:
            sign_in(counter.ctx, SignIn(counter.ctx.ids(), who, WRONG))
        assert (refused.value.code, refused.value.facts) == (Refusal.PIN_WRONG, {"left": 4})


def test_the_answer_takes_the_same_work_for_an_unknown_person(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No early way out: the one costly step is made as often, and at the same cost."""
    monkeypatch.undo()  # the real verifier
    work: list[dict[str, object]] = []

    def counted(*given: Any, **costs: Any) -> bytes:
        work.append({name: cost for name, cost in costs.items() if name != "salt"})
        return hash_secret_raw(*given, **costs)

    monkeypatch.setattr("app.usecases.sign_in.hash_secret_raw", counted)
    done: dict[str, list[dict[str, object]]] = {}
    for who in ("zz", "lx"):
        with pytest.raises(Refused):
            sign_in(counter.ctx, SignIn(counter.ctx.ids(), who, WRONG))
        done[who] = work.copy()
        work.clear()
    assert done["zz"] == done["lx"]
    assert len(done["zz"]) == 1


def test_a_badge_is_never_enough(counter: Counter) -> None:
    ask, again = redeeming(counter)
    for pin in ("", "B100001"):
        with pytest.raises(Refused) as refused:
            approve(counter.ctx, Approve(ask, "wm", pin))
        assert refused.value.code is Refusal.PIN_WRONG
    with pytest.raises(Refused):
        again()
