"""Deribit's open futures, perpetuals and options.

A currency's equity is its cash, what its futures have gained and realised since the last settlement, and the value of its
options. The cash (`balance`) lacks all three, so they count beside it: a day's results reach it at eight o'clock, and an option's
premium has left it already. An inverse contract is counted in dollars, a linear one and an option in coins.
Source: docs.deribit.com, private/get_positions, private/get_account_summaries (whose sample adds up so), seen 2026-11-27.
"""

import re
from collections.abc import Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Position
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, nonzero, optional, positions, unrealised, worth
from omnifolio.venues.exchanges.telling import rows_at
from omnifolio.venues.exchanges.times import from_delivery_day

_NAME = re.compile(r"([A-Z0-9]+)(?:_([A-Z0-9]+))?-(?:PERPETUAL|([0-9]{1,2}[A-Z]{3}[0-9]{2})(?:-([0-9d]+)-([CP]))?)")
"""Base, what settles a linear contract, day of delivery, strike and side; `0d625` is 0.625."""
_DAY = "%d%b%y"


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    size, name = parse_amount(row["size"], where="size"), str(row["instrument_name"])
    if not size:
        return None
    found = _NAME.fullmatch(name)
    if found is None:
        raise InvalidField(f"instrument_name: {name[:32]} is no future, perpetual or option")
    base_code, linear, day, strike, side = found.groups()
    base, settle = context.codes.token(base_code), context.codes.token(linear or base_code)
    dollar = context.codes.token(linear or "USD")
    gained = parse_amount(row["floating_profit_loss"], where="floating_profit_loss")
    if strike:
        components = worth(settle, product(size, parse_amount(row["mark_price"], where="mark_price")))
    else:
        realised = parse_amount(row["realized_profit_loss"], where="realized_profit_loss")
        components = unrealised(settle, total((gained, realised)))
    return Position(
        key=name,
        kind="option" if strike else "future" if day else "perpetual",
        name=name,
        size=size,
        size_token=base if strike or linear else dollar,
        components=components,
        base=base,
        # The premium of an option is told in what settles it.
        quote=settle if strike else dollar,
        settle=settle,
        entry_price=nonzero(row, "average_price"),
        mark_price=nonzero(row, "mark_price"),
        liquidation_price=nonzero(row, "estimated_liquidation_price"),
        unrealised=parse_amount(row["total_profit_loss"], where="total_profit_loss"),
        margin=optional(row, "initial_margin"),
        leverage=nonzero(row, "leverage"),
        expires_at=from_delivery_day(day, _DAY) if day else None,
        strike=parse_amount(strike.replace("d", "."), where="strike") if strike else None,
        option=None if not side else "call" if side == "C" else "put",
    )


open_positions = positions(path_end="/get_positions", rows_of=rows_at("result"), wallet="main", read=_read)
"""All positions of the account."""
