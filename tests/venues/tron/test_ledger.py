"""The reader, the sync and the ledger together: kills between, nothing lost or doubled, and evidence that suffices."""

from collections.abc import AsyncIterator

import pytest
from tests.proof.simulation import Installation, installed, simulated
from tests.stage import loopback
from tests.venues.tron.network import Tron, address, hexed

from omnifolio.app.read import Read
from omnifolio.app.rebuilding import rebuild_all
from omnifolio.model.clock import DAY_MS
from omnifolio.model.ids import AccountId

ME, SHOP, OTHER, DEX = (address(name) for name in ("me", "shop", "other", "dex"))
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
CUTS = (3, 17, 40, 61)
"""Statements after which the process dies."""


@pytest.fixture
def chain() -> Tron:
    return Tron()


@pytest.fixture
async def house(database_url: str, tmp_path_factory: pytest.TempPathFactory, chain: Tron) -> AsyncIterator[Installation]:
    """An installation whose TRON is the chain."""
    keys = tmp_path_factory.mktemp("keys")
    with simulated() as venues:
        async with loopback(chain.serve) as url, installed(database_url, keys, venues, base_urls={"tron": url}) as made:
            yield made


async def states(house: Installation, number: AccountId) -> dict[str, str]:
    """The verdict on each wallet and token."""
    found = await Read(house.runtime.context).reconciliation(house.principal, number)
    return {f"{line.wallet.key.rpartition(':')[2]} {line.token.ticker}": line.verdict.state for line in found.lines}


async def test_the_ledger_follows_an_address_through_kills(house: Installation, chain: Tron) -> None:
    usdt = chain.token(USDT, "USDT", 6)
    chain.fund(ME, 900_000_000)
    for n in range(60):
        chain.call(OTHER, USDT, (usdt, OTHER, ME, 1_000_000 + n))
        chain.pay(ME, SHOP, 1_000, fee=267_000)
    chain.stake(ME, 300_000_000)
    chain.unstake(ME, 100_000_000)
    failed = chain.call(ME, USDT, (usdt, ME, SHOP, 7), fee=4_100_000, ret="OUT_OF_ENERGY")
    number = await house.enter("tron", {"wallet": f"0x{hexed(ME)}"})
    for cut in CUTS:
        await house.crash(cut, house.work)
    await house.work()
    before = await house.ids(number)
    assert len(before) == 124
    assert {row.status for row in await house.transactions(number) if row.name == failed} == {"failed"}
    wallet = f"tron:728126428:{ME}"
    assert await house.held(number) == {
        f"{wallet}/spot/TRX": f"{chain.coins[ME] / 10**6}",
        f"{wallet}/spot/USDT": f"{usdt.held[ME] / 10**6}",
        f"{wallet}/staked/staked/TRX": "200",
        f"{wallet}/unfreezing/staked/TRX": "100",
    }
    assert await house.sums_agree(number)
    assert set((await states(house, number)).values()) == {"proved"}

    chain.now += DAY_MS
    chain.take_out(ME)
    chain.call(ME, DEX, (usdt, ME, DEX, 30_000_000), inside=((DEX, ME, 90_000_000),))
    house.venues.pass_time(2 * DAY_MS)
    for cut in CUTS:
        await house.crash(cut, house.sync)
    await house.sync()
    after = await house.ids(number)
    assert {name: after[name] for name in before} == before
    assert len(after) == 126
    assert (await house.held(number))[f"{wallet}/spot/TRX"] == f"{chain.coins[ME] / 10**6}"
    assert set((await states(house, number)).values()) == {"proved"}

    facts = await house.facts(number)
    (done,) = await rebuild_all(house.runtime.context, house.principal, number)
    assert (done[2].changed, done[2].taken_back) == (0, 0)
    assert (await house.facts(number), await house.ids(number)) == (facts, after)


async def test_two_accounts_of_one_transfer_share_its_event(house: Installation, chain: Tron) -> None:
    usdt = chain.token(USDT, "USDT", 6)
    usdt.held[ME] = 9_000_000
    name = chain.call(ME, USDT, (usdt, ME, SHOP, 4_000_000))
    numbers = [await house.enter("tron", {"wallet": who}) for who in (ME, SHOP)]
    await house.work()
    rows = [next(row for row in await house.transactions(number) if row.name == name) for number in numbers]
    assert {row.event for row in rows} == {f"tron:728126428:{name}"}
    assert [sorted(str(leg.amount) for leg in row.legs) for row in rows] == [["-0.345", "-4"], ["4"]]
