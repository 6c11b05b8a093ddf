"""Kraken's exports against the simulated venue: a file and the API in any order tell the same transactions."""

from collections.abc import Iterator

import pytest
from tests.venues.exchanges import world

from omnifolio.model.clock import SystemClock
from omnifolio.model.facts import Cursor
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.files.reader import FileReader


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with world.serve() as base:
        yield base


async def read_file(account: world.Account, kind: str) -> None:
    clock = SystemClock()
    content = world.run("csv", "--user", "ada", "--venue", "kraken", "--kind", kind)
    access = Access(venue="kraken", egress=Egress(clock=clock), clock=clock, key_label="", fields={"content": content})
    reader = FileReader()
    (stream,) = reader.streams(access)
    async for batch in reader.read(access, Cursor(stream.name)):
        account.take(batch)


def api_account(url: str) -> world.Account:
    return world.Account(ExchangeReader(), "kraken", f"{url}/kraken", world.credentials("ada", "kraken"))


def rounded(lines: list[dict[str, object]]) -> list[str]:
    """Transactions to the whole second, which is what the file's clock has; the chain's hash is not in the file."""
    return world.comparable({**line, "at": int(str(line["at"])) // 1000, "event": None} for line in lines)


async def test_the_ledgers_file_alone_tells_every_transaction(url: str) -> None:
    account = api_account(url)
    await read_file(account, "ledgers")
    await read_file(account, "trades")
    assert not account.gaps
    assert rounded(account.transactions()) == rounded(world.truth(url, "ada", "kraken")[1])


async def test_api_and_file_in_either_order_are_the_same_transactions(url: str) -> None:
    first, second = api_account(url), api_account(url)
    await first.sync()
    await read_file(first, "ledgers")
    await read_file(second, "ledgers")
    await read_file(second, "trades")
    await second.sync()
    expected = rounded(world.truth(url, "ada", "kraken")[1])
    assert rounded(first.transactions()) == expected
    assert rounded(second.transactions()) == expected
