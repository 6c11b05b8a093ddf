"""A fresh node for each test, as Ethereum's main network: the wrapped coin and Multicall3 stand where they stand there."""

from collections.abc import Iterator

import pytest
from tests.anvil import MULTICALL3, Anvil, anvil
from tests.venues.evm.difficult import Difficult, difficult
from tests.venues.evm.etherscan import Etherscan, etherscan

from omnifolio.catalog.chains import evm_chain


@pytest.fixture
def node() -> Iterator[Anvil]:
    with anvil(chain_id=1) as running:
        running.place("Wrapped", evm_chain("ethereum").wrapped, ("bool",), False)
        running.place("Multicall", MULTICALL3)
        yield running


@pytest.fixture
def proxy(node: Anvil) -> Iterator[Difficult]:
    with difficult(node) as running:
        yield running


@pytest.fixture
def explorer(node: Anvil) -> Iterator[Etherscan]:
    with etherscan(node) as running:
        yield running
