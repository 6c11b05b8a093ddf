"""Simulated venues and an installation for each test, and the proof that nothing was ever written at a venue."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.proof.simulation import Installation, Venues, installed, simulated


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Sound venues at the beginning of the tests' time; at the end they must not have seen an attempt to write."""
    with simulated() as found:
        yield found
        assert found.violations() == []


@pytest.fixture
async def house(database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues) -> AsyncIterator[Installation]:
    """An installation on a fresh database of each kind."""
    async with installed(database_url, tmp_path_factory.mktemp("keys"), venues) as made:
        yield made
