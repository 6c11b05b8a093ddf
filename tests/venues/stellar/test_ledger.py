"""The reader, the sync and the ledger together: kills between, nothing lost or doubled, and evidence that suffices."""

from collections.abc import AsyncIterator

import pytest
from tests.proof.simulation import Installation, installed, simulated
from tests.stage import loopback
from tests.venues.stellar.network import NATIVE, ONE, Stellar, address

from omnifolio.app.read import Read
from omnifolio.app.rebuilding import rebuild_all
from omnifolio.model.clock import DAY_MS
from omnifolio.model.ids import AccountId

BANK, ME, SHOP, MAKER, ISSUER = (address(name) for name in ("bank", "me", "shop", "maker", "issuer"))
USD = f"USD:{ISSUER}"
CUTS = (3, 17, 40, 61)
"""Statements after which the process dies."""


@pytest.fixture
def chain() -> Stellar:
    found = Stellar()
    found.held[NATIVE].update({BANK: 10**15, SHOP: 10**10})
    found.alive |= {BANK, SHOP, MAKER, ISSUER}
    return found


@pytest.fixture
async def house(database_url: str, tmp_path_factory: pytest.TempPathFactory, chain: Stellar) -> AsyncIterator[Installation]:
    """An installation whose Stellar is the network."""
    keys = tmp_path_factory.mktemp("keys")
    with simulated() as venues:
        async with loopback(chain.serve) as url, installed(database_url, keys, venues, base_urls={"stellar": url}) as made:
            yield made


async def states(house: Installation, number: AccountId) -> set[str]:
    """The verdicts on all wallets and tokens."""
    found = await Read(house.runtime.context).reconciliation(house.principal, number)
    return {line.verdict.state for line in found.lines}


async def test_the_ledger_follows_an_account_through_kills(house: Installation, chain: Stellar) -> None:
    chain.create(BANK, ME, 1_000 * ONE)
    chain.pay(ISSUER, ME, USD, 500 * ONE)
    for n in range(120):
        chain.path_pay(ME, ME, MAKER, (NATIVE, ONE + n), (USD, 2 + n))
    failed = chain.pay(ME, SHOP, NATIVE, 7 * ONE, is_failed=True)
    taken = chain.take(SHOP, ME, NATIVE, 3 * ONE, USD, 2 * ONE)
    number = await house.enter("stellar", {"wallet": ME.lower()})
    for cut in CUTS:
        await house.crash(cut, house.work)
    await house.work()
    before = await house.ids(number)
    assert len(before) == 124
    rows = {row.name: row for row in await house.transactions(number)}
    assert rows[failed].status == "failed"
    assert sorted(str(leg.amount) for leg in rows[taken].legs) == ["-2", "3"]
    wallet = f"stellar:pubnet:{ME}"
    held = {f"{wallet}/spot/XLM": f"{chain.held[NATIVE][ME] / ONE}", f"{wallet}/spot/USD": f"{chain.held[USD][ME] / ONE}"}
    assert await house.held(number) == held
    assert await house.sums_agree(number)
    assert await states(house, number) == {"proved"}

    name = chain.merge(ME, SHOP)
    house.venues.pass_time(2 * DAY_MS)
    for cut in CUTS:
        await house.crash(cut, house.sync)
    await house.sync()
    after = await house.ids(number)
    assert {key: after[key] for key in before} == before
    assert set(after) - set(before) == {name}
    assert f"{wallet}/spot/XLM" not in await house.held(number)
    assert await house.sums_agree(number)

    facts = await house.facts(number)
    (done,) = await rebuild_all(house.runtime.context, house.principal, number)
    assert (done[2].changed, done[2].taken_back) == (0, 0)
    assert (await house.facts(number), await house.ids(number)) == (facts, after)


async def test_two_accounts_of_one_payment_share_its_event(house: Installation, chain: Stellar) -> None:
    chain.create(BANK, ME, 10 * ONE)
    name = chain.pay(ME, SHOP, NATIVE, 4 * ONE)
    numbers = [await house.enter("stellar", {"wallet": who}) for who in (ME, SHOP)]
    await house.work()
    rows = [next(row for row in await house.transactions(number) if row.name == name) for number in numbers]
    assert {row.event for row in rows} == {f"stellar:pubnet:{name}"}
    assert [sorted(str(leg.amount) for leg in row.legs) for row in rows] == [["-0.00001", "-4"], ["4"]]
