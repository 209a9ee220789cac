"""Versions of a chain's programme at head office: numbered, published once, in order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.business_day import BusinessDate
from app.domain.errors import Refusal, Refused
from app.domain.programme_checks import ProgrammeError
from app.domain.programme_versions import CHAIN_FROM
from app.protocol.references import REFERENCE_BUCKET
from app.protocol.store import Tenant
from app.protocol.wire import ReferenceRow
from headoffice import programmes
from tests.domain.test_programme import DEMO
from tests.sim.memory import MemoryStore

TODAY = BusinessDate.on(2026, 11, 20)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Tenant(b"T" * 16, 1, 0, 1))


def document(starts: BusinessDate = TODAY, **changed: Any) -> dict[str, Any]:
    return {**DEMO, "starts": starts.iso(), **changed}


def test_versions_are_numbered_from_the_chains_first(store: MemoryStore) -> None:
    first = programmes.publish(store, document(version=7), TODAY)
    second = programmes.publish(store, document(TODAY.plus(1)), TODAY)
    assert (first.version, second.version) == (CHAIN_FROM, CHAIN_FROM + 1)
    store.put_reference(ReferenceRow("coupons", REFERENCE_BUCKET, 0, 1, b"{}"))
    assert programmes.published(store) == (first, second)
    assert json.loads(first.body)["version"] == CHAIN_FROM


def test_going_back_publishes_the_old_rules_anew(store: MemoryStore) -> None:
    first = programmes.publish(store, document(), TODAY)
    programmes.publish(store, document(TODAY.plus(1), pending_days=5), TODAY)
    back = programmes.publish(store, programmes.again(first, TODAY.plus(2)), TODAY)
    assert back.version == CHAIN_FROM + 2
    assert back.programme.pending_days == first.programme.pending_days
    assert back.programme.starts == TODAY.plus(2)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"starts": TODAY.plus(-1).iso()}, Refusal.PROGRAMME_STARTS_IN_PAST),
        ({"starts": TODAY.iso()}, Refusal.PROGRAMME_START_TAKEN),
    ],
)
def test_a_version_starts_on_a_date_of_its_own(
    store: MemoryStore, changed: dict[str, Any], code: Refusal
) -> None:
    programmes.publish(store, document(), TODAY)
    with pytest.raises(Refused) as refused:
        programmes.publish(store, document() | changed, TODAY)
    assert refused.value.code is code
    assert len(programmes.published(store)) == 1


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"currency": {"code": "JPY", "exponent": 0}}, "$.currency"),
        ({"cut_off_minute": 60}, "$.cut_off_minute"),
        ({"pending_days": -1}, "$.pending_days"),
        ({"pending_dayz": 1}, "$.pending_dayz"),
    ],
)
def test_what_a_version_may_not_be_is_said_with_its_field(
    store: MemoryStore, changed: dict[str, Any], path: str
) -> None:
    programmes.publish(store, document(), TODAY)
    with pytest.raises(ProgrammeError) as refused:
        programmes.publish(store, document(TODAY.plus(1), **changed), TODAY)
    assert refused.value.path == path


def test_what_is_no_document_at_all_is_refused(store: MemoryStore) -> None:
    with pytest.raises(ProgrammeError):
        programmes.publish(store, [1], TODAY)


def test_a_version_is_read_once_however_often_all_are_asked_for(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    programmes.publish(store, document(TODAY, pending_days=9), TODAY)
    first = programmes.published(store)
    monkeypatch.setattr(programmes, "programme_from_plain", None)
    assert programmes.published(store) == first
