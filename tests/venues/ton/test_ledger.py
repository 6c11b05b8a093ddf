"""TON end to end: an indexer's answers, the real refresh and the ledger; what was held is what the legs add up to."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.stage import loopback
from tests.venues.reading import Reading
from tests.venues.ton.world import BOUNCED, World

from omnifolio.app.explaining_networks import explain_network
from omnifolio.ledger import coverage
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse, VenueBusy
from omnifolio.model.settings import Settings
from omnifolio.store.engine import Store
from omnifolio.venues.ton import history
from omnifolio.venues.ton.address import spelt

KEY = "tvm:-239"


def name(digest: str) -> str:
    """A transaction's name as we tell it."""
    return base64.b64decode(digest).hex()


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    async with loopback(world.answer) as base:
        yield base


def wallet_of(world: World) -> str:
    """The wallet's key, CAIP-10."""
    return f"{KEY}:0%3A{world.me[2:].lower()}"


async def begun(store: Store, world: World, url: str, **more: str) -> Reading:
    return await Reading.begin(store, "ton", url, world.me, **more)


def busy(world: World) -> dict[str, str]:
    """A life with everything in it; the names of its transactions by what they are."""
    world.jetton("USDT")
    world.jetton("OLD", "9")
    told = {"first": world.get(5_000_000_000), "mint": world.get_jetton("OLD", 4_000_000_000, None)}
    told["came"] = world.get_jetton("USDT", 250_000_000)
    told["paid"] = world.send(1_250_000_000)
    told["sent"] = world.send_jetton("USDT", 50_000_000)
    told["refused"] = world.send_jetton("USDT", 900_000_000, works=False)
    told["failed"] = world.fail()
    told["burnt"] = world.burn("OLD", 1_000_000_000)
    told["returned"] = world.burn("OLD", 500_000_000, comes_back=True)
    told["pixel"] = world.item("pixel", comes=True)
    world.item("gone", comes=True)
    world.item("gone", comes=False)
    world.send(200_000_000, "shop")
    world.get(199_000_000, "shop", bounced=True, opcode=BOUNCED)
    return {what: name(digest) for what, digest in told.items()}


async def test_a_round_of_the_refresher_brings_balances_that_the_history_explains(store: Store, world: World, url: str) -> None:
    names = busy(world)
    reading = await begun(store, world, url)
    await reading.refresh()
    wallet = wallet_of(world)
    coins = f"{world.units[world.me] / 10**9:.9f}".rstrip("0")
    held = {"GRAM": coins, "USDT": "200", "OLD": "3", "Pixel": "1"}
    assert await reading.book.held() == {f"{wallet}/spot/{ticker}": amount for ticker, amount in held.items()}
    assert await reading.book.calculated() == {f"{wallet}/{ticker}": amount for ticker, amount in held.items()}
    assert await reading.gaps() == {"stakes_unread"}
    types = await reading.types()
    assert types[names["failed"]] == "other failed"
    assert (types[names["first"]], types[names["mint"]], types[names["came"]]) == ("deposit",) * 3
    assert (types[names["paid"]], types[names["sent"]], types[names["burnt"]]) == ("withdrawal",) * 3
    assert types[names["refused"]] == "other"
    covered = (await store.read(coverage.intervals_of, reading.book.account))["transfers/ton"]
    assert [(interval.start, interval.end) for interval in covered] == [(0, world.now * 1000)]


async def test_a_jetton_is_sent_by_one_transaction_and_leaves_by_another_and_both_are_one(
    store: Store, world: World, url: str
) -> None:
    names = busy(world)
    reading = await begun(store, world, url)
    await reading.sync()
    assert await reading.legs(names["sent"]) == {"GRAM": ["-0.05", "0.045"], "GRAM fee": ["-0.0034"], "USDT": ["-50"]}
    assert await reading.legs(names["refused"]) == {"GRAM": ["-0.05", "0.045"], "GRAM fee": ["-0.0034"]}
    assert await reading.legs(names["returned"]) == {"GRAM": ["-0.05"], "GRAM fee": ["-0.0034"], "OLD": ["-0.5", "0.5"]}
    assert await reading.legs(names["failed"]) == {"GRAM fee": ["-0.003"]}
    assert await reading.legs(names["mint"]) == {"OLD": ["4"]}


async def test_a_recorded_conversation_tells_the_same_without_the_server(store: Store, world: World, url: str) -> None:
    busy(world)
    reading = await begun(store, world, url)
    await reading.sync()
    lines: list[Any] = await reading.replayed()
    held = {line["asset"]: line["amount"] for line in lines if line["kind"] == "balance"}
    assert held == {key.rpartition("/")[2]: amount for key, amount in (await reading.book.held()).items()}
    assert len([line for line in lines if line["kind"] == "transaction"]) == len(await reading.book.transactions())


async def test_one_trace_is_told_by_the_name_of_any_of_its_transactions(store: Store, world: World, url: str) -> None:
    names = busy(world)
    reading = await begun(store, world, url)
    await reading.sync()
    known = sorted(claim.ref for page in reading.pages for claim in page.claims if claim.name == names["sent"])
    first = base64.b64encode(bytes.fromhex(known[0])).decode()
    for name_ in (names["sent"], f"0x{known[1]}", first, first.replace("+", "-").replace("/", "_")):
        assert sorted(claim.ref for claim in (await reading.one(name_)).claims) == known
    settings = Settings(base_urls={"ton": url})
    for account in (world.me, wallet_of(world)):
        lines: list[Any] = await explain_network(
            settings, reading.network, name=names["sent"], accounts=[account], clock=SystemClock()
        )
        (line,) = [line for line in lines if line["kind"] == "transaction"]
        assert {leg["asset"] for leg in line["legs"]} == {"GRAM", "USDT"}
    with pytest.raises(InvalidField, match="32 bytes"):
        await reading.one("abc")
    with pytest.raises(NotFound, match="no transaction of this name"):
        await reading.one("ab" * 32)


async def test_coins_for_a_jetton_in_one_trace_are_a_trade(store: Store, world: World, url: str) -> None:
    world.jetton("USDT")
    world.get(9_000_000_000)
    trace = world.send(2_000_000_000, "exchange", opcode=0xEA06185D)
    world.get_jetton("USDT", 6_100_000, "exchange")
    world.rows[world.jettons["USDT"]["wallet"]][-1]["trace_id"] = trace
    reading = await begun(store, world, url)
    await reading.sync()
    assert (await reading.types())[name(trace)] == "trade"


@pytest.mark.parametrize("pages_max", range(1, 9))
async def test_a_walk_that_is_broken_off_goes_on_where_it_was(
    store: Store, world: World, url: str, monkeypatch: pytest.MonkeyPatch, pages_max: int
) -> None:
    """Pages of three; the process dies after some of them, more happens, and then it reads on."""
    monkeypatch.setattr(history, "PAGE", 3)
    busy(world)
    reading = await begun(store, world, url)
    await reading.sync(pages_max=pages_max)
    world.get(7)
    world.get_jetton("USDT", 1)
    await reading.sync()
    summed = await reading.book.calculated()
    assert [amount for key, amount in summed.items() if key.endswith("/USDT")] == ["200.000001"]
    assert [amount for key, amount in summed.items() if key.endswith("/GRAM")] == [
        amount for key, amount in (await reading.book.held()).items() if key.endswith("/GRAM")
    ]
    asked = len(world.asked)
    again = {claim.name for page in await reading.sync() for claim in page.claims}
    assert again == {name(move["trace_id"]) for move in world.moves}, "only NFTs are looked at once more"
    assert len(world.asked) - asked == 9, "a jetton that did not move is not asked for"
    assert await reading.rebuild() == (0, 0)


async def test_what_the_messages_do_not_explain_is_a_leg_of_its_own_where_balances_are_told(
    store: Store, world: World, url: str
) -> None:
    """A reward that a protocol credits without a message: the states before and after decide."""
    world.get(1_000_000_000)
    odd = world.get(10)
    row = world.rows[world.me][-1]
    row["account_state_after"]["balance"] = str(int(row["account_state_after"]["balance"]) + 77)
    world.units[world.me] += 77
    reading = await begun(store, world, url)
    await reading.sync()
    assert await reading.legs(name(odd)) == {"GRAM": ["0.00000001", "0.000000077"]}
    assert list((await reading.book.calculated()).values()) == list((await reading.book.held()).values()) == ["1.000000087"]


async def test_fees_follow_from_the_messages_where_no_balances_are_told(store: Store, world: World, url: str) -> None:
    world.states = False
    world.get(1_000_000_000)
    paid = world.send(300_000_000)
    reading = await begun(store, world, url)
    await reading.sync()
    assert await reading.legs(name(paid)) == {"GRAM": ["-0.3"], "GRAM fee": ["-0.0034"]}
    assert list((await reading.book.calculated()).values()) == list((await reading.book.held()).values())


async def test_a_transaction_that_the_indexer_leaves_out_is_missed(store: Store, world: World, url: str) -> None:
    world.get(1_000_000_000)
    world.get(5)
    world.hidden.add(world.rows[world.me][-1]["hash"])
    world.get(6)
    reading = await begun(store, world, url)
    await reading.sync()
    assert "transactions_unread" in await reading.gaps()


async def test_a_jetton_that_says_nothing_of_itself_is_said_to_be_unknown(store: Store, world: World, url: str) -> None:
    world.jetton("DARK")
    world.unindexed.add("DARK")
    world.get(1)
    world.get_jetton("DARK", 5)
    reading = await begun(store, world, url)
    await reading.sync()
    assert await reading.gaps() == {"stakes_unread", "decimals_unknown"}
    world.unindexed.clear()
    await reading.sync()
    assert [amount for key, amount in (await reading.book.calculated()).items() if key.endswith("DARK")] == ["0.000005"]


async def test_an_address_that_was_never_used_holds_nothing(store: Store, world: World, url: str) -> None:
    reading = await begun(store, world, url)
    await reading.refresh()
    assert (await reading.book.held(), await reading.book.transactions()) == ({}, [])


async def test_history_from_a_day_on_says_what_it_leaves_out(store: Store, world: World, url: str) -> None:
    world.get(1_000_000_000)
    day = await begun(store, world, url, history="2030-01-01")
    await day.sync()
    assert (await day.book.transactions(), await day.gaps()) == ([], {"stakes_unread", "not_wanted"})
    none = Reading(await day.book.beside("none"), "ton", url, world.me, history="balances")
    await none.sync()
    assert await none.gaps() == {"stakes_unread", "history_not_wanted"}
    assert all("/transactions" not in asked for asked in world.asked[-4:])


@pytest.mark.parametrize(
    ("fault", "error"),
    [(429, VenueBusy), (422, VenueBadResponse), (b"<html>", VenueBadResponse), (b'{"accounts":{}}', VenueBadResponse)],
)
async def test_a_fault_of_the_server_loses_nothing(
    store: Store, world: World, url: str, fault: int | bytes, error: type[Exception]
) -> None:
    world.get(1_000_000_000)
    reading = await begun(store, world, url)
    world.faults = [fault] * 8
    with pytest.raises(error):
        await reading.sync()
    world.faults = []
    await reading.sync()
    assert list((await reading.book.held()).values()) == ["1"]


async def test_balances_that_move_while_they_are_read_are_read_again(store: Store, world: World, url: str) -> None:
    world.get(1_000_000_000)
    reading = await begun(store, world, url)
    answered = world.answer

    async def meanwhile(request):  # type: ignore[no-untyped-def]  # aiohttp's own types
        if len(world.asked) == 2:
            world.get(5)
        return await answered(request)

    async with loopback(meanwhile) as other:
        reading.url = other
        await reading.sync(pages_max=1)
    assert list((await reading.book.held()).values()) == ["1.000000005"]
    assert len(world.asked) == 8


def test_the_wallet_is_spelt_in_one_way() -> None:
    assert spelt(World().me).startswith("EQ")
