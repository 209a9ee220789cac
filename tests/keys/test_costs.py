"""What a guess costs in the shop; everywhere else in the tests it is cheap (tests/costs.py)."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2.low_level import Type

from app.keyslots.document import Kdf, read_copies
from app.usecases import sign_in
from tests.costs import full
from tests.keys.conftest import PASSPHRASE, Clock, FakeKeystore, make_slots


def test_a_pin_costs_64_mib_and_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    paid: list[dict[str, object]] = []

    def counted(secret: bytes, salt: bytes, **costs: object) -> bytes:
        paid.append(costs)
        return bytes(32)

    full(monkeypatch)
    monkeypatch.setattr(sign_in, "hash_secret_raw", counted)
    sign_in.verifier(bytes(32), bytes(16), "135790")
    assert paid == [
        {"time_cost": 1, "memory_cost": 65536, "parallelism": 1, "hash_len": 32, "type": Type.ID}
    ]


def test_a_passphrase_costs_what_this_machine_was_found_to_need(
    tmp_path: Path, keystore: FakeKeystore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Kdf(64 * 1024, 11, 2, bytes(range(16)))
    monkeypatch.setattr("app.keyslots.envelope.calibrated", lambda: found)
    slots = make_slots(tmp_path, keystore, clock)
    slots.create(tenant="demo", store="main", till="1", passphrase=PASSPHRASE)
    assert [each.passphrase.kdf for each in read_copies(tmp_path)] == [found]
