"""How a till gets in by a one-time code, changes its key, and who does not get in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.protocol import endpoints, wire
from app.protocol.endpoints import Enrol, Enrolled, Problem
from app.protocol.server import Server
from headoffice.http import RATES
from headoffice.letting_in import CODE_GOOD_MS, TRIES_MOST
from tests.headoffice.api_office import system
from tests.headoffice.http_office import (
    TENANT,
    Heard,
    HttpTill,
    Served,
    begin_chain,
    code_for,
    opened,
    served,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("each_store")

OFTEN = RATES._replace(enrol_per_s=1000, enrol_burst=1000)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path, rates=OFTEN) as at:
        yield at


def code_of(response: Heard) -> str:
    """The problem's code: who is not in yet knows no key to check it with."""
    return endpoints.message_of(response.content, Problem).code


def enrolled(response: Heard) -> Enrolled:
    assert response.status == 200, response.content
    return endpoints.message_of(response.content, Enrolled)


def other_than(code: str, at: int) -> str:
    """The code with another letter at a place."""
    return code[:at] + ("0" if code[at] != "0" else "1") + code[at + 1 :]


def test_a_till_hears_its_chain_its_store_its_name_and_the_key_of_head_office(
    chain: Served,
) -> None:
    till = chain.stranger()
    answer = till.enrol(code_for(chain.folder, "South", "till 2").lower())
    assert (answer.tenant, answer.chain, answer.store, answer.till) == (
        TENANT, "Chain T", "South", "till 2",
    )  # fmt: skip
    assert (answer.home, answer.buckets, answer.epoch) == ("all", ("all", "reference"), 1)
    assert answer.server_key == chain.office.key.public
    till.sync()


def test_the_same_till_hears_the_answer_again_and_nobody_else(chain: Served) -> None:
    code = code_for(chain.folder, "North", "till 1")
    till, other = chain.stranger(1), chain.stranger(2)
    first = till.enrol(code)
    again = enrolled(till.ask_in(code))
    assert (again.tenant, again.till, again.server_key) == (
        first.tenant,
        first.till,
        first.server_key,
    )
    assert code_of(other.ask_in(code)) == "code"
    with opened(chain.folder) as (store, _), store.reading():
        assert [device.id for device in store.devices()] == [till.device]


@pytest.mark.parametrize("at", [0, 3, 4, 7])
def test_one_wrong_letter_lets_nobody_in(chain: Served, at: int) -> None:
    till = chain.stranger()
    code = code_for(chain.folder, "North", "till 1")
    assert code_of(till.ask_in(other_than(code, at))) == "code"
    assert code_of(till.ask_in("short")) == "code"
    till.enrol(code)


def test_a_code_is_dead_after_five_wrong_second_halves(chain: Served) -> None:
    till = chain.stranger()
    code = code_for(chain.folder, "North", "till 1")
    for _ in range(TRIES_MOST - 1):
        assert code_of(till.ask_in(other_than(code, 7))) == "code"
    kept = code_for(chain.folder, "North", "till 1")
    for _ in range(TRIES_MOST):
        assert code_of(till.ask_in(other_than(kept, 7))) == "code"
    assert code_of(till.ask_in(kept)) == "code"
    till.enrol(code)


def test_a_code_is_good_for_ten_minutes(chain: Served) -> None:
    till = chain.stranger()
    code = code_for(chain.folder, "North", "till 1")
    chain.clock.moved_ms = CODE_GOOD_MS
    assert code_of(till.ask_in(code)) == "code"
    chain.clock.moved_ms = CODE_GOOD_MS - 60_000
    till.enrol(code)


def test_whoever_does_not_hold_the_key_is_not_let_in(chain: Served) -> None:
    till = chain.stranger()
    code = code_for(chain.folder, "North", "till 1")
    foreign = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for key in (foreign, b"", b"\xff" * 32):
        rid = till.rng.randbytes(16)
        body = endpoints.to_bytes(Enrol(rid, till.device, code, key))
        assert code_of(till.post(endpoints.ENROL, body, rid)) == "bad_signature"
    till.enrol(code)


def test_a_place_with_a_live_till_is_free_only_once_that_is_revoked(chain: Served) -> None:
    old, new = chain.till(1), chain.stranger(2)
    code = code_for(chain.folder, "North", "till 1")
    assert code_of(new.ask_in(code)) == "slot_taken"
    with opened(chain.folder) as (store, directory), store.writing():
        Server(store, directory.chains()[0].limits).write_off(old.device)
    wait_for(lambda: standing(chain, old) == "lost")
    new.enrol(code)
    assert code_of(old.ask_in(code_for(chain.folder, "South", "till 9"))) == "device_taken"


def test_a_code_of_another_place_does_not_let_anybody_be_a_till_that_is_known(
    chain: Served,
) -> None:
    till, thief = chain.till(1), chain.stranger(9)
    thief.device = till.device
    assert code_of(thief.ask_in(code_for(chain.folder, "South", "till 9"))) == "device_taken"
    assert code_of(till.ask_in(code_for(chain.folder, "South", "till 1"))) == "device_taken"
    with opened(chain.folder) as (_, directory):
        (kept,) = directory.tills()
    assert (kept.name, kept.public_key) == ("till 1", till.key.public_key().public_bytes_raw())
    till.earn()
    till.sync()


def test_a_live_till_comes_with_another_key_only_by_a_code_that_was_made_while_it_stood_there(
    chain: Served,
) -> None:
    before, second = (code_for(chain.folder, "North", "till 1") for _ in range(2))
    till, thief = chain.stranger(1), chain.stranger(9)
    till.enrol(before)
    thief.device = till.device
    assert code_of(thief.ask_in(second)) == "device_taken"
    till.exchange()
    till.key = Ed25519PrivateKey.generate()
    code = code_for(chain.folder, "North", "till 1")
    till.enrol(code)
    till.sync()
    assert code_of(thief.ask_in(code)) == "code"
    old, new = till.key, Ed25519PrivateKey.generate()
    till.rotate(new)
    till.key = new
    till.exchange()
    till.key = old
    assert code_of(till.ask_in(code)) == "device_taken"


def test_the_open_apis_own_device_is_nobodys_to_be(chain: Served) -> None:
    with system(chain):
        (key,) = chain.office.api_keys.values()
        thief = chain.stranger(9)
        thief.device = key.device
        assert code_of(thief.ask_in(code_for(chain.folder, "South", "till 9"))) == "device_taken"
        assert chain.office.till(key.device) is None


def standing(chain: Served, till: HttpTill) -> str:
    known = chain.office.till(till.device)
    return "" if known is None else known.standing


def test_a_device_of_another_chain_is_not_taken(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    begin_chain(tmp_path, tenant=b"U" * 16)
    with served(tmp_path, rates=OFTEN) as chain:
        till = chain.till()
        assert (
            code_of(till.ask_in(code_for(tmp_path, "North", "x", tenant=b"U" * 16)))
            == "device_taken"
        )


def test_a_till_that_was_locked_is_let_in_again_by_a_new_code_and_a_new_key(chain: Served) -> None:
    till = chain.till(1)
    till.earn()
    till.sync()
    for _ in range(4):
        till.at.till.start(till.rng, behind=True)
        request = till.ask()
        response = till.send(request)
        if response.status == 403:
            break
        till.hear(wire.reply_of(response.content))
        till.sync()
    assert standing(chain, till) == "locked"
    assert till.send(till.ask()).status == 403
    till.key = Ed25519PrivateKey.generate()
    code = code_for(chain.folder, "North", "till 1")
    assert enrolled(till.ask_in(code)).epoch == till.at.store.control().epoch
    wait_for(lambda: standing(chain, till) == "live")
    till.exchange()
    till.sync()


def test_a_till_that_a_restored_store_does_not_know_has_yet_to_tell_what_it_had(
    chain: Served,
) -> None:
    till = chain.stranger()
    answer = enrolled(till.ask_in(code_for(chain.folder, "North", "till 1"), timeline=77))
    with opened(chain.folder) as (store, _), store.reading():
        device = store.device(till.device)
    assert device is not None
    assert (device.reported, answer.timeline) == (0, store_timeline(chain))


def store_timeline(chain: Served) -> int:
    with opened(chain.folder) as (store, _), store.reading():
        return store.tenant().timeline


def test_five_tries_a_minute_from_one_address(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as chain:
        till = chain.stranger()
        assert [till.ask_in("0000-0000").status for _ in range(5)] == [403] * 5
        response = till.ask_in("0000-0000")
        assert (response.status, code_of(response)) == (429, "too_many")
        assert 1 <= int(response.headers["retry-after"]) <= 13


# Keys -------------------------------------------------------------------------------------------


def test_a_till_changes_its_key_and_the_old_one_is_good_until_the_new_one_signs(
    chain: Served,
) -> None:
    till = chain.till()
    till.earn()
    till.sync()
    old, new = till.key, Ed25519PrivateKey.generate()
    till.rotate(new)
    till.exchange()
    till.rotate(new)
    till.key = new
    till.exchange()
    till.key = old
    request = till.ask()
    assert till.problem(till.send(request), request.rid) == "bad_signature"
    till.key = new
    till.exchange()
    with opened(chain.folder) as (_, directory):
        kept = directory.tills()[0]
    assert (kept.public_key, kept.next_key) == (new.public_key().public_bytes_raw(), None)


def test_a_new_key_that_did_not_sign_is_not_taken(chain: Served) -> None:
    till = chain.till()
    key, thief = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    rid, public = till.rng.randbytes(16), key.public_key().public_bytes_raw()
    proof = thief.sign(endpoints.rotation(till.device, public))
    body = endpoints.to_bytes(endpoints.Rotate(rid, till.device, public, proof))
    assert till.problem(till.post(endpoints.ROTATE, body, rid), rid) == "bad_signature"
    by_thief = till.post(endpoints.ROTATE, body, rid, key=thief)
    assert till.problem(by_thief, rid) == "bad_signature"
