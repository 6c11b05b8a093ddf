"""Absence: a venue's bad day zeroes nothing, and a genuine sell-off is believed."""

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import coverage
from omnifolio.ledger.guard import SECOND_LOOK_MS
from omnifolio.ledger.tokens import intern
from omnifolio.model.errors import InvalidAmount, LeaseLost, VenueBadResponse
from omnifolio.model.facts import Balance, Gap, Snapshot
from omnifolio.store.engine import Store
from omnifolio.store.schema import quotes
from tests.ledger.builders import Book, at, batch, claim, leg, rows_in, snapshot, token

LATER = SECOND_LOOK_MS // 1000


async def test_an_empty_snapshot_zeroes_nothing_until_a_second_look(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "ETH": "10"})], stream="balances"))
    doubt = await book.commit(batch(snapshots=[snapshot({}, seconds=60)], stream="balances"))
    assert doubt.is_suspect
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/ETH": "10?"}
    await book.commit(batch(snapshots=[snapshot({}, seconds=120)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/ETH": "10?"}
    await book.commit(batch(snapshots=[snapshot({}, seconds=60 + LATER)], stream="balances"))
    assert await book.held() == {}


async def test_a_token_that_comes_back_was_never_gone(store: Store) -> None:
    book = await Book.open(store)
    full = {"BTC": "1", "ETH": "10"}
    await book.commit(batch(snapshots=[snapshot(full)], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({}, seconds=60)], stream="balances"))
    await book.commit(batch(snapshots=[snapshot(full, seconds=120)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1", "spot/spot/ETH": "10"}
    await book.commit(batch(snapshots=[snapshot({}, seconds=LATER * 2)], stream="balances"))
    assert set((await book.held()).values()) == {"1?", "10?"}


async def test_a_doubt_that_grows_begins_again(store: Store) -> None:
    """The balance that only the newer look lacks was seen missing once; with it all are believed gone at its second look."""
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "ETH": "10", "SOL": "5"})], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"}, seconds=60)], stream="balances"))
    grown = await book.commit(batch(snapshots=[snapshot({"USD": "9"}, seconds=LATER)], stream="balances"))
    assert grown.is_suspect
    doubted = {"spot/spot/BTC": "1?", "spot/spot/ETH": "10?", "spot/spot/SOL": "5?", "spot/spot/USD": "9"}
    assert await book.held() == doubted
    await book.commit(batch(snapshots=[snapshot({"USD": "9"}, seconds=60 + LATER)], stream="balances"))
    assert await book.held() == doubted
    await book.commit(batch(snapshots=[snapshot({"USD": "9"}, seconds=LATER * 2)], stream="balances"))
    assert await book.held() == {"spot/spot/USD": "9"}


async def test_a_doubt_that_only_grows_is_noted_and_ends(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "ETH": "10", "SOL": "5"})], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"}, seconds=60)], stream="balances"))
    grown = await book.commit(batch(snapshots=[snapshot({}, seconds=120)], stream="balances"))
    assert grown.seq is not None
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/ETH": "10?", "spot/spot/SOL": "5?"}
    await book.commit(batch(snapshots=[snapshot({}, seconds=120 + LATER)], stream="balances"))
    assert await book.held() == {}


async def test_what_is_doubted_waits_for_its_second_look_though_the_rest_came_back(store: Store) -> None:
    book = await Book.open(store)
    full = {"BTC": "1", "ETH": "10", "SOL": "5", "USD": "9"}
    await book.commit(batch(snapshots=[snapshot(full)], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({}, seconds=60)], stream="balances"))
    half = {"ETH": "10", "SOL": "5", "USD": "9"}
    await book.commit(batch(snapshots=[snapshot(half, seconds=120)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/ETH": "10", "spot/spot/SOL": "5", "spot/spot/USD": "9"}
    await book.commit(batch(snapshots=[snapshot(half, seconds=60 + LATER)], stream="balances"))
    assert await book.held() == {"spot/spot/ETH": "10", "spot/spot/SOL": "5", "spot/spot/USD": "9"}


async def test_a_balance_that_was_seen_in_between_is_missing_from_then_on_only(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "ETH": "10", "SOL": "5"})], stream="balances"))
    for seconds, shown in ((60, {}), (120, {"ETH": "10"}), (60 + LATER, {})):
        await book.commit(batch(snapshots=[snapshot(shown, seconds=seconds)], stream="balances"))
    assert (await book.held())["spot/spot/ETH"] == "10?"


async def test_an_explicit_zero_is_believed(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"})], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({"BTC": "0"}, seconds=60)], stream="balances"))
    assert await book.held() == {}


async def test_a_sell_off_whose_legs_are_known_is_believed_at_once(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"})], stream="balances"))
    await book.commit(batch(claim("T", leg("out 1 BTC"), leg("in 30000 USD"), seconds=30)))
    await book.commit(batch(snapshots=[snapshot({"USD": "30000"}, seconds=60)], stream="balances"))
    assert await book.held() == {"spot/spot/USD": "30000"}


async def test_a_sell_off_whose_legs_come_later_is_believed_when_they_come(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "ETH": "2"})], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({"USD": "30000"}, seconds=60)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/ETH": "2?", "spot/spot/USD": "30000"}
    await book.commit(batch(claim("T", leg("out 1 BTC"), leg("in 30000 USD"), seconds=30)))
    assert await book.held() == {"spot/spot/ETH": "2?", "spot/spot/USD": "30000"}


async def test_legs_that_the_last_observation_had_seen_explain_nothing(store: Store) -> None:
    """Half was sold before the last good look: when the venue then shows nothing, that sale is no reason to believe it."""
    book = await Book.open(store)
    await book.commit(batch(claim("B", leg("in 2 BTC")), claim("S", leg("out 1 BTC"), seconds=5)))
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"}, seconds=10)], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({}, seconds=60)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1?"}


@pytest.mark.parametrize("second", [30, 8], ids=["dated after it", "dated before it"])
async def test_a_recent_deposit_hides_no_sell_off(store: Store, second: int) -> None:
    """The deposit and the last good look are minutes apart; the venue may date the sale a little before that look."""
    book = await Book.open(store)
    await book.commit(batch(claim("B", leg("in 5 BTC"))))
    await book.commit(batch(snapshots=[snapshot({"BTC": "5"}, seconds=10)], stream="balances"))
    await book.commit(batch(claim("S", leg("out 5 BTC"), seconds=second)))
    await book.commit(batch(snapshots=[snapshot({}, seconds=60)], stream="balances"))
    assert await book.held() == {}


async def test_the_smaller_part_by_value_may_go_without_a_second_look(store: Store) -> None:
    book = await Book.open(store)

    def price(conn: Connection) -> None:
        numbers = intern(conn, [token("BTC"), token("DOGE"), token("SHIB")], ())
        for code, amount in (("BTC", "50000"), ("DOGE", "0.1"), ("SHIB", "0.00001")):
            conn.execute(
                sa.insert(quotes).values(
                    token_id=numbers[token(code)].number, currency="USD", resolution=60_000, bucket=1, price=amount,
                    source="test", observed_at=1,
                )
            )  # fmt: skip

    await store.write(price)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1", "DOGE": "9", "SHIB": "9"})], stream="balances"))
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"}, seconds=60)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1"}
    await book.commit(batch(snapshots=[snapshot({"DOGE": "9"}, seconds=120)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1?", "spot/spot/DOGE": "9"}


async def test_one_failing_product_leaves_the_others_and_itself_alone(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(
        batch(snapshots=[snapshot({"BTC": "1"}), snapshot({"ETH": "2"}, wallet="earn", product="earn")], stream="balances")
    )
    await book.commit(batch(snapshots=[snapshot({"BTC": "3"}, seconds=60)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "3", "earn/earn/ETH": "2"}


async def test_what_a_page_of_balances_does_not_miss_is_not_missing_any_more(store: Store) -> None:
    book = await Book.open(store)
    down = Gap(stream="balances", code="venue_unavailable", text="earn could not be read", is_failure=True)
    mute = Gap(stream="balances", code="token_mute", text="a contract does not answer")
    for gaps in ((down, mute), (mute,), ()):
        await book.commit(batch(snapshots=[snapshot({"BTC": "1"})], stream="balances", gaps=gaps))
        stored = await store.read(coverage.gaps_of, book.account)
        assert {(gap.code, gap.is_failure) for gap in stored} == {(gap.code, gap.is_failure) for gap in gaps}


async def test_an_unchanged_snapshot_moves_one_instant_and_nothing_else(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"})], stream="balances"))
    before = await rows_in(store, "observations"), await rows_in(store, "past")
    done = await book.commit(batch(snapshots=[snapshot({"BTC": "1.00"}, seconds=60)], stream="balances"))
    assert done.seq is None
    assert (await rows_in(store, "observations"), await rows_in(store, "past")) == before


async def test_a_snapshot_that_names_a_token_twice_is_refused_whole(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"BTC": "1"})], stream="balances"))
    twice = snapshot({"ETH": "1"}).balances * 2
    with pytest.raises(VenueBadResponse, match="twice"):
        await book.commit(batch(snapshots=[Snapshot(wallet="spot", product="spot", at=at(5), balances=twice)], stream="balances"))
    assert await book.held() == {"spot/spot/BTC": "1"}


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e300"])
async def test_what_is_no_amount_never_enters(store: Store, amount: str) -> None:
    from decimal import Decimal

    book = await Book.open(store)
    bad = Snapshot(wallet="spot", product="spot", at=at(5), balances=(Balance(token("BTC"), Decimal(amount)),))
    with pytest.raises(InvalidAmount):
        await book.commit(batch(snapshots=[bad], stream="balances"))


async def test_a_worker_whose_lease_was_taken_writes_nothing(store: Store) -> None:
    book = await Book.open(store)
    book.fence -= 1
    with pytest.raises(LeaseLost):
        await book.commit(batch(claim("T", leg("in 1 BTC"))))
    assert await book.transactions() == []
    assert await rows_in(store, "claims") == 0
