"""A1: somebody with the store's own key alters its past. Every alteration is found, the first bad event exact.

1,000 of each kind run in `python -m tests.long --only alterations`; here a share of them.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.usecases.verify_audit import Evidence
from tests.app.kiosk import Template
from tests.faults.alterations import ALTERATIONS, Scene, look, make_scene, one_round, write_events

TIMES = 60


@pytest.fixture(scope="module")
def scene(made_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Made once; every alteration is done to a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(made_template.folder.with_name("machine")))
        return make_scene(made_template, tmp_path_factory.mktemp("scene"))


@pytest.mark.parametrize("name", [*ALTERATIONS, "older"])
def test_every_alteration_is_found_with_its_first_event(
    scene: Scene, disk: Path, name: str
) -> None:
    chance = random.Random(name)
    wrong = [said for _ in range(TIMES) if (said := one_round(name, chance, scene, disk))]
    assert wrong == []


def test_a_store_that_nobody_altered_is_called_sound_by_all_evidence(
    scene: Scene, disk: Path
) -> None:
    path = disk / "sound.db"
    path.write_bytes(scene.database)
    evidence = Evidence(journal=scene.journal, start_key=scene.start_key)
    audit = look(path, scene, evidence)
    assert audit.findings == []
    assert (audit.events, audit.macs, audit.in_file) == (scene.last,) * 3


def test_without_any_witness_a_chain_computed_anew_is_not_found(scene: Scene, disk: Path) -> None:
    """The red twin: the chain alone proves nothing against somebody who computes it."""
    chance = random.Random(1)
    missed = 0
    for _ in range(20):
        path = disk / "twin.db"
        path.write_bytes(scene.database)
        altered = ALTERATIONS["rechain"](chance, scene)
        write_events(path, scene, altered.events)
        missed += look(path, scene, Evidence()).exit_code == 0
    assert missed == 20
