"""ccxt_page_commit: a page of 1,000 trades from bytes to committed rows, against ccxt's own parsing of the same bytes.

Ours decodes with the exchange reader and commits with evidence, coverage and sums on, into a SQLite file that holds 1,000,000
transactions. ccxt's side is `parse_json` and `parse_trades`, as `fetch_my_trades` calls them, with our number mode.
"""

import random
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from benchmarks.figures import Figure, cpu_s, figure
from benchmarks.stock import BEGINNING, PAGE_ROWS, STEP_MS, new_account, stock
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Cursor, Evidence, Interval
from omnifolio.store.engine import open_store
from omnifolio.store.schema import accounts
from omnifolio.sync.pages import commit_page
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.reader import ExchangeReader

NAME = "ccxt_page_commit"
BAR = 2.5
PAGES = 30
WARM_PAGES = 3
STREAM = "trades/BTC-USDT"
SYMBOL, BASE, QUOTE = "BTCUSDT", "BTC", "USDT"


async def measure() -> list[Figure]:
    """The ratio, and both sides of it."""
    exchange, market = _ccxt()
    reader = ExchangeReader()
    ours, theirs = [], []
    async with stock("sqlite") as made:
        store = open_store(made.url)
        who, account, fence = await new_account(store, f"{NAME} {random.random()}", made.principal)

        async def take_in(number: int, body: bytes) -> None:
            now = EpochMs(BEGINNING + number * PAGE_ROWS * STEP_MS)
            question = {"symbol": SYMBOL, "limit": str(PAGE_ROWS)}
            proof = Evidence(stream=STREAM, request="GET /api/v3/myTrades", params=question, received_at=now, body=body)
            batch = reader.decode("binance", STREAM, [proof])
            assert len(batch.claims) == PAGE_ROWS
            read = (Interval(EpochMs(now - PAGE_ROWS * STEP_MS), now),)
            batch = msgspec.structs.replace(batch, cursor=Cursor(STREAM, str(number)), covered=read)
            done = await commit_page(store, who, account, batch, fence=fence, now=now)
            assert done.transactions == PAGE_ROWS, done

        async def parse_page(body: bytes) -> None:
            assert len(exchange.parse_trades(exchange.parse_json(body.decode()), market)) == PAGE_ROWS

        for number in range(PAGES + WARM_PAGES):
            body = answer(number)
            their_s = await cpu_s(lambda body=body: parse_page(body))  # type: ignore[misc]
            our_s = await cpu_s(lambda number=number, body=body: take_in(number, body))  # type: ignore[misc]
            if number >= WARM_PAGES:
                theirs.append(their_s)
                ours.append(our_s)
        await store.write(lambda conn: _forget(conn, account))
        await store.close()
    return [
        figure(NAME, sum(ours) / sum(theirs), "x", BAR, of=NAME),
        figure(f"{NAME}_cpu", sum(ours) / len(ours) * 1000, "ms", None, of=NAME),
        figure(f"{NAME}_ccxt_cpu", sum(theirs) / len(theirs) * 1000, "ms", None, of=NAME),
    ]


def answer(number: int) -> bytes:
    """The bytes of a page of myTrades, as the venue's documentation shows them; every fill has its fee in a third coin."""
    rng = random.Random(number)
    rows = []
    for place in range(PAGE_ROWS):
        serial = number * PAGE_ROWS + place
        price, quantity = rng.randrange(2_000_000, 9_000_000), rng.randrange(1, 10**6)
        rows.append(
            {
                "symbol": SYMBOL,
                "id": 28_000_000 + serial,
                "orderId": 100_000_000 + serial // 3,
                "orderListId": -1,
                "price": f"{price // 100}.{price % 100:02d}000000",
                "qty": f"0.{quantity:08d}",
                "quoteQty": f"{price * quantity // 10**8}.{price * quantity % 10**8:08d}",
                "commission": f"0.{rng.randrange(1, 10**5):08d}",
                "commissionAsset": "BNB",
                "time": BEGINNING + serial * STEP_MS,
                "isBuyer": rng.random() < 0.5,
                "isMaker": rng.random() < 0.5,
                "isBestMatch": True,
            }
        )
    return msgspec.json.encode(rows)


def _ccxt() -> tuple[Any, Any]:
    """ccxt's Binance with one market loaded."""
    exchange = lazy_ccxt.load("binance", lazy_ccxt.SYNC)({"number": str})
    market = exchange.safe_market_structure(
        {"id": SYMBOL, "symbol": f"{BASE}/{QUOTE}", "base": BASE, "quote": QUOTE, "baseId": BASE, "quoteId": QUOTE}
        | {"type": "spot", "spot": True, "active": True}
    )
    exchange.set_markets([market])
    return exchange, exchange.market(f"{BASE}/{QUOTE}")


def _forget(conn: Connection, account: int) -> None:
    """Takes the run's own account away, so that the store is what it was."""
    conn.execute(sa.delete(accounts).where(accounts.c.id == account))
