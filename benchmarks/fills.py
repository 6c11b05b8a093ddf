"""Pages of fills as five exchanges send them, and what ccxt makes of the same bytes.

The shapes are those of the venues' own documentation; every fill has its fee. The same number gives the
same page.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.stock import BEGINNING, PAGE_ROWS, STEP_MS
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor, Evidence, Interval
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.reader import ExchangeReader

BASE, QUOTE, FEE_CODE = "BTC", "USDT", "BNB"


class Fill(Struct, frozen=True, kw_only=True):
    """One fill before it takes a venue's shape. `amount`, `price`, `cost` and `fee` are texts."""

    serial: int
    at: EpochMs
    is_buy: bool
    is_maker: bool
    amount: str
    price: str
    cost: str
    fee: str

    @property
    def received(self) -> str:
        """The code of what came in."""
        return BASE if self.is_buy else QUOTE


class Venue(Struct, frozen=True, kw_only=True):
    """How an exchange tells fills: which stream, which question, its name of the market, a fill as a row, rows as an answer.

    `rows_of` finds ccxt's rows in the decoded answer, as its `fetch_my_trades` does.
    """

    id: str
    stream: str
    request: str
    params: Mapping[str, str]
    symbol: str
    row: Callable[[Fill], Mapping[str, object]]
    answer: Callable[[Sequence[Mapping[str, object]]], object]
    rows_of: Callable[[Any], Any]
    fee_code: Callable[[Fill], str] = lambda _fill: FEE_CODE


def fills(number: int, *, rows: int = PAGE_ROWS) -> list[Fill]:
    """The fills of a page."""
    rng = random.Random(number)
    found = []
    for place in range(rows):
        serial = number * rows + place
        price, quantity = rng.randrange(2_000_000, 9_000_000), rng.randrange(1, 10**6)
        cost = price * quantity
        found.append(
            Fill(
                serial=serial,
                at=EpochMs(BEGINNING + serial * STEP_MS),
                is_buy=rng.random() < 0.5,
                is_maker=rng.random() < 0.5,
                amount=f"0.{quantity:08d}",
                price=f"{price // 100}.{price % 100:02d}",
                cost=f"{cost // 10**10}.{cost % 10**10:010d}",
                fee=f"0.{rng.randrange(1, 10**5):08d}",
            )
        )
    return found


def _side(fill: Fill, buy: str = "buy", sell: str = "sell") -> str:
    return buy if fill.is_buy else sell


VENUES: Sequence[Venue] = (
    Venue(
        id="binance",
        stream="trades/BTC-USDT",
        request="GET /api/v3/myTrades",
        params={"symbol": "BTCUSDT", "limit": "1000"},
        symbol="BTCUSDT",
        row=lambda fill: {
            "symbol": "BTCUSDT", "id": 28_000_000 + fill.serial, "orderId": 100_000_000 + fill.serial // 3, "orderListId": -1,
            "price": fill.price + "000000", "qty": fill.amount, "quoteQty": fill.cost, "commission": fill.fee,
            "commissionAsset": FEE_CODE, "time": fill.at, "isBuyer": fill.is_buy, "isMaker": fill.is_maker,
            "isBestMatch": True,
        },
        answer=lambda rows: rows,
        rows_of=lambda told: told,
    ),
    Venue(
        id="okx",
        stream="trades/spot",
        request="GET /api/v5/trade/fills-history",
        params={"instType": "SPOT", "limit": "100"},
        symbol="BTC-USDT",
        row=lambda fill: {
            "side": _side(fill), "fillSz": fill.amount, "fillPx": fill.price, "fillPxVol": "", "fee": "-" + fill.fee,
            "fillPnl": "0", "ordId": str(623_950_854_000_000_000 + fill.serial // 3), "feeRate": "-0.001", "instType": "SPOT",
            "instId": "BTC-USDT", "clOrdId": "", "posSide": "net", "billId": str(623_950_854_533_513_219 + fill.serial),
            "subType": "1" if fill.is_buy else "2", "tag": "", "fillTime": str(fill.at),
            "execType": "M" if fill.is_maker else "T", "tradeId": str(586_760_148 + fill.serial), "feeCcy": FEE_CODE,
            "ts": str(fill.at),
        },
        answer=lambda rows: {"code": "0", "msg": "", "data": rows},
        rows_of=lambda told: told["data"],
    ),
    Venue(
        id="bybit",
        stream="trades/spot",
        request="GET /v5/execution/list",
        params={"category": "spot", "limit": "100"},
        symbol="BTCUSDT",
        row=lambda fill: {
            "symbol": "BTCUSDT", "orderType": "Market", "underlyingPrice": "", "orderLinkId": "",
            "side": _side(fill, "Buy", "Sell"), "indexPrice": "", "orderId": str(1_523_347_543_495_541_248 + fill.serial // 3),
            "stopOrderType": "UNKNOWN",
            "leavesQty": "0", "execTime": str(fill.at), "feeCurrency": fill.received, "isMaker": fill.is_maker,
            "execFee": fill.fee, "feeRate": "0.001", "execId": str(2_100_000_000_007_764_263 + fill.serial), "tradeIv": "",
            "blockTradeId": "", "markPrice": "", "execPrice": fill.price, "markIv": "", "orderQty": fill.amount, "orderPrice": "",
            "execValue": fill.cost, "execType": "Trade", "execQty": fill.amount, "closedSize": "", "extraFees": "",
        },
        answer=lambda rows: {
            "retCode": 0, "retMsg": "OK", "result": {"nextPageCursor": "", "category": "spot", "list": rows}, "retExtInfo": {},
            "time": BEGINNING,
        },
        rows_of=lambda told: told["result"]["list"],
        fee_code=lambda fill: fill.received,
    ),
    Venue(
        id="gate",
        stream="trades/all",
        request="GET /api/v4/spot/my_trades",
        params={"limit": "1000"},
        symbol="BTC_USDT",
        row=lambda fill: {
            "id": str(1_232_893_232 + fill.serial), "create_time": str(fill.at // 1000), "create_time_ms": f"{fill.at}.456000",
            "currency_pair": "BTC_USDT", "order_id": str(4_128_442_423 + fill.serial // 3), "side": _side(fill),
            "role": "maker" if fill.is_maker else "taker", "amount": fill.amount, "price": fill.price, "fee": fill.fee,
            "fee_currency": FEE_CODE, "point_fee": "0", "gt_fee": "0", "sequence_id": str(588_018 + fill.serial),
            "text": "t-test", "deal": fill.cost,
        },
        answer=lambda rows: rows,
        rows_of=lambda told: told,
    ),
    Venue(
        id="bitget",
        stream="trades/classic",
        request="GET /api/v2/spot/trade/fills",
        params={"limit": "100"},
        symbol="BTCUSDT",
        row=lambda fill: {
            "userId": "7264631751", "symbol": "BTCUSDT", "orderId": str(1_098_394_344_925_597_696 + fill.serial // 3),
            "tradeId": str(1_098_394_344_974_925_824 + fill.serial), "orderType": "market", "side": _side(fill),
            "priceAvg": fill.price, "size": fill.amount, "amount": fill.cost,
            "feeDetail": {
                "deduction": "no", "feeCoin": FEE_CODE, "totalDeductionFee": "", "totalFee": "-" + fill.fee,
            },
            "tradeScope": "maker" if fill.is_maker else "taker", "cTime": str(fill.at), "uTime": str(fill.at),
        },
        answer=lambda rows: {"code": "00000", "msg": "success", "requestTime": BEGINNING, "data": rows},
        rows_of=lambda told: told["data"],
    ),
)  # fmt: skip
"""The five with the largest volume of those that tell fills of their own (Coinbase and Kraken are read from their ledgers)."""


def page_bytes(venue: Venue, number: int, *, rows: int = PAGE_ROWS) -> bytes:
    """A page as the venue sends it."""
    return msgspec.json.encode(venue.answer([venue.row(fill) for fill in fills(number, rows=rows)]))


def read_page(reader: ExchangeReader, venue: Venue, number: int, body: bytes, *, rows: int = PAGE_ROWS) -> Batch:
    """The facts of a page, with the cursor and the interval that a live read would state."""
    now = EpochMs(BEGINNING + (number + 1) * rows * STEP_MS)
    proof = Evidence(stream=venue.stream, request=venue.request, params=dict(venue.params), received_at=now, body=body)
    batch = reader.decode(venue.id, venue.stream, [proof])
    assert len(batch.claims) == rows, batch.gaps
    covered = (Interval(EpochMs(now - rows * STEP_MS), now),)
    return msgspec.structs.replace(batch, cursor=Cursor(venue.stream, str(number)), covered=covered)


class Peer:
    """ccxt's own exchange of a venue with one market loaded, in our number mode."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._exchange = lazy_ccxt.load(venue.id, lazy_ccxt.SYNC)({"number": str})
        market = self._exchange.safe_market_structure(
            {"id": venue.symbol, "symbol": f"{BASE}/{QUOTE}", "base": BASE, "quote": QUOTE, "baseId": BASE, "quoteId": QUOTE}
            | {"type": "spot", "spot": True, "active": True}
        )
        self._exchange.set_markets([market])
        self._market = self._exchange.market(f"{BASE}/{QUOTE}")

    def parse(self, body: bytes) -> Sequence[Mapping[str, Any]]:
        """The page as `fetch_my_trades` parses it."""
        rows = self._venue.rows_of(self._exchange.parse_json(body.decode()))
        trades: Sequence[Mapping[str, Any]] = self._exchange.parse_trades(rows, self._market)
        return trades
