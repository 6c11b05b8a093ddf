"""What is particular to BitMart: reads by POST, and currencies that may bear their chain behind a hyphen.

Source: developer-pro.bitmart.com: spot (account, margin, v4 query), futures (assets detail, transfer list).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Quirks
from omnifolio.venues.exchanges.telling import Held, Source, coded_rows, history, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

GOOD = 1000
"""The code of an answer that is no refusal."""

_MOVES = {"spot_to_contract": ("spot", "futures"), "contract_to_spot": ("futures", "spot")}
_STATUSES: Mapping[str, Status] = {
    "3": "confirmed",
    "4": "cancelled",
    "5": "failed",
    "FINISHED": "confirmed",
    "FAILED": "failed",
}
"""Of deposits and withdrawals, in the order of their steps, and of moves; all others are under way."""


_data = coded_rows(GOOD, "data")


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    base_code, separator, quote_code = str(row["symbol"]).partition("_")
    if not separator:
        raise InvalidField("symbol: expected base and quote with _ between them")
    if row["side"] not in ("buy", "sell"):
        raise InvalidField("side: expected buy or sell")
    sign = 1 if row["side"] == "buy" else -1
    wallet = "margin" if row.get("orderMode") == "iso_margin" else "spot"
    size, value, fee = (parse_amount(row[name], where=name) for name in ("size", "notional", "fee"))
    legs = [
        Leg("base", wallet, context.codes.token(base_code), sign * size),
        Leg("quote", wallet, context.codes.token(quote_code), -sign * value),
    ]
    if fee:
        legs.append(Leg("fee", wallet, context.codes.token(row["feeCoinName"]), -fee, "fee"))
    return told(
        context,
        ref=row["tradeId"],
        at=from_ms(row["createTime"]),
        kind="trade",
        legs=legs,
        label=f"{row['side']} {row.get('type') or ''}".strip(),
    )


def _split_code(context: Context, code: Any) -> tuple[TokenId, str | None]:
    """Token and chain of a code such as USDT-TRC20; what follows the hyphen is a chain only where it is a known one."""
    plain, _, suffix = str(code).partition("-")
    if suffix in context.networks:
        return context.codes.token(plain), context.networks[suffix]
    return context.codes.token(code), None


def _moved(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit or withdrawal: `arrival_amount` is what arrived, the fee is beside it."""
    token, chain = _split_code(context, row["currency"])
    arrived, fee = parse_amount(row["arrival_amount"], where="arrival_amount"), parse_amount(row.get("fee") or "0", where="fee")
    is_out = context.kind == "withdrawals"
    legs = [Leg("amount", "spot", token, arrived)]
    if is_out:
        legs = [
            Leg("amount", "spot", token, -arrived, "principal", row.get("address") or None),
            Leg("fee", "spot", token, -fee, "fee"),
        ]
    hash_ = row.get("tx_id")
    return told(
        context,
        ref=row["withdraw_id" if is_out else "deposit_id"],
        at=from_ms(row["apply_time"]),
        kind="withdrawal" if is_out else "deposit",
        legs=legs,
        status=_STATUSES.get(str(row["status"]), "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ else None,
    )


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    if row["type"] not in _MOVES:
        raise InvalidField(f"type: {str(row['type'])[:24]!r} does not name both wallets")
    source, target = _MOVES[row["type"]]
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    return told(
        context,
        ref=row["transfer_id"],
        at=from_ms(row["timestamp"]),
        kind="transfer",
        legs=[Leg("out", source, token, -amount), Leg("in", target, token, amount)],
        label=row["type"],
        status=_STATUSES.get(str(row["state"]), "pending"),
    )


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row[name], where=name) for name in ("available", "frozen"))
    yield "spot", "spot", context.codes.token(row["id"]), total(amounts)


def _margin(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """Both sides of an isolated pair: what is there, and what is owed with its interest."""
    for side in (row["base"], row["quote"]):
        token = context.codes.token(side["currency"])
        there, owed = (
            total(parse_amount(side[name], where=name) for name in names)
            for names in (("available", "frozen"), ("borrow_unpaid", "interest_unpaid"))
        )
        yield "margin", "margin", token, there
        yield "margin", "debt", token, -owed


def _futures(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """Without what open positions would gain."""
    amounts = (parse_amount(row[name], where=name) for name in ("available_balance", "frozen_balance", "position_deposit"))
    yield "futures", "collateral", context.codes.token(row["currency"]), total(amounts)


QUIRKS = Quirks(
    parsers={
        "trades": history(_data, _trade),
        "deposits": history(coded_rows(GOOD, "data", "records"), _moved),
        "withdrawals": history(coded_rows(GOOD, "data", "records"), _moved),
        "transfers": history(coded_rows(GOOD, "data", "records"), _transfer),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/spot/v1/wallet", rows_of=coded_rows(GOOD, "data", "wallet"), read=_spot, tells=(("spot", "spot"),)),
            Source(
                path_end="/isolated/account",
                rows_of=coded_rows(GOOD, "data", "symbols"),
                read=_margin,
                tells=(("margin", "margin"), ("margin", "debt")),
            ),
            Source(path_end="/assets-detail", rows_of=_data, read=_futures, tells=(("futures", "collateral"),)),
        )
    },
)
