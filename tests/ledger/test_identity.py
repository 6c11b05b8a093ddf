"""Identity: one event has one transaction and one id, whatever the order in which its records arrive."""

import itertools
from collections.abc import Sequence

import pytest

from omnifolio.model.facts import Batch, Rewind
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, batch, claim, leg, rows_in
from tests.ledger.histories import API, CSV, TRADES


async def test_an_event_seen_through_two_books_is_one_transaction_with_the_ledgers_legs(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(TRADES)
    await book.commit(API)
    trade, reward = await book.transactions()
    assert [part.key for part in trade.legs] == ["L1", "L2", "L2:fee"]
    assert (trade.type, trade.subtype, reward.subtype) == ("trade", "trade_crypto", "staking_reward")
    assert await book.calculated() == {"spot/BTC": "0.01", "spot/DOT": "0.5", "spot/USD": "-100.2"}


@pytest.mark.parametrize(
    "order", list(itertools.permutations([API, CSV, TRADES])), ids=lambda o: "-".join(b.cursor.stream for b in o)
)
async def test_every_order_of_sources_ends_in_the_same_transactions(store: Store, order: Sequence[Batch]) -> None:
    book = await Book.open(store)
    for page in order:
        await book.commit(page)
    other = await Book.open(store, name="u2")
    await other.commit(batch(*API.claims, *TRADES.claims, *CSV.claims, stream="ledger"))
    assert await book.told() == await other.told()
    assert await book.calculated() == await other.calculated()
    assert len(await book.transactions()) == 2


@pytest.mark.parametrize(
    "order", [[API, CSV], [CSV, API], [API, TRADES], [TRADES, API]], ids=lambda o: "-".join(b.cursor.stream for b in o)
)
async def test_a_crash_between_two_sources_leaves_the_same_ids(store: Store, order: Sequence[Batch]) -> None:
    book = await Book.open(store)
    await book.commit(order[0])
    before = [row.id for row in await book.transactions()]

    def crash(conn: object) -> None:
        from omnifolio.ledger.commit import commit

        commit(conn, book.principal, book.account, order[1], fence=book.fence, now=order[1].observed_at)  # type: ignore[arg-type]
        raise ConnectionAbortedError("the process died before its commit")

    with pytest.raises(Exception, match=r"refused|died"):
        await store.write_sync(crash)
    assert [row.id for row in await book.transactions()] == before
    await book.commit(order[1])
    await book.commit(order[0])
    after = [row.id for row in await book.transactions()]
    assert set(before) <= set(after)
    assert len(after) == len({*after}) == len({row.name for row in await book.transactions()})


async def test_two_transactions_that_turn_out_to_be_one_keep_the_older_id(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("out 1 BTC")), stream="a"))
    await book.commit(batch(claim("B", leg("in 2 ETH")), stream="b"))
    older, younger = (row.id for row in await book.transactions())
    await book.commit(batch(claim("C", leg("fee 1 USD"), names=["trades:A", "trades:B"]), stream="c"))
    (only,) = await book.transactions()
    assert only.id == older
    assert {part.key for part in only.legs} == {"out", "in", "fee"}
    from omnifolio.ledger import read

    assert (await store.read(read.transaction, book.principal, book.account, younger)).id == older
    assert await book.calculated() == {"spot/BTC": "-1", "spot/ETH": "2", "spot/USD": "-1"}


async def test_a_claim_that_says_the_same_again_writes_nothing(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(API)
    counts = {table: await rows_in(store, table) for table in ("claims", "refs", "legs", "past", "transactions", "evidence")}
    done = await book.commit(API, now=9)
    assert done.seq is None
    assert counts == {table: await rows_in(store, table) for table in counts}


async def test_a_corrected_claim_replaces_its_legs_and_keeps_its_id(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("in 1 BTC"))))
    (before,) = await book.transactions()
    await book.commit(batch(claim("A", leg("in 2 BTC"))))
    (after,) = await book.transactions()
    assert after.id == before.id
    assert await book.calculated() == {"spot/BTC": "2"}


async def test_a_reorg_takes_back_its_transactions_and_their_ids_return_with_their_hashes(store: Store) -> None:
    book = await Book.open(store)

    def on_chain(ref: str, height: int, amount: str) -> object:
        return claim(
            ref,
            leg(f"in {amount} ETH"),
            book="chain",
            kind="transfer",
            height=height,
            block_hash=f"b{height}",
            finality="provisional",
        )

    await book.commit(batch(on_chain("x", 10, "1"), on_chain("y", 11, "2"), on_chain("z", 12, "4"), stream="logs"))  # type: ignore[arg-type]
    ids = {row.name: row.id for row in await book.transactions()}
    await book.commit(batch(on_chain("y", 12, "2"), stream="logs", rewind=Rewind("logs", 10)))  # type: ignore[arg-type]
    now = {row.name: row.id for row in await book.transactions()}
    assert now == {"x": ids["x"], "y": ids["y"]}
    assert await book.calculated() == {"spot/ETH": "3"}
    await book.commit(batch(on_chain("z", 13, "4"), stream="logs"))  # type: ignore[arg-type]
    assert {row.name: row.id for row in await book.transactions()} == ids
    assert await book.calculated() == {"spot/ETH": "7"}


async def test_pending_rows_that_are_no_longer_listed_are_taken_back(store: Store) -> None:
    book = await Book.open(store)
    pending = [claim(ref, leg("in 1 ETH"), status="pending", finality="pending") for ref in "ab"]
    await book.commit(batch(*pending))
    await book.commit(batch(pending[0], pending_complete=True))
    assert [row.name for row in await book.transactions()] == ["a"]
