"""BingX's open perpetuals, one-way and hedged.

The account's `balance` lacks the profit that is not realised; its `equity` has it, so it counts beside the balance. Amounts are
in coins. Contracts that a coin settles and standard futures tell no size that could be told exactly, and are left out.
Source: bingx-api.github.io/docs, Perpetual Futures, Query position data, Query account data, seen 2026-11-27.
"""

from collections.abc import Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Position
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.telling import coded_rows


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    amount, symbol, side = parse_amount(row["positionAmt"], where="positionAmt"), str(row["symbol"]), row["positionSide"]
    if not amount:
        return None
    if side not in ("BOTH", "LONG", "SHORT"):
        raise InvalidField("positionSide: expected BOTH, LONG or SHORT")
    if row["isolated"] not in (True, False):
        raise InvalidField("isolated: expected true or false")
    code, _, quote = symbol.partition("-")
    base, settle = context.codes.token(code), context.codes.token(row.get("currency") or quote)
    gained = parse_amount(row["unrealizedProfit"], where="unrealizedProfit")
    return Position(
        key=f"{symbol}/{side}/{row['positionId']}",
        kind="perpetual",
        name=symbol,
        size=amount if side == "BOTH" else abs(amount) if side == "LONG" else -abs(amount),
        size_token=base,
        components=unrealised(settle, gained),
        base=base,
        quote=context.codes.token(quote),
        settle=settle,
        entry_price=nonzero(row, "avgPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=gained,
        margin=optional(row, "initialMargin"),
        margin_mode="isolated" if row["isolated"] else "cross",
        leverage=nonzero(row, "leverage"),
    )


open_positions = positions(path_end="/swap/v2/user/positions", rows_of=coded_rows(0, "data"), wallet="perpetual", read=_read)
"""All positions of the perpetual account."""
