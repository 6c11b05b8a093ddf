"""HTX's open contracts that USDT settles.

The wallet is told without the profit that is not realised (`htx_balances`), so that counts beside it. How many coins one contract
is, its own description tells. For contracts that a coin settles see `htx_coin_positions`.
Source: ccxt 4.5.90 for `v5/trade/position/opens`; huobiapi.github.io/docs/usdt_swap/v1/en, Query Swap Info, seen 2026-11-27.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.quirks.htx_balances import code_of, rows_of
from omnifolio.venues.exchanges.times import from_delivery_day, from_ms

CONTRACTS_CALL = "contractPublicGetLinearSwapApiV1SwapContractInfo"

_SIDES: Mapping[str, Mapping[str, int]] = {
    "long": {"buy": 1, "sell": 1},
    "short": {"buy": -1, "sell": -1},
    "both": {"buy": 1, "sell": -1},
}
"""`position_side` and `direction` → sign: one-way, the direction alone tells it."""
_DAY = "%y%m%d"


def asked(answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Each contract of an open position is asked for once."""
    rows = [row for item in answers for row in rows_of(item) if isinstance(row, dict)]
    return [{"contract_code": name} for name in sorted({str(row.get("contract_code")) for row in rows if nonzero(row, "volume")})]


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    volume, name = parse_amount(row["volume"], where="volume"), str(row["contract_code"])
    if not volume:
        return None
    contract, mode, side = described(contracts, name), row["margin_mode"], str(row["position_side"])
    sign = _SIDES.get(side, {}).get(str(row["direction"]))
    if sign is None or mode not in ("cross", "isolated"):
        raise InvalidField("position_side, direction or margin_mode: not told as documented")
    code, quote, *rest = [*name.split("-"), ""]
    base, settle = context.codes.token(code_of(code)), context.codes.token(code_of(row["margin_currency"]))
    gained, count = parse_amount(row["profit_unreal"], where="profit_unreal"), volume if sign > 0 else -volume
    day = rest[0] if rest else ""
    liquidation = nonzero(row, "liquidation_price")
    return Position(
        key=f"{name}/{side}/{mode}",
        kind="future" if day else "perpetual",
        name=name,
        size=product(count, parse_amount(contract["contract_size"], where="contract_size")),
        size_token=base,
        components=unrealised(settle, gained),
        contracts=count,
        base=base,
        quote=context.codes.token(code_of(quote)),
        settle=settle,
        entry_price=nonzero(row, "open_avg_price"),
        mark_price=nonzero(row, "mark_price"),
        # A price below zero is never reached.
        liquidation_price=liquidation if liquidation is not None and liquidation > 0 else None,
        unrealised=gained,
        margin=optional(row, "margin"),
        margin_mode=mode,
        leverage=nonzero(row, "lever_rate"),
        expires_at=from_delivery_day(day, _DAY) if day else None,
        opened_at=from_ms(row["created_time"]) if row.get("created_time") else None,
    )


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    return by_name([row for item in evidence for row in rows_of(item)], "contract_code")


open_positions = positions(
    path_end="/v5/trade/position/opens", rows_of=rows_of, wallet="usdt-futures", read=_read, contracts_of=_contracts
)
"""All positions that USDT settles."""
