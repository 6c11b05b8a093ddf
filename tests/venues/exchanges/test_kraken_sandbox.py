"""Kraken through the real transport against the simulated venue: what is read equals the venue's truth."""

from collections.abc import Iterator

import pytest
from tests.venues.exchanges import world

from omnifolio.venues.exchanges.reader import ExchangeReader


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with world.serve() as base:
        yield base


def account(url: str, user: str = "ada", permission: str = "read") -> world.Account:
    return world.Account(ExchangeReader(), "kraken", f"{url}/kraken", world.credentials(user, "kraken", permission))


async def test_balances_and_history_equal_the_truth(url: str) -> None:
    ada = account(url)
    await ada.sync()
    balances, transactions = world.truth(url, "ada", "kraken")
    assert world.comparable(ada.balances()) == world.comparable(balances)
    assert world.comparable(ada.transactions()) == world.comparable(transactions)
    assert not ada.gaps
