"""What a guess at a password of the console costs; everywhere else in the tests it is cheap (conftest)."""

from __future__ import annotations

import pytest
from argon2 import Parameters, PasswordHasher, Type, extract_parameters

from headoffice.console import staff
from headoffice.console.staff import Person
from tests.headoffice.conftest import PASSWORD_HASHER

OF_THE_SHOP = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32,
    time_cost=3, memory_cost=65536, parallelism=1,
)  # fmt: skip


def test_a_password_costs_64_mib_and_three_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "_HASHER", PASSWORD_HASHER)
    assert extract_parameters(staff.verifier_of("riverside tram 77 lamp")) == OF_THE_SHOP
    assert extract_parameters(staff.nobodys()) == OF_THE_SHOP


def test_somebody_and_nobody_take_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Parameters] = []
    real = PasswordHasher(2, 128, 2)

    class Counting:
        memory_cost, time_cost, parallelism = 128, 2, 2

        def verify(self, kept: str, password: str) -> bool:
            checked.append(extract_parameters(kept))
            return real.verify(kept, password)

    monkeypatch.setattr(staff, "_HASHER", Counting())
    anna = Person(bytes(16), "AN", "auditor", real.hash("riverside tram 77 lamp"))
    assert not staff.fits(anna, "quite another lamp 88")
    assert not staff.fits(None, "quite another lamp 88")
    assert len(checked) == 2
    assert checked[0] == checked[1]
