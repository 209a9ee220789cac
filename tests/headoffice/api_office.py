"""A head office with its open API on loopback, and systems that have keys to it, for tests."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from app.domain.business_day import BusinessDate
from headoffice import programmes
from headoffice.api.keys import PER_MINUTE, SCOPES, ApiKeys, new_key
from headoffice.office import wall_ms
from headoffice.store.records import Records
from headoffice.writer import PUSH, Job
from resources import programme_path
from tests.headoffice.http_office import TENANT, Served, database_of, opened, wait_for

PHONE, CARD, NAME, MAIL = "+8613800006621", "880000124471", "陈思远", "chen.siyuan@example.com"
VALUES: Final = (PHONE, PHONE[3:], CARD, NAME, MAIL)
"""What no answer may hold where personal values are masked."""
Result = TypeVar("Result")
_numbers = itertools.count(1)


def key_for(
    folder: Path,
    *scopes: str,
    tenant: bytes = TENANT,
    name: str = "shop",
    per_minute: int = 60 * PER_MINUTE,
) -> str:
    """A new key, as the operator's command makes it; all scopes where none is named."""
    with contextlib.closing(database_of(folder)) as database:
        store = database.store(tenant)
        with store.writing():
            keys = ApiKeys(database, tenant)
            return new_key(keys, store, name, scopes or SCOPES, per_minute, wall_ms())


def end(folder: Path, key: str, *, tenant: bytes = TENANT) -> None:
    """End a key beside the serving head office."""
    with contextlib.closing(database_of(folder)) as database, database.store(tenant).writing():
        ApiKeys(database, tenant).end(key[4:16], wall_ms())


def publish(folder: Path, *, tenant: bytes = TENANT, **changes: Any) -> None:
    """Publish the starter programme for a chain, as of long ago for tests."""
    plain = json.loads(programme_path("starter.json").read_text(encoding="utf-8"))
    plain |= {"starts": "2024-01-01", **changes}
    with opened(folder, tenant) as (store, _), store.writing():
        programmes.publish(store, plain, BusinessDate.on(2024, 1, 1))


@dataclass(slots=True)
class System:
    """Another system with a key."""

    at: Served
    key: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"{self.at.url}/admin", timeout=60)
        wait_for(lambda: self.key[4:16] in self.at.office.api_keys)

    def ask(
        self, method: str, path: str, body: Any = None, *, again: str | None = None, **headers: str
    ) -> httpx.Response:
        """One request; a write has an Idempotency-Key of its own where none is given."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"authorization": f"Bearer {self.key}", **named}
        if method == "POST":
            sent["idempotency-key"] = again or f"try-{next(_numbers)}"
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            sent["content-type"] = "application/json"
        return self.client.request(method, path, content=content, headers=sent)

    def get(self, path: str) -> Any:
        """What is answered to a reading."""
        response = self.ask("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any, status: int = 201, **options: Any) -> Any:
        """What is answered to a write."""
        response = self.ask("POST", path, body, **options)
        assert response.status_code == status, response.text
        return response.json()


@contextlib.contextmanager
def system(at: Served, *scopes: str, **options: Any) -> Iterator[System]:
    """A system with a new key."""
    made = System(at, key_for(at.folder, *scopes, **options))
    try:
        yield made
    finally:
        made.client.close()


def written(at: Served, act: Callable[[Records], Result], *, tenant: bytes = TENANT) -> Result:
    """Do something in a transaction of the serving writer's."""
    future = Future[Result]()

    def told(result: Result, error: BaseException | None) -> None:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    # The chain's store is another one after head office has noticed somebody else's commit.
    job = Job(PUSH, 1, tenant, lambda: act(at.office.chains[tenant].store), lambda _: None, told)
    at.writer.submit(job)
    return future.result(30)


def code_of(response: httpx.Response) -> str:
    """The code of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    told = response.json()
    assert (told["status"], told["type"]) == (response.status_code, f"/admin/#{told['code']}")
    return str(told["code"])
