"""Schemathesis against the running API: whatever is sent, the answer is one that the description names, and no
request is a mistake of ours."""

from __future__ import annotations

import contextlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from headoffice.api.keys import SCOPES
from tests.headoffice.api_office import System, publish, system
from tests.headoffice.http_office import ANNA, Served, begin_chain, opened, rows, served

IDS: Final = ("member", "store", "hold", "order", "spend", "webhook", "receipt", "adjustment")
_ID: Final = re.compile("[0-9a-f]{32}")
EXCLUDED: Final = [
    # A value may be right by itself and refused by the rules, or name what is not there.
    checks.positive_data_acceptance,
    # Leaves things behind that another request has made.
    checks.use_after_free,
    checks.ensure_resource_availability,
]


@contextmanager
def office(folder: Path) -> Iterator[tuple[Served, System]]:
    """A chain with a member who has points, and a system that may do everything."""
    begin_chain(folder)
    publish(folder)
    with served(folder) as at:
        till = at.till(1)
        till.earn(ANNA, 3_000)
        till.sync()
        with system(at, *SCOPES, per_minute=1_000_000) as shop:
            yield at, shop


def ids_of(shop: System) -> dict[str, str]:
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


def fuzz(
    at: Served, shop: System, mode: GenerationMode, *, examples: int, chance: int | None = None
) -> Counter[str]:
    """Ask each operation so often; how often it answered with what. The same requests each time, unless there
    is a chance to draw others by. Raises whatever a check of Schemathesis raises."""
    ids = ids_of(shop)
    described = httpx.get(f"{at.url}/admin/openapi.json").json()
    for operations in described["paths"].values():
        for each in operations.values():
            # Our key is sent with each request; whether others are let in is test_api_matrix.py's.
            del each["security"]
    schema = schemathesis.openapi.from_dict(described)
    statuses, rng = Counter[str](), random.Random(4 if chance is None else chance)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()

        @settings(
            max_examples=examples, deadline=None, derandomize=chance is None, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            # A name that no operation knows is passed over, as APIs do: nothing to refuse.
            assume(set(case.query or ()) <= {each.name for each in case.operation.query})
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
            (ask if chance is None else seed(chance)(ask))()
        statuses["operations"] += 1
    return statuses


def unharmed(at: Served, statuses: Counter[str]) -> None:
    """No request was a mistake of ours, and what was there before is sound."""
    assert statuses["5xx"] == 0
    assert rows(at.folder, "SELECT count(*) FROM event WHERE standing = 'quarantined'") == [(0,)]
    assert rows(at.folder, "SELECT overdrawn, lost FROM tenant")[0] == (0, 0)
    with opened(at.folder) as (store, _), store.reading():
        assert store.member(ANNA) is not None


def _with_real_ids(case: schemathesis.Case[Any], ids: dict[str, str]) -> None:
    """Put ids of what is there where a request names any: else all that is answered is that it is not. What is
    no id stays wrong."""
    for values in (case.path_parameters, case.body):
        if isinstance(values, dict):
            for name in IDS:
                if _ID.fullmatch(str(values.get(name))):
                    values[name] = ids[name]
