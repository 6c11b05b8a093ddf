"""BitMEX's open contracts: what they have gained counts beside the wallet.

A wallet's balance lacks what is not realised (`marginBalance` has it). Amounts of money are whole units, as everywhere at BitMEX.
An inverse contract is counted in its quote currency, of which one contract is one; others are told in coins by `homeNotional`.
Source: www.bitmex.com/api/explorer, Position.get, User.getMargin, seen 2026-11-27.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page
from omnifolio.venues.exchanges.positions import Contracts, nonzero, positions, unrealised
from omnifolio.venues.exchanges.telling import rows_at

Money = Callable[[Context, Any, Any], tuple[TokenId, Decimal]]
"""(unit, whole units) → a token and its amount. Raises: InvalidField."""

_DATED = re.compile(r".+[FGHJKMNQUVXZ][0-9]{2}")


def open_positions(context: Context, evidence: Sequence[Evidence], *, wallet: str, money: Money) -> Page:
    """All positions of the account. Raises: VenueBadResponse."""

    def read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
        count, symbol = parse_amount(row["currentQty"], where="currentQty"), str(row["symbol"])
        if not count:
            return None
        if row["crossMargin"] not in (True, False):
            raise InvalidField("crossMargin: expected true or false")
        settle, gained = money(context, row["currency"], row["unrealisedPnl"])
        _, margin = money(context, row["currency"], row.get("posMargin") or 0)
        base, quote = context.codes.token(row["underlying"]), context.codes.token(row["quoteCurrency"])
        is_inverse = settle == base
        coins = parse_amount(row["homeNotional"], where="homeNotional")
        return Position(
            key=symbol,
            kind="future" if _DATED.fullmatch(symbol) else "perpetual",
            name=symbol,
            size=count if is_inverse else abs(coins).copy_sign(count),
            size_token=quote if is_inverse else base,
            components=unrealised(settle, gained),
            contracts=count,
            base=base,
            quote=quote,
            settle=settle,
            entry_price=nonzero(row, "avgEntryPrice"),
            mark_price=nonzero(row, "markPrice"),
            liquidation_price=nonzero(row, "liquidationPrice"),
            unrealised=gained,
            margin=margin,
            margin_mode="cross" if row["crossMargin"] else "isolated",
            leverage=nonzero(row, "leverage"),
        )

    return positions(path_end="/position", rows_of=rows_at(), wallet=wallet, read=read)(context, evidence)
