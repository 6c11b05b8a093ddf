"""What is particular to CoinEx: a list for each kind of event, page by page, and trades told by their orders.

The fills' list wants a market, the finished orders' list does not and bears all that an order moved, fees included. The spot
account's own history has no ids: it is read only for what no other list tells.
Source: docs.coinex.com/api/v2: assets, spot/order, enumeration of definitions.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import canonical, parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Product, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, one_page
from omnifolio.venues.exchanges.quirks import coinex_positions
from omnifolio.venues.exchanges.telling import Held, Source, coded_rows, fill, history, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

DISCOUNT_CODE = "CET"
"""The venue's own token, in which discounted fees are paid."""
DEALS_RANK = 1
_QUOTES = ("USDT", "USDC", "TUSD", "BTC", "ETH", "CET", "BCH")
_WALLETS = {"SPOT": "spot", "MARGIN": "margin", "FUTURES": "futures"}
_STATUSES: Mapping[str, Status] = {
    "finished": "confirmed",
    "cancelled": "cancelled",
    "failed": "failed",
    "too_small": "failed",
}
_CHANGES: Mapping[str, Kind] = {"maker_cash_back": "rebate", "exchange_order_transfer": "trade"}

_rows = coded_rows(0, "data")


def _edges(evidence: Evidence) -> Mapping[str, Any]:
    """The number of the next page, where the answer says that there is one."""
    body = decode(evidence)
    # One page of the documentation misspells the word.
    about = body.get("pagination") or body.get("paginatation")
    if not isinstance(about, dict) or about.get("has_next") is not True:
        return {}
    page = evidence.params.get("page", "1")
    return {"next": str(int(page) + 1) if page.isdigit() else "", "has_more": True}


def _chain_event(context: Context, row: Mapping[str, Any], method: str) -> str | None:
    """The chain's transaction, unless the coins went to another customer of the venue."""
    chain, hash_ = context.networks.get(str(row.get("chain"))), row.get("tx_id")
    return f"{chain}:{hash_}" if chain and hash_ and row.get(method) != "inter_user" else None


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    amount = parse_amount(row.get("actual_amount") or row["amount"], where="actual_amount")
    return told(
        context,
        ref=row["deposit_id"],
        at=from_ms(row["created_at"]),
        kind="deposit",
        legs=[Leg("amount", "spot", context.codes.token(row["ccy"]), amount)],
        label=row.get("deposit_method"),
        status=_STATUSES.get(str(row["status"]), "pending"),
        event=_chain_event(context, row, "deposit_method"),
    )


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """`actual_amount` is what arrives outside, the fee left the account beside it."""
    token = context.codes.token(row["ccy"])
    fee = parse_amount(row.get("tx_fee") or "0", where="tx_fee")
    arrived = parse_amount(row["actual_amount"], where="actual_amount")
    return told(
        context,
        ref=row["withdraw_id"],
        at=from_ms(row["created_at"]),
        kind="withdrawal",
        legs=[
            Leg("amount", "spot", token, -arrived, "principal", row.get("to_address") or None),
            Leg("fee", "spot", token, -fee, "fee"),
        ],
        label=row.get("withdraw_method"),
        status=_STATUSES.get(str(row["status"]), "pending"),
        event=_chain_event(context, row, "withdraw_method"),
    )


def _order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What a finished order moved; None for one that moved nothing."""
    amount, value = (parse_amount(row[name], where=name) for name in ("filled_amount", "filled_value"))
    if not amount and not value:
        return None
    base_code, quote_code = split_market(str(row["market"]).strip(), str(row.get("ccy") or ""))
    base, quote = context.codes.token(base_code), context.codes.token(quote_code)
    if row["side"] not in ("buy", "sell"):
        raise InvalidField("side: expected buy or sell")
    sign = 1 if row["side"] == "buy" else -1
    wallet = _WALLETS.get(str(row.get("market_type") or context.scope).upper(), "spot")
    fees = [(name, parse_amount(row.get(name) or "0", where=name)) for name in ("base_fee", "quote_fee", "discount_fee")]
    tokens = {"base_fee": base, "quote_fee": quote, "discount_fee": context.codes.token(DISCOUNT_CODE)}
    legs = [Leg("base", wallet, base, sign * amount), Leg("quote", wallet, quote, -sign * value)]
    legs += [Leg(name, wallet, tokens[name], -fee, "fee") for name, fee in fees]
    at = from_ms(row.get("updated_at") or row["created_at"])
    return told(
        context, ref=row["order_id"], at=at, kind="trade", legs=legs, label=f"{row['side']} {row.get('type') or ''}".strip()
    )


def _deal(context: Context, row: Mapping[str, Any]) -> Claim:
    """One execution of an order, which the finished order tells in sum."""
    base_code, quote_code = split_market(str(row["market"]).strip(), "")
    base, quote = context.codes.token(base_code), context.codes.token(quote_code)
    amount, price = (parse_amount(row[name], where=name) for name in ("amount", "price"))
    wallet = "margin" if row.get("margin_market") else "spot"
    fee = parse_amount(row.get("fee") or "0", where="fee")
    return told(
        context,
        ref=row["deal_id"],
        at=from_ms(row["created_at"]),
        kind="trade",
        legs=fill(
            row["side"],
            base=base,
            quote=quote,
            amount=amount,
            cost=product(amount, price),
            fee=fee,
            fee_token=context.codes.token(row["fee_ccy"]) if fee else quote,
            wallet=wallet,
        ),
        label=row["side"],
        rank=DEALS_RANK,
        shared=(f"{context.codes.venue}:trades/{row['order_id']}",) if row.get("order_id") else (),
    )


def split_market(market: str, code: str) -> tuple[str, str]:
    """Base and quote of a market such as CETUSDT; `code` is whichever of both the order was sized in. Raises: InvalidField."""
    if code and market != code:
        if market.startswith(code):
            return code, market.removeprefix(code)
        if market.endswith(code):
            return market.removesuffix(code), code
    for quote in _QUOTES:
        if market.endswith(quote) and market != quote:
            return market.removesuffix(quote), quote
    raise InvalidField("market: its quote currency is not known")


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """A move between two of the account's own wallets. Rows may come without an id: what they say names them."""
    token, amount = context.codes.token(row["ccy"]), parse_amount(row["amount"])
    source, target = (_wallet(row[name]) for name in ("from_account_type", "to_account_type"))
    content = f"{row['created_at']}/{source}/{target}/{row['ccy']}/{canonical(amount)}"
    status = "pending" if row["status"] in ("created", "deducted") else _STATUSES.get(str(row["status"]), "pending")
    return told(
        context,
        ref=row.get("id") or content,
        at=from_ms(row["created_at"]),
        kind="transfer",
        legs=[Leg("out", source, token, -amount), Leg("in", target, token, amount)],
        label=row.get("margin_market"),
        status=status,
    )


def _wallet(name: Any) -> str:
    if name not in _WALLETS:
        raise InvalidField(f"account type: {str(name)[:20]!r} is not known")
    return _WALLETS[name]


def _change(context: Context, row: Mapping[str, Any]) -> Claim:
    """A change of the spot account, named by what it says: the balance after it tells equal changes apart."""
    token, change = context.codes.token(row["ccy"]), parse_amount(row["change"], where="change")
    word = str(row["type"])
    ref = f"{word}/{row['created_at']}/{row['ccy']}/{canonical(change)}/{row.get('balance')}"
    return told(
        context,
        ref=ref,
        at=from_ms(row["created_at"]),
        kind=_CHANGES.get(word, "other"),
        legs=[Leg(ref, "spot", token, change)],
        label=word,
        # Both sides of a swap change at one instant.
        shared=(f"coinex:swap/{row['created_at']}",) if word == "exchange_order_transfer" else (),
    )


def _holds(wallet: str, product: Product, *fields: str) -> Callable[[Context, Any], Iterable[Held]]:
    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        yield wallet, product, context.codes.token(row["ccy"]), total(parse_amount(row[name], where=name) for name in fields)

    return read


def _margin(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """Both sides of an isolated margin market: what is there, and what is owed with its interest."""
    for side in ("base_ccy", "quote_ccy"):
        token = context.codes.token(row[side])
        there = total(parse_amount(row[name][side], where=name) for name in ("available", "frozen"))
        owed = total(parse_amount(row[name][side], where=name) for name in ("repaid", "interest"))
        yield "margin", "margin", token, there
        yield "margin", "debt", token, -owed


def _liquidity(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    for side in ("base_ccy", "quote_ccy"):
        yield "amm", "earn", context.codes.token(row[side]), parse_amount(row[f"{side}_amount"], where=f"{side}_amount")


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    return [payload, {"code": 0, "data": payload}] if isinstance(payload, list) else [payload]


def apart(payload: Any) -> list[Any]:
    """Answers that a recording lists together."""
    is_several = isinstance(payload, list) and all(isinstance(item, dict) and "data" in item for item in payload)
    return payload if is_several else [payload]


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Positions come in pages."""
    return coinex_positions.following(last) if call == coinex_positions.POSITIONS_CALL else one_page(call, last)


QUIRKS = Quirks(
    parsers={
        "deposits": history(_rows, _deposit, _edges),
        "withdrawals": history(_rows, _withdrawal, _edges),
        "trades": history(_rows, _order, _edges),
        "deals": history(_rows, _deal, _edges),
        "transfers": history(_rows, _transfer, _edges),
        "changes": history(_rows, _change, _edges),
    },
    snapshots={
        "balances": snapshots(
            Source(
                path_end="/assets/spot/balance",
                rows_of=_rows,
                read=_holds("spot", "spot", "available", "frozen"),
                tells=(("spot", "spot"),),
            ),
            Source(
                path_end="/assets/financial/balance",
                rows_of=_rows,
                read=_holds("earn", "earn", "available", "frozen"),
                tells=(("earn", "earn"),),
            ),
            Source(path_end="/assets/amm/liquidity", rows_of=_rows, read=_liquidity, tells=(("amm", "earn"),)),
            Source(
                path_end="/assets/margin/balance",
                rows_of=_rows,
                read=_margin,
                tells=(("margin", "margin"), ("margin", "debt")),
            ),
            Source(
                path_end="/assets/futures/balance",
                rows_of=_rows,
                read=_holds("futures", "collateral", "available", "frozen", "margin"),
                tells=(("futures", "collateral"),),
            ),
        ),
        "positions": coinex_positions.open_positions,
    },
    following=following,
    forms=forms,
    apart=apart,
)
