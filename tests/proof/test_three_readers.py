"""Three unlike readers on one ledger: a keyed exchange in pages, a chain that reorganises, a file that overlaps the exchange.

Whatever comes first, and wherever the process dies, the same transactions stand there in the end, with ids that never changed.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest

from omnifolio.app.rebuilding import rebuild_all
from omnifolio.catalog.chains import evm_chain
from omnifolio.ledger import feed, overlays
from omnifolio.model.amounts import canonical, from_units
from omnifolio.model.clock import DAY_MS, MINUTE_MS
from omnifolio.model.ids import AccountId
from tests.anvil import FINALITY_BLOCKS, MULTICALL3, Anvil, anvil, calldata
from tests.ledger.histories import Mirror, live
from tests.proof.simulation import NOW, Installation, Venues, installed, simulated

USER = "proof"
ETHEREUM = evm_chain("ethereum")
ORDERS = [
    ("api", "ledgers"),
    ("ledgers", "api"),
    ("ledgers", "trades", "api"),
    ("trades", "ledgers", "api"),
]
CUTS = (3, 29, 60)
"""Statements after which the process dies, within each source: in its first unit of work, and in later ones."""


@cache
def export(kind: str) -> str:
    """The venue's own export of everything until the beginning of the tests' time."""
    asked = ["csv", "--user", USER, "--venue", "kraken", "--kind", kind, "--at", str(NOW)]
    return subprocess.run([sys.executable, "-m", "omnifolio_sandbox", *asked], check=True, capture_output=True, text=True).stdout


def source(house: Installation, number: AccountId, name: str) -> Callable[[], Awaitable[None]]:
    """One source of the account's history, to be read from where it stands."""
    return partial(house.sync, number) if name == "api" else partial(house.read_file, number, export(name))


async def label(house: Installation, number: AccountId, name: str) -> None:
    """A person's word on the transaction of that name."""
    target = str((await house.ids(number))[name])
    await house.runtime.context.store.write(
        overlays.put, house.principal, kind="label", target=target, value=f"my {name}", now=house.time.now()
    )


async def labels(house: Installation, number: AccountId) -> dict[str, str]:
    """What a person said, by the name of the transaction that it hangs on now."""
    names = {str(id_): name for name, id_ in (await house.ids(number)).items()}
    return {names[o.target]: o.value for o in await house.runtime.context.store.read(overlays.listed, house.principal)}


def born(ids: dict[str, int]) -> list[str]:
    """The names in the order in which their ids were minted; a sequence of PostgreSQL skips what a crash rolled back."""
    return sorted(ids, key=lambda name: ids[name])


async def read_all(house: Installation, number: AccountId, order: tuple[str, ...], cuts: tuple[int, ...]) -> None:
    """Every source in order; within each the process dies as often as there are cuts, and begins again."""
    for place, name in enumerate(order):
        for after in cuts:
            await house.crash(after, source(house, number, name))
        await source(house, number, name)()
        if place == 0:
            for told in sorted(await house.ids(number))[::20]:
                await label(house, number, told)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_sources_in_any_order_with_crashes_between_tell_the_truth_under_the_same_ids(
    house: Installation, venues: Venues, order: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> None:
    number = await house.link("kraken", USER)
    await read_all(house, number, order, CUTS)
    assert await house.facts(number) == venues.truth(USER, "kraken")
    assert await house.sums_agree(number)
    said = await labels(house, number)
    assert said
    assert set(said.values()) == {f"my {name}" for name in said}
    ids = await house.ids(number)
    assert len(set(ids.values())) == len(ids)

    (done,) = await rebuild_all(house.runtime.context, house.principal, number)
    assert (done[2].changed, done[2].taken_back) == (0, 0)
    assert await house.facts(number) == venues.truth(USER, "kraken")
    assert (await house.ids(number), await labels(house, number)) == (ids, said)

    folder = tmp_path_factory.mktemp("whole")
    (folder / "data").mkdir()
    (folder / "data" / "omnifolio.db").write_bytes(sqlite_template.read_bytes())
    with simulated() as others:
        async with installed(f"sqlite:///{folder}/data/omnifolio.db", folder / "keys", others) as whole:
            account = await whole.link("kraken", USER)
            await read_all(whole, account, order, ())
            assert born(await whole.ids(account)) == born(ids)


@pytest.fixture
def node() -> Iterator[Anvil]:
    """A fresh node as Ethereum's main network."""
    with anvil(chain_id=1) as running:
        running.place("Wrapped", ETHEREUM.wrapped, ("bool",), False)
        running.place("Multicall", MULTICALL3)
        yield running


@pytest.fixture
async def chained(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues, node: Anvil
) -> AsyncIterator[Installation]:
    """An installation whose Ethereum is the node."""
    async with installed(database_url, tmp_path_factory.mktemp("keys"), venues, base_urls={"ethereum": node.url}) as made:
        yield made


async def follow(house: Installation, cursor: str, mirror: Mirror) -> str:
    """Applies all further changes of the change log to a mirror; gives the cursor after them."""
    while True:
        answer = await house.runtime.context.store.read(feed.changes, house.principal, cursor=cursor, limit=7)
        assert not answer.is_reset
        for change in answer.changes:
            mirror[change.kind, change.id, change.detail if change.kind == "balances" else ""] = not change.is_removed
        cursor = answer.cursor
        if not answer.has_more:
            return cursor


async def test_an_exchange_a_moving_chain_and_a_file_live_on_one_ledger(
    chained: Installation, venues: Venues, node: Anvil
) -> None:
    """The chain drops, replaces and takes up again transactions, the exchange goes on, the process dies in between."""
    house = chained
    bank, me, *others = node.accounts
    funded, token = node.balance(me), node.token("TKA", 6)
    stays = node.send(bank, me, value=1)["transactionHash"]
    snapshot = node.rpc("evm_snapshot")
    returns = node.send(others[0], token, calldata("mint(address,uint256)", me, 40))["transactionHash"]
    replaced = node.send(bank, me, value=200)["transactionHash"]
    dropped = node.send(others[1], me, value=3_000)["transactionHash"]

    chain, exchange = await house.enter("ethereum", {"wallet": me}), await house.link("kraken", USER)
    for cut in CUTS:
        await house.crash(cut, house.work)
    await house.work()
    mirror: Mirror = {}
    cursor = await follow(house, "", mirror)
    before = await house.ids(chain)
    assert set(before) == {stays, returns, replaced, dropped}
    for name in (stays, returns, dropped):
        await label(house, chain, name)
    remembered = {int(cursor): await house.books_at(int(cursor))}

    assert node.rpc("evm_revert", snapshot)
    node.mine()
    replacing = node.send(bank, me, value=500)["transactionHash"]
    assert node.send(others[0], token, calldata("mint(address,uint256)", me, 40))["transactionHash"] == returns
    await house.read_file(exchange, export("ledgers"))
    venues.pass_time(2 * DAY_MS)
    for cut in CUTS:
        await house.crash(cut, house.sync)
    await house.sync()
    cursor = await follow(house, cursor, mirror)
    after = await house.ids(chain)
    assert set(after) == {stays, replacing, returns}
    assert (after[stays], after[returns]) == (before[stays], before[returns])
    remembered[int(cursor)] = await house.books_at(int(cursor))

    assert node.send(others[1], me, value=3_000)["transactionHash"] == dropped
    node.mine(FINALITY_BLOCKS)
    venues.pass_time(MINUTE_MS)
    await house.sync()
    cursor = await follow(house, cursor, mirror)
    assert (await house.ids(chain))[dropped] == before[dropped]
    assert await labels(house, chain) == {name: f"my {name}" for name in (stays, returns, dropped)}

    wallet = ETHEREUM.wallet(me)
    tokens = canonical(from_units(node.call(token, "balanceOf(address)", me), 6))
    held = {f"{wallet}/spot/ETH": canonical(from_units(node.balance(me), 18)), f"{wallet}/spot/TKA": tokens}
    assert await house.held(chain) == held
    earned = sum(leg.amount for row in await house.transactions(chain) for leg in row.legs if leg.amount < 40)
    assert earned == from_units(node.balance(me) - funded, 18) + from_units(40, 6)
    assert await house.facts(exchange) == venues.truth(USER, "kraken")
    assert await house.sums_agree(chain)
    assert await house.sums_agree(exchange)

    ids = set((await house.ids(chain)).values()) | set((await house.ids(exchange)).values())
    assert {number for kind, number, _ in live(mirror) if kind == "transaction"} == ids
    for seq, books in remembered.items():
        assert await house.books_at(seq) == books
    facts = await house.facts(chain), await house.facts(exchange)
    assert [
        (done.changed, done.taken_back) for _, _, done in await rebuild_all(house.runtime.context, house.principal, None)
    ] == [
        (0, 0),
        (0, 0),
    ]
    assert (await house.facts(chain), await house.facts(exchange)) == facts
