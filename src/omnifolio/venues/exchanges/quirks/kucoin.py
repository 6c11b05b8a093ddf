"""What is particular to KuCoin: one ledger for all spot and margin accounts, another for futures, and ids hidden in a context.

A ledger row's `amount` is what the balance changed by, fee included; `context` is JSON in a text that names the order, the trade
or the chain's transaction. Fills annotate the ledger by order and trade id and tell what is older than it; so do deposits, by
their hash, and withdrawals, by their id. Newer rows of the ledger come in the high-frequency ledgers too, under the same ids.
Source: kucoin.com/docs-new, Account Info (accounts, ledgers, deposits, withdrawals, API key), Spot Trading (trade history),
Earn (account holding), and the operator's own API description of 2025-11-04.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.paging import SHORT_PAGE_ROWS
from omnifolio.venues.exchanges.quirks import kucoin_positions
from omnifolio.venues.exchanges.quirks.kucoin_balances import balances, data_of, following, items_of
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import history, told
from omnifolio.venues.exchanges.times import from_ms, from_seconds

LEDGER = "ledger"
LEDGER_RANK, DETAIL_RANK = 0, 1
PENDING = "Pending"

WALLETS = {
    "MAIN": "main",
    "TRADE": "trade",
    "TRADE_HF": "trade",
    "MARGIN": "margin",
    "MARGIN_V2": "margin",
    "ISOLATED": "isolated",
    "ISOLATED_V2": "isolated",
    "CONTRACT": "futures",
    "OPTION": "option",
}
_BY_WORDS: Mapping[Kind, str] = {
    "deposit": "DEPOSIT",
    "withdrawal": "WITHDRAW WITHDRAWAL",
    "transfer": "TRANSFER SUB_TRANSFER SUB_ACCOUNT_TRANSFER BROKER_TRANSFER ASSETS_TRANSFERRED_IN_AFTER_UPGRADING"
    " SEND_RED_ENVELOPE OPEN_RED_ENVELOPE LOANS LOANS_REPAID LENDINGS",
    "trade": "EXCHANGE TRADE_EXCHANGE MARGIN_EXCHANGE ISOLATED_EXCHANGE MARGIN_TRADE INSTANT_EXCHANGE BUY_CRYPTO SELL_CRYPTO"
    " PUBLIC_OFFERING_PURCHASE CONVERT_TO_KCS",
    "reward": "KUCOIN_BONUS REWARDS OTHER_REWARDS",
    "referral": "REFERRAL_BONUS",
    "airdrop": "AIRDROP_FORK DISTRIBUTION",
    "rebate": "FEE_REBATE",
    "staking": "STAKING VOTING",
    "unstaking": "REDEMPTION REDEMPTION_OF_VOTING",
    "staking_reward": "STAKING_PROFITS SOFT_STAKING_PROFITS VOTING_EARNINGS LOCKDROP_VESTING",
    "refund": "REFUNDED_FEES RETURNED_FEES ASSERT_RETURN",
    "fee": "KCS_PAY_FEES DEDUCTION_FEES LIQUIDATION_FEES",
    "borrow": "BORROWINGS",
    "repay": "DEBT_REPAYMENT",
    "liquidation": "LIQUIDATION",
}
_KINDS: Mapping[str, Kind] = {word: kind for kind, words in _BY_WORDS.items() for word in words.split()}
_FUTURES: Mapping[str, tuple[Kind, int]] = {
    "RealisedPNL": ("realized_pnl", 0),
    "Deposit": ("deposit", 1),
    "TransferIn": ("transfer", 1),
    "Withdrawal": ("withdrawal", -1),
    "TransferOut": ("transfer", -1),
}
"""Type of a row of the futures ledger → what it is, and its sign where the amount does not bear one."""
_STATUSES: Mapping[str, Status] = {"SUCCESS": "confirmed", "FAILURE": "failed"}


def kind_of(business: str) -> Kind:
    """What a ledger row's business type means; older rows write it in words, newer ones in capitals."""
    word = "".join(letter if letter.isalnum() else "_" for letter in business).upper()
    return _KINDS.get(word, "other")


def _entry(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of the ledgers of spot and margin accounts."""
    row_id, business = str(row["id"]), str(row["bizType"])
    wallet, kind = WALLETS.get(str(row["accountType"])), kind_of(business)
    if wallet is None or row["direction"] not in ("in", "out"):
        raise InvalidField("accountType and direction: expected such as MAIN and in")
    sign = 1 if row["direction"] == "in" else -1
    amount, fee = parse_amount(row["amount"]), parse_amount(row.get("fee") or "0", where="fee")
    token = context.codes.token(row["currency"])
    legs = [Leg(row_id, wallet, token, total((sign * amount, fee))), Leg(f"{row_id}:fee", wallet, token, -fee, "fee")]
    if kind in ("borrow", "repay"):
        # What is owed grows and shrinks with what was lent: the purse as a whole holds what it held before.
        legs.append(Leg(f"{row_id}:debt", wallet, token, -sign * amount))
    about = _context_of(row.get("context"))
    return told(
        context,
        ref=row_id,
        at=from_ms(row["createdAt"]),
        kind=kind,
        legs=legs,
        label=business,
        name=about.get("orderId") or row_id,
        book=LEDGER,
        rank=LEDGER_RANK,
        shared=_names(about, str(row["currency"])),
    )


def _context_of(text: Any) -> dict[str, str]:
    """The ids in a ledger row's context; none where it is no JSON object."""
    if not isinstance(text, str):
        return {}
    try:
        found = msgspec.json.decode(text.replace("'", '"'))
    except (msgspec.DecodeError, RecursionError):
        return {}
    ids = ("orderId", "tradeId", "txId")
    return {name: str(found[name]) for name in ids if isinstance(found, dict) and isinstance(found.get(name), str | int)}


def _names(about: Mapping[str, str], currency: str) -> tuple[str, ...]:
    """The names under which other answers know a ledger row: its fill, else its order and its transaction."""
    order, trade = about.get("orderId"), about.get("tradeId")
    if order and trade:
        return (f"kucoin:fill/{order}/{trade}",)
    names = (f"kucoin:order/{order}",) if order else ()
    return (*names, _transaction(currency, about["txId"])) if about.get("txId") else names


def _transaction(currency: str, raw: str) -> str:
    """The name of a chain's transaction; behind the hash may stand the address's memo and the output: hash@memo@0."""
    return f"kucoin:tx/{currency}/{raw.partition('@')[0]}"


def _futures_entry(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A row of the futures ledger; profit of a settlement period that is not over comes again when it is."""
    if row["status"] == PENDING:
        return None
    number, word = str(row["offset"]), str(row["type"])
    kind, sign = _FUTURES.get(word, ("other", 0))
    amount = parse_amount(row["amount"])
    leg = Leg(number, "futures", context.codes.token(row["currency"]), sign * abs(amount) if sign else amount)
    label = f"{word} {row.get('remark') or ''}".strip()
    return told(context, ref=number, at=from_ms(row["time"]), kind=kind, legs=(leg,), label=label, book="futures-ledger")


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    return _old_fill(context, row) if "dealPrice" in row else _new_fill(context, row)


def _new_fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill, which the ledger tells too as far as it reaches back."""
    base, quote, sign = _sides(context, row)
    wallet = {"MARGIN_TRADE": "margin", "MARGIN_ISOLATED_TRADE": "isolated"}.get(str(row.get("tradeType")), "trade")
    legs = [
        Leg("base", wallet, base, sign * parse_amount(row["size"], where="size")),
        Leg("quote", wallet, quote, -sign * parse_amount(row["funds"], where="funds")),
    ]
    fee = parse_amount(row.get("fee") or "0", where="fee")
    if fee:
        legs.append(Leg("fee", wallet, context.codes.token(row["feeCurrency"]), -fee, "fee"))
    order, trade = str(row["orderId"]), str(row["tradeId"])
    return told(
        context,
        ref=f"{order}/{trade}",
        at=from_ms(row["createdAt"]),
        kind="trade",
        legs=legs,
        label=f"{row['side']} {row['symbol']}",
        name=order,
        rank=DETAIL_RANK,
        shared=(f"kucoin:fill/{order}/{trade}",),
    )


def _old_fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill of before February 2019: its value is rounded, so price times amount stands; the fee is of what was received."""
    base, quote, sign = _sides(context, row)
    amount, fee = parse_amount(row["amount"]), parse_amount(row.get("fee") or "0", where="fee")
    value = product(amount, parse_amount(row["dealPrice"], where="dealPrice"))
    legs = (
        Leg("base", "trade", base, sign * amount),
        Leg("quote", "trade", quote, -sign * value),
        Leg("fee", "trade", base if sign > 0 else quote, -fee, "fee"),
    )
    label = f"{row['side']} {row['symbol']}"
    at = from_seconds(row["createdAt"])
    return told(context, ref=row["id"], at=at, kind="trade", legs=legs, label=label, rank=DETAIL_RANK)


def _sides(context: Context, row: Mapping[str, Any]) -> tuple[TokenId, TokenId, int]:
    """Base, quote and the sign of the base of a fill. Raises: InvalidField."""
    base, separator, quote = row["symbol"].partition("-")
    if not separator or row["side"] not in ("buy", "sell"):
        raise InvalidField("symbol and side: expected such as BTC-USDT and buy")
    return context.codes.token(base), context.codes.token(quote), 1 if row["side"] == "buy" else -1


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A deposit; one from another customer without a transaction's name is told by the ledger alone."""
    if "id" in row:
        raise InvalidField("id: this is a withdrawal")
    hash_ = row.get("walletTxId")
    if not hash_ and row.get("isInner"):
        return None
    if not isinstance(hash_, str) or not hash_:
        raise InvalidField("walletTxId: expected text")
    return _movement(context, row, kind="deposit", ref=f"{row['currency']}/{hash_}", shared=())


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    return _movement(context, row, kind="withdrawal", ref=str(row["id"]), shared=(f"kucoin:order/{row['id']}",))


def _movement(context: Context, row: Mapping[str, Any], *, kind: Kind, ref: str, shared: tuple[str, ...]) -> Claim:
    currency, hash_, is_inner = str(row["currency"]), row.get("walletTxId"), bool(row.get("isInner"))
    token, fee = context.codes.token(row["currency"]), parse_amount(row.get("fee") or "0", where="fee")
    sign = 1 if kind == "deposit" else -1
    address = str(row.get("address") or "") if kind == "withdrawal" and not is_inner else ""
    legs = (
        Leg(f"{ref}:amount", "main", token, sign * parse_amount(row["amount"]), "principal", address or None),
        Leg(f"{ref}:fee", "main", token, -fee, "fee"),
    )
    known = isinstance(hash_, str) and bool(hash_)
    chain = context.networks.get(str(row.get("chain") or "").lower())
    return told(
        context,
        ref=ref,
        at=from_ms(row["createdAt"]),
        kind=kind,
        legs=legs,
        label=row.get("remark"),
        status=_STATUSES.get(row["status"], "pending"),
        name=ref if kind == "withdrawal" else str(hash_).partition("@")[0],
        event=f"{chain}:{str(hash_).partition('@')[0]}" if chain and known and not is_inner else None,
        rank=DETAIL_RANK,
        shared=(*shared, _transaction(currency, str(hash_))) if known else shared,
    )


def _interest(context: Context, row: Mapping[str, Any]) -> Claim:
    """Interest on what the cross margin account borrowed: it is added to the debt hour by hour."""
    leg = Leg(
        "amount", "margin", context.codes.token(row["currency"]), -parse_amount(row["interestAmount"], where="interestAmount")
    )
    ref = f"{row['currency']}/{row['createdTime']}"
    return told(context, ref=ref, at=from_ms(row["createdTime"]), kind="fee", legs=(leg,), label="interest")


def _total(evidence: Evidence) -> Mapping[str, Any]:
    """How many rows the whole question has."""
    count = data_of(evidence).get("totalNum")
    return {"total": count} if isinstance(count, int) and not isinstance(count, bool) else {}


def _ledger_rows(evidence: Evidence) -> list[Any]:
    """Rows of a ledger: a list, or the items of a page."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if isinstance(body.get("data"), list):
        return expect_list(body["data"], evidence, where="data")
    return items_of(evidence)


def _ledger_edges(evidence: Evidence) -> Mapping[str, Any]:
    """The count of a page, or the id after which the high-frequency ledgers go on."""
    rows = _ledger_rows(evidence)
    if not evidence.request.endswith("/hf/accounts/ledgers") and not evidence.request.endswith("/margin/account/ledgers"):
        return _total(evidence)
    is_last = len(rows) < SHORT_PAGE_ROWS or not isinstance(rows[-1], dict)
    return {} if is_last else {"next": str(rows[-1].get("id") or "")}


def _futures_rows(evidence: Evidence) -> list[Any]:
    return expect_list(data_of(evidence).get("dataList"), evidence, where="data.dataList")


def _futures_edges(evidence: Evidence) -> Mapping[str, Any]:
    """The smallest number on the page, where there are more rows."""
    numbers = [row["offset"] for row in _futures_rows(evidence) if isinstance(row, dict) and isinstance(row.get("offset"), int)]
    more = data_of(evidence).get("hasMore") is True
    return {"next": str(min(numbers))} if more and numbers else {}


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the key's own information."""
    info = data_of(evidence)
    words, addresses = info.get("permission"), info.get("ipWhitelist")
    if not isinstance(words, str):
        raise VenueBadResponse(f"{evidence.request}: the answer has no permission")
    granted = tuple(word.strip() for word in words.split(",") if word.strip())
    return Rights(granted=granted, ip_restricted=bool(addresses), is_known=bool(granted))


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The contracts of open positions are asked for by name."""
    return kucoin_positions.asked(answers) if call == kucoin_positions.CONTRACT_CALL else [{}]


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelopes that a recording may have lost."""
    rows = payload if isinstance(payload, list) else [payload]
    return [payload, {"code": "200000", "data": payload}, {"code": "200000", "data": {"items": rows}}]


QUIRKS = Quirks(
    parsers={
        "ledger": history(_ledger_rows, _entry, _ledger_edges),
        "futures": history(_futures_rows, _futures_entry, _futures_edges),
        "interest": history(items_of, _interest, _total),
        "trades": history(items_of, _fill, _total),
        "deposits": history(items_of, _deposit, _total),
        "withdrawals": history(items_of, _withdrawal, _total),
    },
    snapshots={"balances": balances, "positions": kucoin_positions.open_positions},
    rights=rights,
    asked=asked,
    following=following,
    forms=forms,
)
