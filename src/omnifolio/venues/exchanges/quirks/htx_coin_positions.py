"""HTX's open contracts that a coin settles: dated ones and perpetual swaps, each family beside its own wallet.

The wallets are told by their static margin (`htx_balances`), which lacks the profit that is not realised: an account's rights are
both, as the sample in ccxt 4.5.90 shows to the last digit (12.022979096123276562 and 0.163382354575000020 make
12.186361450698276582). A contract is a number of dollars, which its own description tells.
Source: huobiapi.github.io/docs/dm/v1/en and coin_margined_swap/v1/en (Query user's position information, Query swap info), seen
2026-11-28.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, optional, positions, several, unrealised
from omnifolio.venues.exchanges.quirks.htx_balances import code_of, rows_of
from omnifolio.venues.exchanges.times import from_ms

CALLS = {
    "contractPublicGetApiV1ContractContractInfo": "/contract_position_info",
    "contractPublicGetSwapApiV1SwapContractInfo": "/swap_position_info",
}
"""The call that describes the contracts of a family → how the path of their positions ends."""

_SIGNS = {"buy": 1, "sell": -1}


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Contracts are described where one of their family is open."""
    told = [item for item in answers if item.request.endswith(CALLS[call])]
    rows = [row for item in told for row in rows_of(item) if isinstance(row, dict)]
    return [{}] if any(nonzero(row, "volume") for row in rows) else []


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    volume, name = parse_amount(row["volume"], where="volume"), str(row["contract_code"])
    if not volume:
        return None
    contract, sign = described(contracts, name), _SIGNS.get(str(row["direction"]))
    if sign is None:
        raise InvalidField("direction: expected buy or sell")
    base, quote = context.codes.token(code_of(row["symbol"])), context.codes.token("USD")
    count, gained = sign * volume, parse_amount(row["profit_unreal"], where="profit_unreal")
    ends = contract.get("delivery_time")
    return Position(
        key=f"{name}/{row['direction']}",
        kind="future" if ends else "perpetual",
        name=name,
        size=product(count, parse_amount(contract["contract_size"], where="contract_size")),
        size_token=quote,
        components=unrealised(base, gained),
        contracts=count,
        base=base,
        quote=quote,
        settle=base,
        entry_price=nonzero(row, "cost_open"),
        unrealised=gained,
        margin=optional(row, "position_margin"),
        margin_mode="isolated",
        leverage=nonzero(row, "lever_rate"),
        expires_at=from_ms(ends) if ends else None,
    )


def _contracts(evidence: Sequence[Evidence], *, path_end: str) -> Contracts:
    told = [item for item in evidence if item.request.endswith(path_end)]
    return by_name([row for item in told for row in rows_of(item)], "contract_code")


open_positions = several(
    *(
        positions(
            path_end=path_end,
            rows_of=rows_of,
            wallet=wallet,
            read=_read,
            contracts_of=partial(_contracts, path_end=described_at),
        )
        for wallet, path_end, described_at in (
            ("coin-futures", "/api/v1/contract_position_info", "/api/v1/contract_contract_info"),
            ("coin-swaps", "/swap_position_info", "/swap_contract_info"),
        )
    )
)
"""All positions that coins settle."""
