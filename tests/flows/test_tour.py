"""The guided tour of `make run`: it ends well, leaves its pictures, and no text in them is cut or covered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.commands import demo_data
from tests.costs import full
from ui.tour.__main__ import RUNS, run

MEMBERS = 300
PICTURES_LEAST = {"whole": 60, "short": 40}
SLIPS = ("receipt", "pay_in", "x", "count", "shift", "z")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        full(patch)
        demo_data.make(folder, members=MEMBERS, progress=lambda what, done, total: None)
    return folder


@pytest.mark.parametrize(("language", "theme", "size", "day"), RUNS)
def test_the_day_goes_well_and_no_text_is_cut_or_covered(
    demo: Path, tmp_path: Path, language: str, theme: str, size: str, day: str
) -> None:
    assert run(tmp_path, demo, language, theme, size, day) == 0
    pictures = tmp_path / "pictures" / f"{language}_{theme}_{size}"
    steps = json.loads((pictures / "tour.json").read_text("utf-8"))["steps"]
    assert [(step["what"], step["faults"]) for step in steps if step["faults"]] == []
    taken = [pictures / step["picture"] for step in steps if step["picture"]]
    assert len(taken) >= PICTURES_LEAST[day]
    assert all(path.stat().st_size > 5000 for path in taken)
    for slip in SLIPS:
        assert (pictures / f"{slip}.png").exists()
        assert (pictures / f"{slip}.pdf").read_bytes().startswith(b"%PDF")
