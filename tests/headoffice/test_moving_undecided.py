"""A move to PostgreSQL of which nobody knows yet whether it is kept, and what the audits say of moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from headoffice.office import STORE_FILE
from tests.headoffice.cluster import Cluster
from tests.headoffice.http_office import TENANT, wait_for
from tests.headoffice.office import connected
from tests.headoffice.test_moving import filled, killed_at, move, moving_by_itself, standing


def test_a_move_that_was_killed_within_its_commit_is_not_given_up_before_that_is_decided(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The commit waits for a standby that is not there; its client is killed; the server may keep it yet."""
    filled(tmp_path)
    with psycopg.connect(cluster.superuser, autocommit=True) as watching:
        watching.execute("SET synchronous_commit = local")
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        with waiting_for_a_standby(watching):
            child = moving_by_itself(tmp_path, cluster)
            try:
                wait_for(lambda: watching.execute(waits).fetchone() == (1,))
            finally:
                child.kill()
                child.wait()
            for options in (("--give-up",), ()):
                done = move(tmp_path, cluster.owner, *options)
                assert (done.returncode, "still at another move" in done.stderr) == (4, True)
                assert standing(tmp_path) == "moving"
        wait_for(lambda: watching.execute(waits).fetchone() == (0,))
    gave_up = move(tmp_path, cluster.owner, "--give-up")
    assert (gave_up.returncode, standing(tmp_path)) == (4, "moving")
    done = move(tmp_path, cluster.owner)
    assert done.returncode == 0, done.stderr
    assert standing(tmp_path) == "moved"


@contextmanager
def waiting_for_a_standby(watching: psycopg.Connection[Any]) -> Iterator[None]:
    """No commit is told before a standby has it, and there is none."""
    watching.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    watching.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        watching.execute("ALTER SYSTEM RESET synchronous_standby_names")
        watching.execute("SELECT pg_reload_conf()")


def test_a_move_is_in_the_audits_of_both_places(cluster: Cluster, tmp_path: Path) -> None:
    filled(tmp_path)
    killed_at(tmp_path, cluster, "ledger", "EXCLUSIVE")
    assert move(tmp_path, cluster.owner, "--give-up").returncode == 0
    assert move(tmp_path, cluster.owner).returncode == 0
    text = "SELECT act FROM console_audit WHERE tenant_id = {} AND act LIKE '%mov%' ORDER BY number"
    with connected(tmp_path / STORE_FILE) as raw:
        here = [act for (act,) in raw.execute(text.format("?"), (TENANT,))]
    with psycopg.connect(cluster.superuser) as all_seeing:
        found = all_seeing.execute(text.replace("%", "%%").format("%s"), (TENANT,)).fetchall()
    assert here == ["chain_moves", "move_given_up", "chain_moves", "chain_moved"]
    assert [act for (act,) in found] == here[:3]
