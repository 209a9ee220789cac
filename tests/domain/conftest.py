"""The stream for the tests of the rules against fraud."""

from __future__ import annotations

import pytest

from tests.domain.fraud_stream import Stream


@pytest.fixture
def stream() -> Stream:
    return Stream()
