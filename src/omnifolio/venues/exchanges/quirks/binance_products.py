"""Binance's margin accounts and futures wallets, which are asked for only where the account has opened them.

The finder asks which wallets are active; for isolated margin it names the pairs. A margin account's capital flow is its ledger,
without the direction of transfers (they have a history of their own) and of liquidations (which are gaps). The futures' income
is the ledger of their wallets; what left the spot account for them is told by its own transfer history.
Source: developers.binance.com, Wallet (user wallet balance), Margin (account, isolated account, capital flow, interest history,
transfer history), Sub-account (list, assets V4; a master's key may read them), USD-M and COIN-M futures (balance, income
history), seen 2026-11-27.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Role
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Page, Scopes, decode, expect_dict, products_token, read_list
from omnifolio.venues.exchanges.subaccounts import HeldThere, Purse
from omnifolio.venues.exchanges.subaccounts import balances as sub_balances
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

KIND = "products"
ISOLATED_STREAMS = ("isolated-flow", "isolated-interest", "isolated-transfers")
TRANSFERS = "transfers"

_WALLETS = {"Cross Margin": "margin", "Isolated Margin": "isolated", "USDⓈ-M Futures": "usdm", "COIN-M Futures": "coinm"}
_FLOWS: Mapping[str, tuple[Kind, int, Role]] = {
    "BUY_INCOME": ("trade", 1, "principal"),
    "BUY_EXPENSE": ("trade", -1, "principal"),
    "SELL_INCOME": ("trade", 1, "principal"),
    "SELL_EXPENSE": ("trade", -1, "principal"),
    "TRADING_COMMISSION": ("fee", -1, "fee"),
    "LIQUIDATION_FEE": ("fee", -1, "fee"),
    "COMMISSION_RETURN": ("rebate", 1, "principal"),
}
_INCOMES: Mapping[str, Kind] = {
    "TRANSFER": "transfer",
    "INTERNAL_TRANSFER": "transfer",
    "CROSS_COLLATERAL_TRANSFER": "transfer",
    "STRATEGY_UMFUTURES_TRANSFER": "transfer",
    "REALIZED_PNL": "realized_pnl",
    "DELIVERED_SETTELMENT": "realized_pnl",
    "FUNDING_FEE": "funding_payment",
    "COMMISSION": "fee",
    "POSITION_LIMIT_INCREASE_FEE": "fee",
    "INSURANCE_CLEAR": "liquidation",
    "WELCOME_BONUS": "reward",
    "CONTEST_REWARD": "reward",
    "BFUSD_REWARD": "interest",
    "REFERRAL_KICKBACK": "rebate",
    "COMMISSION_REBATE": "rebate",
    "API_REBATE": "rebate",
    "FEE_RETURN": "rebate",
}


def is_due(token: str, now: EpochMs) -> bool:
    """Which wallets are active is asked once a day."""
    return now - int(json.loads(token).get("at", 0) if token else 0) >= DAY_MS


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The pairs of isolated margin are asked for where it is active, the sub-accounts that the list names one by one."""
    if call == "sapiV4GetSubAccountAssets":
        rows = [row for item in answers for row in rows_at("subAccounts")(item) if isinstance(row, dict) and row.get("email")]
        return [{"email": str(row["email"])} for row in rows]
    if call == "sapiGetMarginIsolatedAccount" and answers and answers[0].request.endswith("/wallet/balance"):
        return [{}] if "isolated" in _open(answers[0]) else []
    return [{}]


def _open(evidence: Evidence) -> list[str]:
    rows = [row for row in rows_at()(evidence) if isinstance(row, dict) and row.get("activate") is True]
    return sorted(_WALLETS[name] for name in {str(row.get("walletName")) for row in rows} if name in _WALLETS)


def scopes(context: Context, known: Known, answers: Sequence[Evidence]) -> Scopes:
    """The products that are open, as the finder's own token, and the pairs of isolated margin that were never asked."""
    found: list[str] = []

    def read(row: Any) -> None:
        streams = (f"{kind}/{row['symbol']}" for kind in ISOLATED_STREAMS)
        found.extend(stream for stream in streams if stream not in known.cursors)

    gaps = read_list(context, [row for item in answers[1:] for row in rows_at("assets")(item)], read)
    token = products_token(answers[0].received_at, _open(answers[0]))
    return Scopes(streams=tuple(sorted(found)), token=token, gaps=gaps)


# Balances.


def _owned(context: Context, wallet: str, row: Mapping[str, Any]) -> Iterable[Held]:
    """What a margin account holds, and what it owes for it."""
    token = context.codes.token(row["asset"])
    free, locked, borrowed, interest = (
        parse_amount(row[name], where=name) for name in ("free", "locked", "borrowed", "interest")
    )
    yield wallet, "margin", token, total((free, locked))
    yield wallet, "debt", token, -total((borrowed, interest))


def _cross(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    return _owned(context, "margin", row)


def _isolated(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    for side in ("baseAsset", "quoteAsset"):
        yield from _owned(context, "isolated", row[side])


def _collateral(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """The wallet's balance, without the profit of open positions; several assets as margin may leave one of them negative."""
    amount = parse_amount(row["balance"], where="balance")
    yield context.scope, "debt" if amount < 0 else "collateral", context.codes.token(row["asset"]), amount


_SOURCES = {
    "margin": Source(
        path_end="/margin/account",
        rows_of=rows_at("userAssets"),
        read=_cross,
        tells=(("margin", "margin"), ("margin", "debt")),
    ),
    "isolated": Source(
        path_end="/isolated/account",
        rows_of=rows_at("assets"),
        read=_isolated,
        tells=(("isolated", "margin"), ("isolated", "debt")),
    ),
    "usdm": Source(path_end="/balance", rows_of=rows_at(), read=_collateral, tells=(("usdm", "collateral"), ("usdm", "debt"))),
    "coinm": Source(path_end="/balance", rows_of=rows_at(), read=_collateral, tells=(("coinm", "collateral"), ("coinm", "debt"))),
}
PRODUCTS = {scope: snapshots(source) for scope, source in _SOURCES.items()}


def product_balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The balances of one product. Raises: VenueBadResponse."""
    return PRODUCTS[context.scope](context, evidence)


def _sub_spot(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    amounts = (parse_amount(row[name], where=name) for name in ("free", "locked", "freeze", "withdrawing"))
    yield "spot", context.codes.token(row["asset"]), total(amounts)


def _purses(evidence: Evidence) -> Iterable[Purse]:
    """The spot wallet of a sub-account, which Binance names by its e-mail address."""
    if evidence.request.endswith("/sub-account/assets"):
        rows = rows_at("balances")(evidence)
        yield Purse(name=evidence.params.get("email", ""), place="spot", rows=rows, read=_sub_spot, tells=("spot",))


of_subaccounts = sub_balances(_purses)


# Histories.


def _wallet(context: Context) -> str:
    return "isolated" if context.kind.startswith("isolated") else "margin"


def _flow(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A row of a margin account's ledger. The sides and the fee of a fill share a number; amounts bear no reliable sign."""
    word, wallet = str(row["type"]), _wallet(context)
    if word == "TRANSFER":
        return None
    token, amount = context.codes.token(row["asset"]), abs(parse_amount(row["amount"]))
    number = row["id"]
    if word in ("BORROW", "REPAY"):
        sign = 1 if word == "BORROW" else -1
        legs = (Leg(f"{number}", wallet, token, sign * amount), Leg(f"{number}:debt", wallet, token, -sign * amount))
        return told(
            context, ref=number, at=from_ms(row["timestamp"]), kind="borrow" if sign > 0 else "repay", legs=legs, label=word
        )
    if word not in _FLOWS:
        raise InvalidField(f"type: the direction of {word[:32]} is not told")
    kind, sign, role = _FLOWS[word]
    return told(
        context,
        ref=number,
        name=row["tranId"],
        at=from_ms(row["timestamp"]),
        kind=kind,
        legs=(Leg(f"{number}", wallet, token, sign * amount, role),),
        label=word,
        shared=(f"binance:margin-fill/{wallet}/{row.get('symbol')}/{row['tranId']}",),
    )


def _interest(context: Context, row: Mapping[str, Any]) -> Claim:
    """What was added to the debt."""
    token, amount = context.codes.token(row["asset"]), parse_amount(row["interest"], where="interest")
    leg = Leg("interest", _wallet(context), token, -amount, "fee")
    ref = f"{row['interestAccuredTime']}/{row['asset']}/{row.get('isolatedSymbol') or ''}/{row.get('txId') or row['type']}"
    at = from_ms(row["interestAccuredTime"])
    return told(context, ref=ref, name=row.get("txId") or ref, at=at, kind="fee", legs=(leg,), label=f"interest {row['type']}")


def _margin_transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """Into or out of a margin account. The far side is told here where it is spot; other accounts tell it themselves."""
    sign = {"ROLL_IN": 1, "ROLL_OUT": -1}.get(str(row["type"]))
    if sign is None:
        raise InvalidField("type: expected ROLL_IN or ROLL_OUT")
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    far = str(row.get("transFrom" if sign > 0 else "transTo") or "SPOT")
    legs = [Leg("near", _wallet(context), token, sign * amount)]
    if far in ("SPOT", "FUNDING"):
        legs.append(Leg("far", far.lower(), token, -sign * amount))
    return told(
        context,
        ref=row["txId"],
        at=from_ms(row["timestamp"]),
        kind="transfer",
        legs=legs,
        label=f"{row['type']} {far}",
        status="confirmed" if row["status"] == "CONFIRMED" else "pending",
    )


def _income(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of a futures wallet's ledger; its number is unique within its type, and a transfer's far side may bear it too."""
    wallet, word = context.kind.removesuffix("-income"), str(row["incomeType"])
    kind = _INCOMES.get(word, "other")
    ref = "/".join(str(row.get(name) or "") for name in ("incomeType", "tranId", "asset", "symbol", "tradeId"))
    role: Role = "fee" if kind == "fee" else "principal"
    leg = Leg(wallet, wallet, context.codes.token(row["asset"]), parse_amount(row["income"], where="income"), role)
    is_transfer = word == "TRANSFER"
    return told(
        context,
        ref=f"{wallet}/{row['tranId']}" if is_transfer else ref,
        name=row["tranId"],
        at=from_ms(row["time"]),
        kind=kind,
        legs=(leg,),
        label=f"{word} {row.get('symbol') or ''}".strip(),
        book=TRANSFERS if is_transfer else "",
        shared=(f"binance:{TRANSFERS}/{row['tranId']}",) if is_transfer else (),
    )


def _total(evidence: Evidence) -> Mapping[str, Any]:
    """How many rows there are, where the answer says."""
    count = expect_dict(decode(evidence), evidence, where="the answer").get("total")
    return {"total": count} if isinstance(count, int) else {}


_INTEREST, _TRANSFER = history(rows_at("rows"), _interest, _total), history(rows_at("rows"), _margin_transfer, _total)
PARSERS = {
    "margin-flow": history(rows_at(), _flow),
    "margin-interest": _INTEREST,
    "margin-transfers": _TRANSFER,
    "isolated-flow": history(rows_at(), _flow),
    "isolated-interest": _INTEREST,
    "isolated-transfers": _TRANSFER,
    "usdm-income": history(rows_at(), _income),
    "coinm-income": history(rows_at(), _income),
}
