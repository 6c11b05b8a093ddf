"""Bybit's open positions of the unified account: linear, inverse and options.

An asset's equity is its wallet balance, less what was borrowed, and the profit of its perpetuals and futures and the value of its
options, which the wallet balance lacks. A USDC contract pays out its profit every eight hours: only what came since then counts
beside the balance, though its price of entry stays. An option's premium was paid when it was traded.
Source: bybit-exchange.github.io/docs/v5 of 2026-07-24: Get Position Info, Get Wallet Balance (`equity`), Enums (symbols).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from omnifolio.model.amounts import EXACT, parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position, PositionKind
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, nonzero, optional, positions, unrealised, worth
from omnifolio.venues.exchanges.quirks.bybit_balances import list_of, result_of
from omnifolio.venues.exchanges.times import from_delivery_day, from_ms

POSITIONS_CALL = "privateGetV5PositionList"
PAGE_ROWS = "200"

_OPTION = re.compile(r"([A-Z0-9]+)-([0-9]{1,2}[A-Z]{3}[0-9]{2})-([0-9.]+)-([CP])(?:-([A-Z]+))?")
_USDC = re.compile(r"([A-Z0-9]+?)(?:PERP|-([0-9]{1,2}[A-Z]{3}[0-9]{2}))")
_USDT = re.compile(r"([A-Z0-9]+?)USDT(?:-([0-9]{1,2}[A-Z]{3}[0-9]{2}))?")
_INVERSE = re.compile(r"([A-Z0-9]+?)USD([HMUZ][0-9]{2})?")
_DAY = "%d%b%y"
_SIGNS = {"Buy": Decimal(1), "Sell": Decimal(-1)}


def following(last: Evidence | None) -> dict[str, str] | None:
    """The next page, while the venue names one."""
    if last is None:
        return {"limit": PAGE_ROWS}
    cursor = result_of(last).get("nextPageCursor")
    return {"limit": PAGE_ROWS, "cursor": str(cursor)} if cursor else None


class _Named(Struct, frozen=True, kw_only=True):
    """What a symbol says of its contract: codes of currencies, and the day of delivery."""

    kind: PositionKind
    base: str
    quote: str
    settle: str
    day: str | None = None
    strike: str | None = None
    option: Literal["call", "put"] | None = None


def _linear(symbol: str, code: str) -> _Named | None:
    found = (_USDC if code == "USDC" else _USDT).fullmatch(symbol)
    if found is None:
        return None
    return _Named(kind="future" if found[2] else "perpetual", base=found[1], quote=code, settle=code, day=found[2])


def _inverse(symbol: str) -> _Named | None:
    """A dated one names its quarter alone, so its day is not known."""
    found = _INVERSE.fullmatch(symbol)
    return found and _Named(kind="future" if found[2] else "perpetual", base=found[1], quote="USD", settle=found[1])


def _option(symbol: str) -> _Named | None:
    found = _OPTION.fullmatch(symbol)
    if found is None:
        return None
    base, day, strike, side, settle = found.groups()
    code = settle or "USDC"
    return _Named(
        kind="option", base=base, quote=code, settle=code, day=day, strike=strike, option="call" if side == "C" else "put"
    )


def _named(symbol: str, scope: str) -> _Named:
    found = _option(symbol) if scope == "option" else _inverse(symbol) if scope == "inverse" else _linear(symbol, scope.upper())
    if found is None:
        raise InvalidField(f"symbol: {symbol[:32]} is no contract of {scope}")
    return found


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    amount = parse_amount(row["size"], where="size")
    if not amount:
        return None
    if row["side"] not in _SIGNS:
        raise InvalidField("side: expected Buy or Sell")
    size = product(amount, _SIGNS[row["side"]])
    named, profit = _named(str(row["symbol"]), context.scope), optional(row, "unrealisedPnl")
    base, quote, settle = (context.codes.token(code) for code in (named.base, named.quote, named.settle))
    session = nonzero(row, "sessionAvgPrice")
    if named.kind == "option":
        components = worth(settle, product(size, parse_amount(row["markPrice"], where="markPrice")))
    elif session is not None and context.scope == "usdc":
        gained = EXACT.subtract(parse_amount(row["markPrice"], where="markPrice"), session)
        components = unrealised(settle, product(size, gained))
    else:
        components = unrealised(settle, parse_amount(row["unrealisedPnl"], where="unrealisedPnl"))
    opened = row.get("openTime")
    return Position(
        key=f"{row['symbol']}/{row['positionIdx']}",
        kind=named.kind,
        name=str(row["symbol"]),
        size=size,
        size_token=quote if context.scope == "inverse" else base,
        components=components,
        base=base,
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "avgPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liqPrice"),
        unrealised=profit,
        margin=optional(row, "positionIM"),
        leverage=nonzero(row, "leverage"),
        expires_at=from_delivery_day(named.day, _DAY) if named.day else None,
        strike=None if named.strike is None else parse_amount(named.strike, where="strike"),
        option=named.option,
        opened_at=from_ms(opened) if opened not in (None, "", 0, "0") else None,
    )


open_positions = positions(path_end="/position/list", rows_of=list_of, wallet="unified", read=_read)
"""The positions of one scope: what USDT or USDC settles, the inverse ones, or options."""
