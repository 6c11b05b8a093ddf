"""ccxt's parsed structures as facts: its trades, deposits, withdrawals and balances, with every number as text.

Nothing is guessed: a symbol that does not fall apart into two known tokens, a fee without a currency, an amount that is told only
in part are gaps that name the row.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.catalog import exchanges
from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.telling import fill, told
from omnifolio.venues.exchanges.times import from_ms
from omnifolio.venues.exchanges.unified import pair_of

QUOTES = (
    *("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "CAD", "INR", "IDR", "MXN", "PHP", "ZAR", "THB"),
    *("ILS", "CZK", "RUB", "ARS", "COP", "NGN", "MYR", "UAH", "PLN", "CHF", "SGD", "NZD", "EURC", "FDUSD", "BUSD", "TUSD"),
    *("DAI", "BTC", "ETH", "BNB", "TRX", "IDRT", "BIDR", "XRP", "SOL"),
)
"""Tokens in which others are quoted: a pair that ends in none of them is not told apart."""
STATUSES: Mapping[str, Status] = {
    "ok": "confirmed",
    "pending": "pending",
    "failed": "failed",
    "rejected": "failed",
    "expired": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
MADE_UP_ID = re.compile(r"\d{13}-(?:buy|sell)")
"""How the ids begin that ccxt makes of a fill's content where the venue gives none: two equal fills would be one."""
MARKET_FIELDS = ("symbol", "market", "pair", "instrument_id", "product_id", "market_symbol", "instrument", "asset_pair_name")
"""Where a fill names its market."""
SPOT_WALLET, CONTRACT_WALLET = "main", "derivatives"
"""The one wallet: that of an exchange without a spot market backs contracts."""
REF_LENGTH = 24


class Names:
    """The names of one page's rows: the venue's own, else made of the row's content and its place among equal ones."""

    def __init__(self) -> None:
        self._equal = Counter[str]()

    def of(self, row: Mapping[str, Any]) -> str:
        """The row's name; the same page gives the same names."""
        own = row.get("id")
        if own not in (None, "") and not MADE_UP_ID.match(str(own)):
            return str(own)
        text = json.dumps(row.get("info"), sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:REF_LENGTH]
        self._equal[digest] += 1
        return f"{digest}-{self._equal[digest]}"


def pair(context: Context, row: Mapping[str, Any]) -> tuple[str, str]:
    """Base and quote of a fill: its stream's, else those that its symbol tells. Raises: InvalidField."""
    if "~" in context.scope:
        _check_market(context.scope, row)
        return pair_of(context.scope)
    symbol = str(row["symbol"] or "")
    if ":" in symbol:
        raise InvalidField(f"symbol: {symbol[:40]} is a contract, whose fills move neither side")
    base, slash, quote = symbol.partition("/")
    if slash:
        if base and (quote in QUOTES or context.codes.is_known(quote)):
            return base, quote
        raise InvalidField(f"symbol: {symbol[:40]} does not end in a known token")
    ends = [quote for quote in QUOTES if symbol.upper().endswith(quote) and len(symbol) > len(quote)]
    if len(ends) != 1:
        raise InvalidField(f"symbol: {symbol[:40]!r} cannot be told apart into two tokens")
    return symbol.upper().removesuffix(ends[0]).rstrip("-_"), ends[0]


def _check_market(scope: str, row: Mapping[str, Any]) -> None:
    """Refuses a row that names another market than the one that was asked for. Raises: InvalidField."""
    base, quote = pair_of(scope)
    right = {_plain(scope.partition("~")[2]), _plain(base + quote)}
    info = row.get("info")
    told = [info[name] for name in MARKET_FIELDS if isinstance(info, dict) and isinstance(info.get(name), str)]
    if told and not any(_plain(name) in right for name in told):
        raise InvalidField(f"symbol: {told[0][:40]} is not the market that was asked for")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.upper() if letter.isalnum())


def wallet_of(context: Context) -> str:
    """The exchange's one wallet."""
    wallets = exchanges.load(context.codes.venue).reading.wallets
    return CONTRACT_WALLET if CONTRACT_WALLET in wallets else SPOT_WALLET


def at_of(row: Mapping[str, Any]) -> EpochMs:
    """When it happened. Raises: InvalidField."""
    return from_ms(row["timestamp"])


def amount_of(row: Mapping[str, Any], name: str) -> Decimal:
    """A number of a row. Raises: InvalidField where it is missing; InvalidAmount."""
    if row.get(name) is None:
        raise InvalidField(f"{name}: the venue does not tell it")
    return parse_amount(row[name], where=name)


def spelled(code: Any) -> Any:
    """A code as ccxt spells codes; in places it hands on the venue's own small letters."""
    return code.upper() if isinstance(code, str) and code.islower() else code


def fees(context: Context, row: Mapping[str, Any]) -> tuple[list[tuple[TokenId, Decimal]], bool]:
    """The fees that a row tells with their tokens, and whether there is one more whose token it does not tell."""
    listed = row.get("fees") or [row.get("fee") or {}]
    found: list[tuple[TokenId, Decimal]] = []
    is_untold = False
    for fee in listed:
        if fee.get("cost") is None or not parse_amount(fee["cost"], where="fee"):
            continue
        if fee.get("currency"):
            found.append((context.codes.token(spelled(fee["currency"])), parse_amount(fee["cost"], where="fee")))
        else:
            is_untold = True
    return found, is_untold


def trade(context: Context, row: Mapping[str, Any], name: str) -> Claim:
    """A fill as base, quote and fee legs. Raises: InvalidField, InvalidAmount, KeyError."""
    base, quote = (context.codes.token(spelled(code)) for code in pair(context, row))
    paid, _ = fees(context, row)
    legs = fill(
        row["side"],
        base=base,
        quote=quote,
        amount=amount_of(row, "amount"),
        cost=amount_of(row, "cost"),
        fee=Decimal(0),
        fee_token=quote,
        wallet=wallet_of(context),
    )
    ref = f"{context.scope}/{name}" if "~" in context.scope else name
    return told(
        context, ref=ref, name=name, at=at_of(row), kind="trade", legs=(*legs, *_fee_legs(context, paid)), label=row.get("type")
    )


def movement(context: Context, row: Mapping[str, Any], name: str) -> Claim:
    """A deposit or withdrawal. Raises: InvalidField for a row that is neither, InvalidAmount, KeyError."""
    kinds: Mapping[str, Kind] = {"deposits": "deposit", "withdrawals": "withdrawal"}
    said_kind = kinds.get(f"{row.get('type')}s")
    kind = kinds.get(context.kind, said_kind)
    if kind is None or said_kind not in (None, kind):
        raise InvalidField(f"type: {str(row.get('type'))[:40]} does not belong among {context.kind}")
    said = row.get("status")
    status = STATUSES.get(str(said), "pending")
    token, amount = context.codes.token(spelled(row["currency"])), abs(amount_of(row, "amount"))
    paid, _ = fees(context, row)
    return told(
        context,
        ref=name,
        at=at_of(row),
        kind=kind if said is None or str(said) in STATUSES else "other",
        legs=(Leg(kind, wallet_of(context), token, amount if kind == "deposit" else -amount), *_fee_legs(context, paid)),
        label=said,
        status=status,
    )


def _fee_legs(context: Context, paid: list[tuple[TokenId, Decimal]]) -> Iterator[Leg]:
    for place, (token, cost) in enumerate(paid):
        yield Leg("fee" if not place else f"fee-{place}", wallet_of(context), token, -cost, "fee")


def held(entry: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """What a balance entry holds and owes: total, else free and used together; a negative total is owed.

    Raises: InvalidField where only a part is told; InvalidAmount.
    """
    is_told = entry.get("total") is not None
    whole = amount_of(entry, "total") if is_told else amount_of(entry, "free") + amount_of(entry, "used")
    owed = abs(parse_amount(entry["debt"], where="debt")) if entry.get("debt") is not None else Decimal(0)
    return (Decimal(0), max(owed, -whole)) if whole < 0 else (whole, owed)
