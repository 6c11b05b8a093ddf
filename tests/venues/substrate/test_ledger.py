"""A chain of Substrate end to end: a node's storage, the real refresh and the ledger."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.stage import loopback
from tests.venues.reading import Reading
from tests.venues.substrate.world import ALICE, World, compact

from omnifolio.catalog.substrate_chains import substrate_chain
from omnifolio.model.errors import EgressRefused, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.store.engine import Store
from omnifolio.venues.substrate.address import encode
from omnifolio.venues.substrate.node import Node

CHAIN = substrate_chain("kusama-asset-hub")
ADDRESS = encode(ALICE, CHAIN.prefix)
WALLET = f"polkadot:48239ef607d7928874027a43a6768920:{ADDRESS}"
KSM = 10**12


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with loopback(world.answer) as base:
        yield f"{base}/rpc"


async def begun(store: Store, url: str, chain: str = CHAIN.id) -> Reading:
    return await Reading.begin(store, chain, url, ADDRESS)


async def held(reading: Reading) -> dict[str, str]:
    return {key.removeprefix(f"{WALLET}/"): amount for key, amount in (await reading.book.held()).items()}


async def test_a_round_of_the_refresher_brings_every_coin_once(store: Store, world: World, url: str) -> None:
    world.write(5 * KSM, 4 * KSM, 2 * KSM, staked=3 * KSM, assets={1984: 12_500_000, 8: 5})
    world.name(8, "RMRK", 2)
    world.pooled, world.owed = KSM // 2, 1
    reading = await begun(store, url)
    await reading.refresh()
    assert await held(reading) == {
        "spot/KSM": "5", "staked/staked/KSM": "3.5", "reserved/spot/KSM": "0.5", "owed/earn/KSM": "0.000000000001",
        "spot/USDT": "12.5", "spot/RMRK": "0.05",
    }  # fmt: skip
    assert await reading.gaps() == {"history_unread", "collectibles_unread"}
    assert await reading.rebuild() == (0, 0)
    lines: list[Any] = await reading.replayed()
    assert len([line for line in lines if line["kind"] == "balance"]) == 6


@pytest.mark.parametrize(
    ("coins", "staked", "pooled", "parts"),
    [
        ((9, 0, 4), 3, 0, {"spot/KSM": "6", "staked/staked/KSM": "3"}),
        ((9, 3, 0), 3, 2, {"spot/KSM": "9", "staked/staked/KSM": "5"}),
        ((9, 1, 0), 3, 0, {"spot/KSM": "9", "reserved/spot/KSM": "1"}),
    ],
    ids=["frozen, as before", "with the pool, as before", "unclear"],
)
async def test_what_is_staked_is_never_counted_twice(
    store: Store, world: World, url: str, coins: tuple[int, int, int], staked: int, pooled: int, parts: dict[str, str]
) -> None:
    world.write(*(units * KSM for units in coins), staked=staked * KSM)
    world.pooled = pooled * KSM
    reading = await begun(store, url)
    await reading.sync()
    assert await held(reading) == parts
    assert ("stakes_unclear" in await reading.gaps()) == (parts.keys() == {"spot/KSM", "reserved/spot/KSM"})


async def test_all_of_it_is_read_at_one_block(store: Store, world: World, url: str) -> None:
    """Coins that become an asset between two questions are told as they were at the first block."""
    world.write(5 * KSM)
    answered = world.answer

    async def meanwhile(request):  # type: ignore[no-untyped-def]  # aiohttp's own types
        if world.asked[-1:] == ["chain_getHeader"]:
            world.write(KSM, assets={1984: 9})
        return await answered(request)

    reading = await begun(store, url)
    async with loopback(meanwhile) as other:
        reading.url = other
        await reading.sync()
    assert await held(reading) == {"spot/KSM": "5"}


async def test_a_node_without_pools_costs_them_alone(store: Store, world: World, url: str) -> None:
    world.write(5 * KSM)
    world.pooled = None
    reading = await begun(store, url)
    await reading.sync()
    assert await held(reading) == {"spot/KSM": "5"}
    assert "pools_unread" in await reading.gaps()


async def test_an_older_node_tells_the_listed_assets_alone(store: Store, world: World, url: str) -> None:
    world.write(5 * KSM, assets={1984: 12_500_000, 8: 5})
    world.is_old = True
    reading = await begun(store, url)
    await reading.sync()
    assert await held(reading) == {"spot/KSM": "5", "spot/USDT": "12.5"}
    assert "assets_unread" in await reading.gaps()


async def test_assets_that_are_not_counted_are_said_to_be_there(store: Store, world: World, url: str) -> None:
    """One of another chain, and one that says nothing of itself."""
    world.write(5 * KSM, assets={9: 5})
    world.others = bytes([2, 1, 9, 7]) + compact(1) + b"\0" + compact(77)
    reading = await begun(store, url)
    await reading.sync()
    assert await held(reading) == {"spot/KSM": "5"}
    assert {"foreign_assets_unread", "decimals_unknown"} < await reading.gaps()


async def test_a_relay_chain_is_not_asked_for_what_left_it(store: Store, world: World, url: str) -> None:
    world.genesis = "0xb0a8d493285c2df73290dfb7e61f870f17b41801197a149ca93654499ea3dafe"
    reading = await begun(store, url, "kusama")
    await reading.sync()
    assert await reading.book.held() == {}
    assert "state_call" not in world.asked
    assert len(world.asked) == 4


async def test_a_node_of_another_chain_is_not_believed(store: Store, world: World, url: str) -> None:
    world.genesis = "0x" + "12" * 32
    reading = await begun(store, url)
    with pytest.raises(VenueBadResponse, match="not one of Kusama Asset Hub"):
        await reading.sync()


async def test_a_node_that_is_behind_is_not_believed(store: Store, world: World, url: str) -> None:
    world.write(5 * KSM)
    reading = await begun(store, url)
    await reading.sync()
    world.blocks.pop()
    with pytest.raises(VenueUnavailable, match="behind"):
        await reading.sync()
    assert await held(reading) == {"spot/KSM": "5"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (429, VenueBusy),
        (403, VenueBadResponse),
        (b"<html>", VenueBadResponse),
        (b'{"result":7}', VenueBadResponse),
        (b'{"error":{"code":1}}', VenueBadResponse),
    ],
)
async def test_a_fault_of_the_node_loses_nothing(
    store: Store, world: World, url: str, fault: int | bytes, error: type[Exception]
) -> None:
    world.write(5 * KSM)
    reading = await begun(store, url)
    world.faults = [fault] * 8
    with pytest.raises(error):
        await reading.sync()
    world.faults = []
    await reading.sync()
    assert await held(reading) == {"spot/KSM": "5"}


async def test_no_method_that_writes_is_ever_sent(store: Store, world: World, url: str) -> None:
    reading = await begun(store, url)
    async with reading.access() as access:
        for method in ("author_submitExtrinsic", "author_insertKey"):
            with pytest.raises(EgressRefused):
                await Node(access, url=url, stream="balances/kusama").ask("coins", method, [])
    assert world.asked == []
