"""The examples of docs/operations/api.md are run, one after the other, with curl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.headoffice.api_office import publish, system
from tests.headoffice.http_office import begin_chain, served

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations" / "api.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_every_example_of_the_document_works(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    publish(tmp_path)
    blocks = re.findall(
        r"^```bash\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 15
    with served(tmp_path) as at, system(at) as shop:
        known = {"API": f"{at.url}/admin/v1", "KEY": shop.key, "PATH": "/usr/bin:/bin"}
        for line in lines:
            done = subprocess.run(
                ["sh", "-c", line],
                env=known,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, line
            told = json.loads(done.stdout)
            named = re.search(r"# (\S+) → ([A-Z]+)$", line)
            if named:
                for part in named[1].split("."):
                    told = told[int(part)] if part.isdigit() else told[part]
                known[named[2]] = told
