"""One node for all tests here: its start takes seconds, and every test has a wallet of its own on it."""

from collections.abc import Iterator

import pytest
from tests.litecoin import Litecoin, litecoin


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litecoin]:
    with litecoin(tmp_path_factory.mktemp("litecoin")) as running:
        yield running
