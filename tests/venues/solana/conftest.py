"""One chain for all tests here; every test has wallets of its own on it."""

from collections.abc import Iterator

import pytest
from tests.litesvm import Solana, solana


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solana]:
    with solana(tmp_path_factory.mktemp("solana") / "chain.log") as running:
        yield running
