"""The demo venue through the real transport: what is read equals the venue's truth, and a wrong password is the user's error."""

from collections.abc import Iterator

import pytest
from tests.venues.exchanges import world

from omnifolio.model.errors import BadCredentials
from omnifolio.model.secrets import Secret
from omnifolio.venues.demo.reader import TRANSACTIONS, DemoReader

LOGIN = {"username": Secret("demo"), "password": Secret("demo")}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with world.serve() as base:
        yield base


async def test_balances_and_transactions_equal_the_truth(url: str) -> None:
    account = world.Account(DemoReader(), "demo", f"{url}/demo", LOGIN)
    await account.sync()
    balances, transactions = world.truth(url, "demo", "demo")
    assert world.comparable(account.balances()) == world.comparable(balances)
    assert world.comparable(account.transactions()) == world.comparable(transactions)
    assert await account.read(TRANSACTIONS) == 1


async def test_a_wrong_password_is_the_users_error(url: str) -> None:
    account = world.Account(DemoReader(), "demo", f"{url}/demo", {**LOGIN, "password": Secret("wrong")})
    with pytest.raises(BadCredentials):
        await account.sync()
