"""BingX's open perpetuals, one-way and hedged.

The account's `balance` lacks the profit that is not realised; its `equity` has it, so it counts beside the balance. Amounts are
in coins. Of contracts that a coin settles the number is told, and their face in dollars by the list of contracts: the sample of
one SOL-USD (from 158.63 to 158.402, -0.00009074) is that of ten dollars. Standard futures tell no size and are left out.
Source: bingx-api.github.io/docs, Perpetual Futures, Query position data, Query account data, seen 2026-11-27; Coin-M Perpetual
Futures, Query warehouse, Query Account Assets, Contract Information, as ccxt 4.5.90 samples them, 2026-11-28.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, optional, positions, several, unrealised
from omnifolio.venues.exchanges.telling import coded_rows

CONTRACTS_CALL = "cswapV1PublicGetMarketContracts"


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    amount, symbol = _signed(row), str(row["symbol"])
    if not amount:
        return None
    code, _, quote = symbol.partition("-")
    base, settle = context.codes.token(code), context.codes.token(row.get("currency") or quote)
    return _position(context, row, size=amount, base=base, quote=context.codes.token(quote), settle=settle)


def _read_coin(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    """A contract of so many dollars, settled in its coin."""
    count, symbol = _signed(row), str(row["symbol"])
    if not count:
        return None
    face = parse_amount(described(contracts, symbol)["minTickSize"], where="minTickSize")
    code, _, quote = symbol.partition("-")
    base, dollar = context.codes.token(code), context.codes.token(quote)
    found = _position(context, row, size=product(count, face), base=base, quote=dollar, settle=base)
    return replace(found, size_token=dollar, contracts=count)


def _signed(row: Mapping[str, Any]) -> Decimal:
    """The amount, negative on the short side however it is written. Raises: InvalidField."""
    amount, side = parse_amount(row["positionAmt"], where="positionAmt"), row["positionSide"]
    if side not in ("BOTH", "LONG", "SHORT"):
        raise InvalidField("positionSide: expected BOTH, LONG or SHORT")
    return amount if side == "BOTH" else abs(amount) if side == "LONG" else -abs(amount)


def _position(
    context: Context, row: Mapping[str, Any], *, size: Decimal, base: TokenId, quote: TokenId, settle: TokenId
) -> Position:
    """What both sorts of contract say alike. Raises: InvalidField."""
    if row["isolated"] not in (True, False):
        raise InvalidField("isolated: expected true or false")
    symbol, gained = str(row["symbol"]), parse_amount(row["unrealizedProfit"], where="unrealizedProfit")
    return Position(
        key=f"{symbol}/{row['positionSide']}/{row['positionId']}",
        kind="perpetual",
        name=symbol,
        size=size,
        size_token=base,
        components=unrealised(settle, gained),
        base=base,
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "avgPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=gained,
        margin=optional(row, "initialMargin"),
        margin_mode="isolated" if row["isolated"] else "cross",
        leverage=nonzero(row, "leverage"),
    )


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The contracts that a coin settles are described where one is open."""
    if call != CONTRACTS_CALL:
        return [{}]
    rows = [row for item in answers for row in coded_rows(0, "data")(item) if isinstance(row, dict)]
    return [{}] if any(nonzero(row, "positionAmt") for row in rows) else []


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    told = [item for item in evidence if item.request.endswith("/market/contracts")]
    return by_name([row for item in told for row in coded_rows(0, "data")(item)], "symbol")


open_positions = several(
    positions(path_end="/swap/v2/user/positions", rows_of=coded_rows(0, "data"), wallet="perpetual", read=_read),
    positions(
        path_end="/cswap/v1/user/positions",
        rows_of=coded_rows(0, "data"),
        wallet="coin_perpetual",
        read=_read_coin,
        contracts_of=_contracts,
    ),
)
"""All positions of the two perpetual accounts."""
