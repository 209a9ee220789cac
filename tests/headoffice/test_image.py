"""The image of head office: what it installs is its own part of the lock, and that is enough to serve."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "packaging" / "headoffice"
LOADED = """
import json, pkgutil, sys, importlib, headoffice
for each in pkgutil.walk_packages(headoffice.__path__, "headoffice."):
    if not each.name.endswith("__main__"):
        importlib.import_module(each.name)
import headoffice.__main__
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
NOT_OURS = {"setuptools", "regulars"}


def part() -> Any:
    spec = importlib.util.spec_from_file_location("part_of_lock", PLACE / "part_of_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed() -> set[str]:
    text = (PLACE / "requirements.lock").read_text(encoding="utf-8")
    return {
        name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", text, re.MULTILINE)
    }


def test_the_images_lock_is_its_part_of_the_lock() -> None:
    made = part()
    whole = made.LOCK.read_text(encoding="utf-8")
    assert (PLACE / "requirements.lock").read_text(encoding="utf-8") == made.part(whole)
    assert not {"pyside6-essentials", "pytest", "playwright", "mypy"} & installed()


def test_all_that_head_office_imports_is_in_the_image() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True, cwd=ROOT)
    loaded = json.loads(ran.stdout)
    owners = packages_distributions()
    needed = {each.lower().replace("_", "-") for name in loaded for each in owners.get(name, ())}
    assert "starlette" in needed
    assert needed - NOT_OURS <= installed()
