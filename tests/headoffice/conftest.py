"""The databases that head office's tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher

from headoffice.console import staff
from tests.headoffice.cluster import Cluster
from tests.headoffice.office import Database, OnPostgres, OnSqlite
from tests.headoffice.ran import PROPERTY
from tests.headoffice.serving_process import DSN_FILE, end_what_is_left

PASSWORD_HASHER: Final = staff._HASHER


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """What the product pays for one is looked at in test_console_sign_in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staff, "_HASHER", PasswordHasher(1, 64, 1))
        yield


@pytest.fixture(autouse=True)
def _nothing_serves_on() -> Iterator[None]:
    yield
    end_what_is_left()


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(_cluster: Cluster, request: pytest.FixtureRequest) -> Cluster:
    """The worker's PostgreSQL, without any row."""
    _cluster.empty()
    request.node.user_properties.append((PROPERTY, _cluster.version))
    return _cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def each_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A head office on the test's folder has its store in either database: `sqlite` or `postgresql`."""
    kind: str = request.param
    if kind == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        (tmp_path / DSN_FILE).write_text(cluster.app)
    return kind


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def each_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all tests of a module, its store in either database."""
    folder = tmp_path_factory.mktemp("office")
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("_cluster")
        cluster.empty()
        (folder / DSN_FILE).write_text(cluster.app)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A head office's database, of either kind."""
    if request.param == "sqlite":
        return OnSqlite(tmp_path / "office.db")
    cluster: Cluster = request.getfixturevalue("cluster")
    return OnPostgres(cluster.app, cluster.superuser)
