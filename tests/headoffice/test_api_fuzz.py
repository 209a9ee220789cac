"""Schemathesis against the running API (H1): some requests to each operation, 2,000 in the long run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis import GenerationMode

from tests.headoffice.api_fuzz import fuzz, office, unharmed
from tests.headoffice.api_office import System
from tests.headoffice.http_office import Served

EXAMPLES = 12


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, System]]:
    with office(tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_description_names(
    chain: tuple[Served, System], mode: GenerationMode
) -> None:
    at, shop = chain
    statuses = fuzz(at, shop, mode, examples=EXAMPLES)
    unharmed(at, statuses)
    asked = sum(number for status, number in statuses.items() if status.endswith("xx"))
    assert asked > 100
