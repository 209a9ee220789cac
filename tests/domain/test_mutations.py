"""The golden cases can fail: change one constant or comparison of a rule, and a case goes red."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.domain import golden_runner

ROOT = Path(__file__).resolve().parents[2]

MUTANTS = golden_runner.load("mutants.json")
"""[{rule, file, old, new}]: what is written in app/domain, and what it is changed to."""


@pytest.fixture(scope="module")
def copy_of_the_domain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with app/domain, the runner and the cases, free to be broken."""
    root = tmp_path_factory.mktemp("mutant")
    shutil.copytree(ROOT / "app" / "domain", root / "app" / "domain")
    (root / "app" / "__init__.py").touch()
    for package in ("tests", "tests/domain"):
        (root / package).mkdir()
        (root / package / "__init__.py").touch()
    shutil.copy(ROOT / "tests" / "domain" / "golden_runner.py", root / "tests" / "domain")
    shutil.copytree(golden_runner.GOLDEN, root / "tests" / "data" / "golden")
    _run(root, write_bytecode=True)
    return root


def _run(root: Path, *, write_bytecode: bool = False) -> list[str]:
    """Failing cases of a copy. Mutants write no bytecode, so none is ever loaded for another."""
    flags = [] if write_bytecode else ["-B"]
    done = subprocess.run(
        [sys.executable, *flags, "-m", "tests.domain.golden_runner", "--first"],
        cwd=root,
        env={key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    failing: list[str] = json.loads(done.stdout)
    return failing


def test_the_untouched_copy_passes(copy_of_the_domain: Path) -> None:
    assert _run(copy_of_the_domain) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["rule"])
def test_a_changed_rule_makes_a_case_fail(copy_of_the_domain: Path, mutant: dict[str, str]) -> None:
    rule, name, old, new = mutant["rule"], mutant["file"], mutant["old"], mutant["new"]
    path = copy_of_the_domain / "app" / "domain" / name
    source = path.read_text(encoding="utf-8")
    assert old in source, f"{rule}: the mutant no longer fits {name}"
    times = path.stat()
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    try:
        failing = _run(copy_of_the_domain)
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert failing, f"no golden case notices a change of: {rule}"
