"""Schemathesis against the running API: whatever is sent, the answer is one that the description names, and no
request is a mistake of ours."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from headoffice.api.keys import SCOPES
from tests.headoffice.api_office import System, publish, system
from tests.headoffice.http_office import ANNA, Served, begin_chain, opened, rows, served

EXAMPLES: Final = 12
IDS: Final = ("member", "store", "hold", "order", "spend", "webhook", "receipt", "adjustment")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A chain with a member who has points."""
    folder = tmp_path_factory.mktemp("office")
    begin_chain(folder)
    publish(folder)
    with served(folder) as made:
        till = made.till(1)
        till.earn(ANNA, 3_000)
        till.sync()
        yield made


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    """A system that may do everything."""
    with system(at, *SCOPES, per_minute=1_000_000) as made:
        yield made


@pytest.fixture(scope="module")
def ids(shop: System) -> dict[str, str]:
    """Ids of things that are there."""
    store = shop.get("/v1/stores")["stores"][0]["id"]
    member = ANNA.hex()
    lines = [{"unit_price_minor": 5_000, "quantity": 100}]
    order = shop.post("/v1/orders", {"store": store, "member": member, "lines": lines})["id"]
    hold = shop.post("/v1/holds", {"member": member, "points": 100})["id"]
    spend = shop.post("/v1/spends", {"member": member, "points": 100})["id"]
    hook = {"url": "http://127.0.0.1:9/", "events": ["tier.changed"]}
    webhook = shop.post("/v1/webhooks", hook)["id"]
    adjustment = {"points": 1, "reason": "goodwill", "note": "a parcel came late"}
    adjusted = shop.post(f"/v1/members/{member}/adjustments", adjustment)["id"]
    found = (member, store, hold, order, spend, webhook, order, adjusted)
    return dict(zip(IDS, found, strict=True))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_description_names(
    at: Served, shop: System, ids: dict[str, str], mode: GenerationMode
) -> None:
    described = httpx.get(f"{at.url}/admin/openapi.json").json()
    for operations in described["paths"].values():
        for each in operations.values():
            # Our key is sent with each request; whether others are let in is test_api_matrix.py's.
            del each["security"]
    schema = schemathesis.openapi.from_dict(described)
    statuses, rng = Counter[str](), random.Random(4)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            if rng.random() < 0.6:
                _with_real_ids(case, ids)
            headers = {"authorization": f"Bearer {shop.key}"}
            if mode is GenerationMode.POSITIVE:
                headers["idempotency-key"] = f"fuzz-{rng.randrange(1 << 60)}"
            response = case.call_and_validate(
                base_url=f"{at.url}/admin", headers=headers, excluded_checks=EXCLUDED
            )
            statuses[f"{response.status_code // 100}xx"] += 1

        with contextlib.suppress(Unsatisfiable):
            ask()
    print(f"schemathesis {mode.value}: {sum(statuses.values())} requests, {dict(statuses)}")
    assert statuses["5xx"] == 0
    assert sum(statuses.values()) > 100
    assert rows(at.folder, "SELECT count(*) FROM event WHERE standing = 'quarantined'") == [(0,)]
    assert rows(at.folder, "SELECT overdrawn, lost FROM tenant")[0] == (0, 0)
    with opened(at.folder) as (store, _), store.reading():
        assert store.member(ANNA) is not None


EXCLUDED: Final = [
    # A value may be right by itself and refused by the rules, or name what is not there.
    checks.positive_data_acceptance,
    # Leaves things behind that another request has made.
    checks.use_after_free,
    checks.ensure_resource_availability,
]


def _with_real_ids(case: schemathesis.Case[Any], ids: dict[str, str]) -> None:
    """Put ids of what is there where a request names any: else all that is answered is that it is not."""
    for name in case.path_parameters or {}:
        if name in ids:
            case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict):
        for name in IDS:
            if isinstance(case.body.get(name), str):
                case.body[name] = ids[name]
