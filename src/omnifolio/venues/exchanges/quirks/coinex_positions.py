"""CoinEx's open futures. What they have gained is in the balance already, so they are worth nothing besides.

The margin of a position holds its profit that is not realised, and the balance of the futures account is what is available,
frozen and margin together: profit is told as such, and is no component. A market in dollars is inverse: it is counted in dollars
and settled in coins.
Source: docs.coinex.com/api/v2, Get Current Position, Get Balance in Futures Account (`margin`), seen 2026-11-27.
"""

import re
from collections.abc import Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict
from omnifolio.venues.exchanges.positions import Contracts, nonzero, optional, positions
from omnifolio.venues.exchanges.telling import coded_rows
from omnifolio.venues.exchanges.times import from_ms

POSITIONS_CALL = "GET private futures/pending-position"
PAGE_ROWS = "100"

_MARKET = re.compile(r"([A-Z0-9]+?)(USDT|USDC|USD)")


def following(last: Evidence | None) -> dict[str, str] | None:
    """The next page, while the answer says that there is one."""
    if last is None:
        return {"page": "1", "limit": PAGE_ROWS}
    about = expect_dict(decode(last), last, where="the answer").get("pagination")
    if not isinstance(about, dict) or about.get("has_next") is not True:
        return None
    return {"page": str(int(last.params["page"]) + 1), "limit": PAGE_ROWS}


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    size, market = parse_amount(row["open_interest"], where="open_interest"), str(row["market"])
    if not size:
        return None
    found = _MARKET.fullmatch(market)
    if found is None or row["side"] not in ("long", "short") or row["margin_mode"] not in ("cross", "isolated"):
        raise InvalidField(f"market, side or margin_mode: {market[:32]} is not told as documented")
    base, quote = context.codes.token(found[1]), context.codes.token(found[2])
    is_inverse = found[2] == "USD"
    return Position(
        key=f"{market}/{row['position_id']}",
        kind="perpetual",
        name=market,
        size=size if row["side"] == "long" else -size,
        size_token=quote if is_inverse else base,
        base=base,
        quote=quote,
        settle=base if is_inverse else quote,
        entry_price=nonzero(row, "avg_entry_price"),
        liquidation_price=nonzero(row, "liq_price"),
        unrealised=parse_amount(row["unrealized_pnl"], where="unrealized_pnl"),
        margin=optional(row, "margin_avbl"),
        margin_mode=row["margin_mode"],
        leverage=nonzero(row, "leverage"),
        opened_at=from_ms(row["created_at"]) if row.get("created_at") else None,
    )


open_positions = positions(path_end="/futures/pending-position", rows_of=coded_rows(0, "data"), wallet="futures", read=_read)
"""All positions of the futures account."""
