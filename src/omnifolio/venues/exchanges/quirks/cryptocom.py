"""What is particular to Crypto.com Exchange: one account holds everything, and what it borrowed is a negative quantity.

Fills, transfers and staking have lists with ids; the journal names none of them, so only what no list tells is taken from it, and
nothing of derivatives, whose rows do not say which field is the money. What is staked bears `.staked` behind the token's code.
Source: exchange-docs.crypto.com, Exchange API v1: user-balance, get-trades, get-deposit-history, get-withdrawal-history,
get-transactions, fiat/*, staking/* (seen 2026-11-27).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, RowsOf, Source, history, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

STAKED_SUFFIX = ".staked"
LISTS = ("data", "deposit_list", "withdrawal_list", "transaction_history_list")
"""Where the rows of an answer lie inside its `result`."""

_DEPOSIT_STATUSES: Mapping[str, Status] = {"1": "confirmed", "2": "failed"}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {"2": "failed", "4": "failed", "5": "confirmed", "6": "cancelled"}
_FIAT_STATUSES: Mapping[str, Status] = {"completed": "confirmed", "failed": "failed", "cancelled": "cancelled"}
_STAKE_STATUSES: Mapping[str, Status] = {"COMPLETED": "confirmed", "REJECTED": "failed"}
_JOURNAL_KINDS: Mapping[str, Kind] = {
    "AUTO_CONVERSION": "trade",
    "MANUAL_CONVERSION": "trade",
    "SUBACCOUNT_TX": "transfer",
    "MARGIN_TRADE_INTEREST": "fee",
    "SETTLEMENT_FEE": "fee",
    "LIQUIDATION_FEE": "fee",
    "FUNDING": "funding_payment",
    "REALIZED_PNL": "realized_pnl",
    "SESSION_SETTLE": "realized_pnl",
}
_TOLD_ELSEWHERE = frozenset({"TRADING", "TRADE_FEE", "ONCHAIN_WITHDRAWAL", "ONCHAIN_DEPOSIT"})
_FIAT_JOURNAL = "FIAT_"


def rows_in(name: str) -> RowsOf:
    """The rows of an answer. Raises: VenueBadResponse for an error code or another form."""

    def rows(evidence: Evidence) -> list[Any]:
        body = expect_dict(decode(evidence), evidence, where="the answer")
        if str(body.get("code", 0)) != "0":
            raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
        result = expect_dict(body.get("result", body.get("data")), evidence, where="result")
        return expect_list(result.get(name), evidence, where=f"result.{name}")

    return rows


def _accounts(wallet: str) -> Callable[[Context, Mapping[str, Any]], Iterable[Held]]:
    """The reader of accounts with their `position_balances`: one for the key's own, one for all sub-accounts together."""

    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        balances = row["position_balances"]
        if not isinstance(balances, list):
            raise InvalidField("position_balances: expected a list")
        for balance in balances:
            if str(balance["instrument_name"]).endswith(STAKED_SUFFIX):
                continue
            quantity = parse_amount(balance["quantity"], where="quantity")
            token = context.codes.token(balance["instrument_name"])
            yield wallet, "debt" if quantity < 0 else "spot", token, quantity

    return read


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """A staking position in the token that it is held in, which is not always the one that was staked."""
    token = context.codes.token(_place(row["instrument_name"])[1])
    yield "staking", "staked", token, parse_amount(row["staked_quantity"], where="staked_quantity")


def _place(instrument: Any) -> tuple[str, str]:
    """Wallet and code of SOL or SOL.staked. Raises: InvalidField."""
    if not isinstance(instrument, str):
        raise InvalidField("instrument_name: expected text")
    return ("staking" if instrument.endswith(STAKED_SUFFIX) else "spot"), instrument.removesuffix(STAKED_SUFFIX)


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill. Of a derivative only the fee moves. `fees` bear their sign: negative is paid."""
    base, separator, quote = str(row["instrument_name"]).partition("_")
    quantity = parse_amount(row["traded_quantity"], where="traded_quantity")
    price = parse_amount(row["traded_price"], where="traded_price")
    fee = parse_amount(row.get("fees") or "0", where="fees")
    if row["side"] not in ("BUY", "SELL"):
        raise InvalidField("side: expected BUY or SELL")
    sign = 1 if row["side"] == "BUY" else -1
    legs = []
    if separator:
        legs = [
            Leg("base", "spot", context.codes.token(base), sign * quantity),
            Leg("quote", "spot", context.codes.token(quote), -sign * product(quantity, price)),
        ]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row["fee_instrument_name"]), fee, "fee"))
    label = f"{row['side']} {row.get('taker_side') or ''}".strip()
    return told(context, ref=row["trade_id"], at=from_ms(row["create_time"]), kind="trade", legs=legs, label=label.lower())


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit or withdrawal on a chain; a withdrawal's fee is paid beside its amount."""
    is_deposit = context.kind == "deposits"
    status = (_DEPOSIT_STATUSES if is_deposit else _WITHDRAWAL_STATUSES).get(str(row["status"]), "pending")
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    peer = None if is_deposit else str(row.get("address") or "").partition("?")[0] or None
    chain, hash_ = context.networks.get(str(row.get("network_id"))), str(row.get("txid") or "").partition("/")[0]
    return told(
        context,
        ref=row["id"],
        at=from_ms(row["create_time"]),
        kind="deposit" if is_deposit else "withdrawal",
        legs=(
            Leg("amount", "spot", token, amount if is_deposit else -amount, "principal", peer),
            Leg("fee", "spot", token, -abs(fee), "fee"),
        ),
        label=row["status"],
        status=status,
        event=f"{chain}:{hash_}" if chain and hash_ else None,
    )


def _fiat(context: Context, row: Mapping[str, Any]) -> Claim:
    is_deposit = context.kind == "fiat-deposits"
    amount, fee = parse_amount(row["amount"]), parse_amount(row.get("fee_amount") or "0", where="fee_amount")
    legs = [Leg("amount", "spot", context.codes.token(row["currency"]), amount if is_deposit else -amount)]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row["fee_currency"]), -abs(fee), "fee"))
    return told(
        context,
        ref=row["id"],
        at=from_ms(row["created_at"]),
        kind="deposit" if is_deposit else "withdrawal",
        legs=legs,
        label=row.get("payment_network"),
        status=_FIAT_STATUSES.get(str(row["status"]).lower(), "pending"),
    )


def _stake(context: Context, row: Mapping[str, Any]) -> Claim:
    """A move into or out of staking. What a yield-bearing position became is told by its balance alone."""
    if row["side"] not in ("STAKE", "UNSTAKE"):
        raise InvalidField("side: expected STAKE or UNSTAKE")
    quantity, underlying = parse_amount(row["quantity"], where="quantity"), row["underlying_inst_name"]
    sign = 1 if row["side"] == "STAKE" else -1
    legs = [Leg("spot", "spot", context.codes.token(underlying), -sign * quantity)]
    if _place(row["instrument_name"])[1] == underlying:
        legs.append(Leg("staking", "staking", context.codes.token(underlying), sign * quantity))
    return told(
        context,
        ref=row["staking_id"],
        at=from_ms(row["create_timestamp_ms"]),
        kind="staking" if sign > 0 else "unstaking",
        legs=legs,
        label=str(row["side"]).lower(),
        status=_STAKE_STATUSES.get(str(row["status"]), "pending"),
    )


def _reward(context: Context, row: Mapping[str, Any]) -> Claim:
    """A reward has no id: a position is paid once at an instant."""
    wallet, code = _place(row["reward_inst_name"])
    amount = parse_amount(row["reward_quantity"], where="reward_quantity")
    ref = f"{row['staking_inst_name']}/{row['event_timestamp_ms']}"
    leg = Leg("amount", wallet, context.codes.token(code), amount)
    return told(context, ref=ref, at=from_ms(row["event_timestamp_ms"]), kind="staking_reward", legs=(leg,))


def _convert(context: Context, row: Mapping[str, Any]) -> Claim:
    (source, sold), (target, bought) = _place(row["from_instrument_name"]), _place(row["to_instrument_name"])
    legs = (
        Leg("from", source, context.codes.token(sold), -parse_amount(row["from_quantity"], where="from_quantity")),
        Leg("to", target, context.codes.token(bought), parse_amount(row["to_quantity"], where="to_quantity")),
    )
    status: Status = "confirmed" if row["status"] == "COMPLETED" else "failed"
    at = from_ms(row["create_timestamp_ms"])
    return told(context, ref=row["convert_id"], at=at, kind="trade", legs=legs, label="convert", status=status)


def _journal(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A journal row of a currency that no list tells; the sides of a conversion bear one instant, to the nanosecond."""
    word, instrument = str(row["journal_type"]), str(row["instrument_name"])
    if word in _TOLD_ELSEWHERE or word.startswith(_FIAT_JOURNAL) or "-" in instrument or "_" in instrument:
        return None
    kind, amount = _JOURNAL_KINDS.get(word, "other"), parse_amount(row["transaction_qty"], where="transaction_qty")
    leg = Leg(f"{row['journal_id']}", "spot", context.codes.token(instrument), amount, "fee" if kind == "fee" else "principal")
    shared = (f"cryptocom:conversion/{row['event_timestamp_ns']}",) if kind == "trade" else ()
    at = from_ms(row["event_timestamp_ms"])
    return told(context, ref=row["journal_id"], at=at, kind=kind, legs=(leg,), label=word.lower(), shared=shared)


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: it, its rows or one row may have lost what was around them."""
    if isinstance(payload, dict):
        if "result" in payload or "code" in payload:
            return [payload]
        if any(name in payload for name in LISTS):
            return [{"code": 0, "result": payload}]
    rows = payload if isinstance(payload, list) else [payload]
    return [{"code": 0, "result": {name: rows}} for name in LISTS]


QUIRKS = Quirks(
    parsers={
        "trades": history(rows_in("data"), _trade),
        "deposits": history(rows_in("deposit_list"), _transfer),
        "withdrawals": history(rows_in("withdrawal_list"), _transfer),
        "fiat-deposits": history(rows_in("transaction_history_list"), _fiat),
        "fiat-withdrawals": history(rows_in("transaction_history_list"), _fiat),
        "stakes": history(rows_in("data"), _stake),
        "staking-rewards": history(rows_in("data"), _reward),
        "staking-converts": history(rows_in("data"), _convert),
        "journal": history(rows_in("data"), _journal),
    },
    snapshots={
        "balances": snapshots(
            Source(
                path_end="/user-balance",
                rows_of=rows_in("data"),
                read=_accounts("spot"),
                tells=(("spot", "spot"), ("spot", "debt")),
            ),
            Source(path_end="/get-staking-position", rows_of=rows_in("data"), read=_staked, tells=(("staking", "staked"),)),
            Source(
                path_end="/get-subaccount-balances",
                rows_of=rows_in("data"),
                read=_accounts("sub"),
                tells=(("sub", "spot"), ("sub", "debt")),
            ),
        )
    },
    forms=forms,
)
