"""Sui end to end: a server's answers, the real refresh and the ledger; what was held is what the legs add up to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.stage import START_MS, loopback
from tests.venues.reading import Reading
from tests.venues.sui.world import BACK, COMPUTING, ME, OTHER, SPONSOR, STORING, SUI, USDC, World

from omnifolio.ledger import coverage
from omnifolio.model.amounts import canonical, from_units
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse, VenueBusy
from omnifolio.store.engine import Store

WALLET = f"sui:35834a8a:{ME}"
GAS = COMPUTING + STORING - BACK
POOR = "0x0000000000000000000000000000000000000000000000000000000000000999::dark::DARK"


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with loopback(world.answer) as base:
        yield f"{base}/graphql"


async def begun(store: Store, url: str, **more: str) -> Reading:
    return await Reading.begin(store, "sui", url, ME, **more)


def busy(world: World) -> dict[str, str]:
    """A life with everything in it; the digests of its transactions by what they are."""
    return {
        "came": world.act((SUI, 50_000_000_000, ME), (SUI, -50_000_000_000, OTHER), sender=OTHER),
        "bought": world.act((SUI, -5_000_000_000, ME), (USDC, 9_000_000, ME)),
        "sent": world.act((USDC, -2_500_000, ME), (USDC, 2_500_000, OTHER)),
        "failed": world.act((SUI, -1, ME), works=False),
        "sponsored": world.act((USDC, -500_000, ME), (USDC, 500_000, OTHER), sponsor=SPONSOR),
        "crowd": world.act((SUI, 7, ME), sender=OTHER, more=120),
        "stranger": world.act((SUI, 7, SPONSOR), sender=OTHER),
    }


async def held(world: World, reading: Reading) -> dict[str, str]:
    """What the world says is held, as the ledger should tell it."""
    units = world.held(ME, world.checkpoint)
    return {f"{WALLET}/SUI": canonical(from_units(units[SUI], 9)), f"{WALLET}/USDC": canonical(from_units(units[USDC], 6))}


async def test_a_round_of_the_refresher_brings_balances_that_the_history_explains(store: Store, world: World, url: str) -> None:
    digests = busy(world)
    reading = await begun(store, url)
    await reading.refresh()
    expected = await held(world, reading)
    assert await reading.book.calculated() == expected
    assert await reading.book.held() == {key.replace(f"{ME}/", f"{ME}/spot/"): amount for key, amount in expected.items()}
    types = await reading.types()
    assert types == {
        digests["came"]: "deposit",
        digests["bought"]: "trade",
        digests["sent"]: "withdrawal",
        digests["failed"]: "other failed",
        digests["sponsored"]: "withdrawal",
        digests["crowd"]: "deposit",
    }
    assert await reading.gaps() == {"objects_unread"}
    covered = (await store.read(coverage.intervals_of, reading.book.account))["transfers/sui"]
    assert [(interval.start, interval.end) for interval in covered] == [(0, START_MS + world.checkpoint * 1000)]


async def test_gas_is_the_payers_with_what_came_back_for_storage(store: Store, world: World, url: str) -> None:
    digests = busy(world)
    reading = await begun(store, url)
    await reading.sync()
    fee = canonical(from_units(-GAS, 9))
    assert await reading.legs(digests["came"]) == {"SUI": ["50"]}
    assert await reading.legs(digests["bought"]) == {"SUI": ["-5"], "SUI fee": [fee], "USDC": ["9"]}
    assert await reading.legs(digests["failed"]) == {"SUI fee": [fee]}
    assert await reading.legs(digests["sponsored"]) == {"USDC": ["-0.5"]}
    assert await reading.legs(digests["crowd"]) == {"SUI": ["0.000000007"]}


@pytest.mark.parametrize("pages_max", range(2, 6))
async def test_a_walk_that_is_broken_off_goes_on_where_it_was(store: Store, world: World, url: str, pages_max: int) -> None:
    """Pages of two; the process dies after some of them, more happens, and the server may have forgotten the place."""
    world.page = 2
    busy(world)
    reading = await begun(store, url)
    await reading.sync(pages_max=pages_max)
    world.stale = {"2"} if pages_max % 2 else set()
    world.act((USDC, 1_000_000, ME), (USDC, -1_000_000, OTHER), sender=OTHER)
    await reading.sync()
    assert await reading.book.calculated() == await held(world, reading)
    assert [len(page.claims) for page in await reading.sync()] == [0, 0], "nothing is read twice"
    assert await reading.rebuild() == (0, 0)


async def test_a_recorded_conversation_tells_the_same_without_the_server(store: Store, world: World, url: str) -> None:
    busy(world)
    world.stakes = [(3, 1_000_000_000)]
    reading = await begun(store, url)
    await reading.sync()
    lines: list[Any] = await reading.replayed()
    held = {(line["asset"], line["product"]): line["amount"] for line in lines if line["kind"] == "balance"}
    assert held == {tuple(key.split("/")[:-3:-1]): amount for key, amount in (await reading.book.held()).items()}
    assert len([line for line in lines if line["kind"] == "transaction"]) == 6


async def test_one_transaction_is_told_by_its_digest(store: Store, world: World, url: str) -> None:
    digests = busy(world)
    reading = await begun(store, url)
    await reading.sync()
    known = {claim.ref: claim for page in reading.pages for claim in page.claims}
    for what in ("bought", "failed", "crowd"):
        assert [replace(claim, evidence=None) for claim in (await reading.one(digests[what])).claims] == [
            replace(known[digests[what]], evidence=None)
        ]
    with pytest.raises(InvalidField, match="32 bytes in base58"):
        await reading.one("abc")
    with pytest.raises(NotFound, match="no transaction of this digest"):
        await reading.one("1" * 32)


async def test_pages_of_balances_are_of_one_checkpoint(store: Store, world: World, url: str) -> None:
    """Coins that are sent away between two pages are told as they were at the first one's checkpoint."""
    busy(world)
    world.page = 1
    answered = world.answer

    async def meanwhile(request):  # type: ignore[no-untyped-def]  # aiohttp's own types
        found = await answered(request)
        if len(world.asked) == 1:
            world.act((USDC, -6_000_000, ME), (USDC, 6_000_000, OTHER))
        return found

    reading = await begun(store, url)
    async with loopback(meanwhile) as other:
        reading.url = other
        await reading.sync(pages_max=1)
    assert (await reading.book.held())[f"{WALLET}/spot/USDC"] == "6"


async def test_stakes_are_worth_what_they_earned_too(store: Store, world: World, url: str) -> None:
    """Two stakes of different epochs, and one that does not count yet."""
    world.stakes = [(3, 1_000_000_000), (5, 2_200_000_000), (8, 500_000_000)]
    reading = await begun(store, url)
    await reading.sync()
    assert await reading.book.held() == {f"{WALLET}/staked/staked/SUI": "4.13"}
    assert await reading.gaps() == {"objects_unread", "rewards_not_listed"}


async def test_what_is_staked_and_what_comes_back_is_told_by_its_events(store: Store, world: World, url: str) -> None:
    validator = "0x0000000000000000000000000000000000000000000000000000000000000003::validator::"
    put = {"staker_address": ME, "amount": "2000000000", "pool_id": "0x1"}
    taken = {"staker_address": ME, "principal_amount": "1000000000", "reward_amount": "30000000"}
    strange = {"staker_address": ME, "amount": "many"}
    world.act((SUI, 9_000_000_000, ME), sender=OTHER)
    staked = world.act((SUI, -2_000_000_000, ME), events=((f"{validator}StakingRequestEvent", put),))
    back = world.act((SUI, 1_030_000_000, ME), events=(("0x3::validator::UnstakingRequestEvent", taken),))
    other = world.act(
        (SUI, -5, ME), events=((f"{validator}StakingRequestEvent", put), (f"{validator}StakingRequestEvent", strange))
    )
    theirs = world.act((SUI, -2_000_000_000, ME), events=((f"{validator}StakingRequestEvent", put | {"staker_address": OTHER}),))
    reading = await begun(store, url)
    await reading.sync()
    types = await reading.types()
    assert [types[name] for name in (staked, back, other, theirs)] == ["staking", "unstaking", "withdrawal", "withdrawal"]
    assert (await reading.legs(back))["SUI"] == ["0.03", "1"]
    assert await reading.book.calculated() == {f"{WALLET}/SUI": canonical(from_units(world.held(ME, world.checkpoint)[SUI], 9))}


async def test_rewards_that_nobody_tells_are_said_to_be_unknown(store: Store, world: World, url: str) -> None:
    world.stakes = [(3, 1_000_000_000), (4, 1_000_000_000)]
    reading = await begun(store, url)
    await reading.sync()
    assert await reading.book.held() == {f"{WALLET}/staked/staked/SUI": "2.21"}
    assert "rewards_unknown" in await reading.gaps()
    world.has_rates = False
    await reading.sync()
    assert await reading.book.held() == {f"{WALLET}/staked/staked/SUI": "2"}


async def test_coins_that_say_nothing_of_themselves_are_not_counted(store: Store, world: World, url: str) -> None:
    dark = world.act((POOR, 5, ME), (POOR, -5, OTHER))
    reading = await begun(store, url)
    await reading.sync()
    assert await reading.gaps() == {"objects_unread", "decimals_unknown"}
    assert await reading.legs(dark) == {"SUI fee": [canonical(from_units(-GAS, 9))]}


async def test_a_server_that_keeps_no_old_transactions_is_told(store: Store, world: World, url: str) -> None:
    busy(world)
    world.first = 110
    reading = await begun(store, url)
    await reading.sync()
    assert "pruned" in await reading.gaps()
    covered = (await store.read(coverage.intervals_of, reading.book.account))["transfers/sui"]
    assert covered[0].start == START_MS + 110_000


async def test_history_from_a_day_on_says_what_it_leaves_out(store: Store, world: World, url: str) -> None:
    busy(world)
    day = await begun(store, url, history="2030-01-01")
    await day.sync()
    assert (await day.book.transactions(), await day.gaps()) == ([], {"objects_unread", "not_wanted"})
    none = Reading(await day.book.beside("none"), "sui", url, ME, history="balances")
    await none.sync()
    assert await none.gaps() == {"objects_unread", "history_not_wanted"}
    assert world.asked[-1] != "history"


@pytest.mark.parametrize(
    ("fault", "error"),
    [(429, VenueBusy), (400, VenueBadResponse), (b"<html>", VenueBadResponse), (b'{"data":{"checkpoint":7}}', VenueBadResponse)],
)
async def test_a_fault_of_the_server_loses_nothing(
    store: Store, world: World, url: str, fault: int | bytes, error: type[Exception]
) -> None:
    busy(world)
    reading = await begun(store, url)
    world.faults = [fault] * 8
    with pytest.raises(error):
        await reading.sync()
    world.faults = []
    await reading.sync()
    assert await reading.book.calculated() == await held(world, reading)


@pytest.mark.parametrize("other", ["4c78adac", "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD", "", "0OIl"])
async def test_a_server_of_another_network_is_not_believed(store: Store, world: World, url: str, other: str) -> None:
    """The test network's, by four bytes of its first checkpoint and by the whole digest."""
    world.identifier = other
    reading = await begun(store, url)
    with pytest.raises(VenueBadResponse, match="not one of the network Sui"):
        await reading.sync()
