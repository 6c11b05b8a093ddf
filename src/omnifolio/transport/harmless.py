"""The allow-list of a redacted recording: which fields hold words, times, rates or amounts that name nobody.

A field is known by the last word of its name (`commissionAsset`, `fee_asset`: asset), and a value stays only where it has the
form of its kind as well: an id under a harmless name is an id.
"""

import re
from collections.abc import Mapping
from typing import Literal

Kind = Literal["word", "time", "rate", "amount", "other"]
"""`rate`: prices, percentages and counts, which stay as they are when amounts are scaled. `other`: everything not listed."""

KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    (
        "word",
        frozenset(
            (
                *("type", "subtype", "status", "state", "side", "direction", "kind", "category", "class", "aclass", "mode"),
                *("asset", "assets", "coin", "coins", "currency", "currencies", "ccy", "symbol", "symbols", "ticker", "token"),
                *("pair", "pairs", "market", "markets", "instrument", "base", "quote", "product", "chain", "network", "networks"),
                *("ordertype", "liquidity", "role", "permission", "permissions", "resource", "error", "errors", "code", "ret"),
                *("region", "sort", "dir", "success", "method", "business", "biz", "action", "margin", "interval", "typename"),
                *("underlying", "contract"),
            )
        ),
    ),
    (
        "time",
        frozenset(
            (
                *("time", "timestamp", "ts", "date", "at", "start", "end", "since", "until", "from", "to", "before", "after"),
                *("ms", "tm", "created", "updated", "modified", "expires", "expiry", "begin", "opened", "closed"),
                *("datetime", "unix", "utc"),
            )
        ),
    ),
    (
        "rate",
        frozenset(
            (
                *("price", "rate", "percent", "percentage", "ratio", "leverage", "count", "limit", "page", "px"),
                *("offset", "ofs", "pages", "rows", "decimals", "scale", "precision", "digits", "confirmations", "weight"),
                *("length", "confirm", "times", "exponent", "period", "duration", "days", "multiplier"),
            )
        ),
    ),
    (
        "amount",
        frozenset(
            (
                *("amount", "amt", "balance", "balances", "bal", "qty", "quantity", "vol", "volume", "cost", "fee", "fees"),
                *("free", "locked", "available", "frozen", "hold", "reserved", "freeze", "withdrawing", "commission", "value"),
                *("equity", "borrowed", "interest", "liability", "debt", "funds", "cash", "proceeds", "profit", "pnl", "sz"),
                *("subtotal", "received", "sent", "change", "credit", "principal", "reward", "rewards", "staked", "net"),
                *("traded", "filled", "executed", "income", "trade", "eq", "tax", "rebate", "bonus", "total", "size", "avail"),
                *("borrow", "unpaid", "notional", "liab", "deal", "delegated", "unbonding", "holding", "vault", "invested"),
                *("receive", "give", "upl", "chg", "earnings", "debit", "funding", "point", "unrealized", "usdc"),
                *("pos", "margin", "im", "mm", "imr", "mmr", "contracts", "loss", "szi"),
            )
        ),
    ),
)
FORMS = {
    "word": re.compile(
        r"(?!.*\d{7})(?![0-9a-fA-F-]{16,}$)(?!.*(?=[A-Za-z]*\d)[A-Za-z0-9]{20})[A-Za-z0-9][A-Za-z0-9 _./:+*-]{0,39}"
    ),
    "time": re.compile(r"\d{9,19}(?:\.\d{1,9})?|\d{4}-\d\d-\d\d(?:[T ][0-9:.,+Zz-]{4,24}(?: UTC)?)?|0"),
    "rate": re.compile(r"-?\d{1,15}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?"),
    "amount": re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,2})?"),
}
"""What a value of each kind looks like. Words hold no long number and no hash."""
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_FIELD = re.compile(r"[A-Za-z_]{1,40}\d{0,2}[A-Za-z_]{0,20}")
_CODE = re.compile(r"(?!(?:.*\d){5})(?=.*[A-Z])[A-Z0-9]{2,15}(?:[._-][A-Z0-9]{1,8})?")

_WHOLE_NAMES: Mapping[str, Kind] = {
    **dict.fromkeys(("productid", "instid", "instrumentid", "marketid", "currencyid", "symbolid"), "word"),
    **dict.fromkeys(("sourceaccount", "destaccount", "accounttype", "walletname", "networkname", "timeinforce"), "word"),
    **dict.fromkeys(("instrumentname", "feeinstrumentname", "frominstrumentname", "toinstrumentname", "inorout"), "word"),
    **dict.fromkeys(("underlyinginstname", "rewardinstname", "feecoinname", "currencyname", "transfrom", "transto"), "word"),
    **dict.fromkeys(("break", "cryptocoinsymbol"), "word"),
    **dict.fromkeys(("opentm", "closetm", "starttm", "expiretm", "timestampms", "timems", "unixtime"), "time"),
    **dict.fromkeys(("limitprice", "stopprice", "avgprice", "current", "minnotional", "maxnotional"), "rate"),
    **dict.fromkeys(("ctval", "ctmult", "contractsize", "stk", "lever"), "rate"),
    **dict.fromkeys(("unrealizedpl", "inorder", "positiondeposit", "totalpendingwithdrawal", "marginstatic"), "amount"),
    **dict.fromkeys(("amountfiat", "amountcryptocoin", "totalconvert", "profitunreal"), "amount"),
    **dict.fromkeys(("amtfromspot", "amtfromfunding", "volexec", "btcvaluation", "optval", "isolatedwallet"), "amount"),
}
"""Fields whose last word does not tell their kind, by their whole name in lower case without its underscores."""
_SCALED = re.compile(r"(?<=[a-z])[ER][vrpq]$")
"""How a name ends that says whether its number is scaled or real, and whether it is a value, a ratio, a price or a quantity."""
_CALLED_LIKE_ASSETS = frozenset(("ID", "UID", "OID", "TXID", "IP"))


def kinds_of(field: str) -> tuple[Kind, ...]:
    """The kinds that a field of that name may hold, by the last word of the name; `other` alone where it is not listed."""
    whole = _WHOLE_NAMES.get(field.replace("_", "").lower())
    if whole:
        return (whole,)
    parts = _WORDS.findall(_SCALED.sub("", field))
    last = parts[-1].lower() if parts else ""
    if field in _CALLED_LIKE_ASSETS or not _CODE.fullmatch(field):
        return tuple(kind for kind, names in KINDS if last in names) or ("other",)
    return ("amount",)


def kind_of(field: str, text: str) -> Kind:
    """The kind of one value: listed by its field's name, and of that kind's form; else `other`.

    A field that is called like an asset (`{"BTC": "1.5"}`) holds its amount, where that has decimals or is nothing.
    """
    kinds = kinds_of(field)
    # A number under a name that words may have, too (`margin`), is an amount.
    fitting = [kind for kind in sorted(kinds, key=lambda kind: kind != "amount") if kind != "other"]
    kind: Kind = next((kind for kind in fitting if FORMS[kind].fullmatch(text)), "other")
    return "other" if kind == "amount" and _CODE.fullmatch(field) and text.isdigit() and text != "0" else kind


def is_name(text: str) -> bool:
    """Whether a name in an object is a word of the venue (a field, an asset, a market), and no id under which a row stands."""
    return bool(_FIELD.fullmatch(text) or _CODE.fullmatch(text))
