"""What is particular to Bitcoin.de: a ledger a currency whose rows bear their whole trade, and euros that go from bank to bank.

Who buys pays the euros after the fee and receives coins less theirs; who sells gives all coins and receives the euros after the
fee. So each side bears one of the two fees. Source: www.bitcoin.de/en/api/tapi/v4/docu (showAccountInfo, showAccountLedger,
showMyTrades), in excerpts and samples, 2026-11-28.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Quirks, Scopes, decode, expect_dict, read_list
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

LEDGER, TRADES = "ledger", "trades"
TRADES_RANK = 1
FIAT = "eur"
QUOTES = (FIAT, "btc", "usdt", "eth")

_KINDS: Mapping[str, Kind] = {
    "inpayment": "deposit",
    "payout": "withdrawal",
    "affiliate": "referral",
    "welcome_btc": "reward",
    "kickback": "rebate",
    "outgoing_fee_voluntary": "fee",
}
_STATES: Mapping[int, Status] = {1: "confirmed", 0: "pending", -1: "cancelled"}


def _wallet(code: str) -> str:
    return "bank" if code == FIAT else "spot"


def _sides(
    context: Context, word: str, base: tuple[str, Decimal, Decimal], quote: tuple[str, Decimal, Decimal]
) -> tuple[Leg, ...]:
    """The legs of a trade out of (code, before fee, after fee) of both sides. Raises: InvalidField."""
    (base_code, gross, net), (quote_code, price, paid) = base, quote
    base_token, quote_token = (context.codes.token(code) for code in (base_code, quote_code))
    if word == "buy":
        return (
            Leg("quote", _wallet(quote_code), quote_token, -paid),
            Leg("base", _wallet(base_code), base_token, gross),
            Leg("fee", _wallet(base_code), base_token, total((net, -gross)), "fee"),
        )
    if word != "sell":
        raise InvalidField("type: expected buy or sell")
    return (
        Leg("base", _wallet(base_code), base_token, -gross),
        Leg("quote", _wallet(quote_code), quote_token, price),
        Leg("fee", _wallet(quote_code), quote_token, total((paid, -price)), "fee"),
    )


def _entry(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of a ledger: a trade with both sides, or what one currency gained or lost."""
    word, reference, code = str(row["type"]), str(row["reference"]), context.scope
    moved = parse_amount(row["cashflow"], where="cashflow")
    trade = row.get("trade")
    if isinstance(trade, dict):
        base, quote = (_side(trade[name]) for name in ("currency_to_trade", "currency_to_pay"))
        # A trade between two coins stands in both ledgers: each tells the whole of it under one name.
        return _named(context, str(trade["trade_id"]), row, _sides(context, word, base, quote))
    kind: Kind = _KINDS.get(word, "other")
    leg = Leg("amount", _wallet(code), _known(context, code), moved, "fee" if kind == "fee" else "principal")
    return told(context, ref=f"{code}/{word}/{reference}", at=from_iso(row["date"]), kind=kind, legs=(leg,), label=word)


def _named(context: Context, name: str, row: Mapping[str, Any], legs: Iterable[Leg]) -> Claim:
    return told(context, ref=name, at=from_iso(row["date"]), kind="trade", legs=legs, label=row["type"], book=TRADES)


def _side(raw: Mapping[str, Any]) -> tuple[str, Decimal, Decimal]:
    before, after = (parse_amount(raw[name], where=name) for name in ("before_fee", "after_fee"))
    return str(raw["currency"]), before, after


def _known(context: Context, code: str) -> TokenId:
    """The currency whose ledger it is. Raises: InvalidField where a recording does not say."""
    if code == UNSAID:
        raise InvalidField("currency: the recording does not say whose ledger it is")
    return context.codes.token(code)


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A trade by itself. One that is not over has moved nothing yet."""
    base, quote = pair_of(str(row["trading_pair"]))
    given, given_net = (parse_amount(row[f"amount_currency_to_trade{end}"], where="amount") for end in ("", "_after_fee"))
    price, paid = (parse_amount(row[f"volume_currency_to_pay{end}"], where="volume") for end in ("", "_after_fee"))
    legs = _sides(context, str(row["type"]), (base, given, given_net), (quote, price, paid))
    status = _STATES.get(row["state"], "pending") if "state" in row else "confirmed"
    return told(
        context,
        ref=row["trade_id"],
        at=from_iso(row.get("successfully_finished_at") or row["created_at"]),
        kind="trade",
        legs=legs if status == "confirmed" else (),
        label=row["type"],
        status=status,
        book=TRADES,
        rank=TRADES_RANK,
    )


def pair_of(name: str) -> tuple[str, str]:
    """Base and quote of a pair such as `btceur`. Raises: InvalidField."""
    quote = next((quote for quote in QUOTES if name.endswith(quote) and name != quote), None)
    if quote is None:
        raise InvalidField(f"trading_pair: {name[:24]!r} cannot be told apart")
    return name.removesuffix(quote), quote


def _next_page(evidence: Evidence) -> Mapping[str, Any]:
    """The number of the following page, where there is one."""
    page = expect_dict(decode(evidence), evidence, where="the answer").get("page")
    current, last = (page.get(name) if isinstance(page, dict) else None for name in ("current", "last"))
    return {"next": str(current + 1)} if isinstance(current, int) and isinstance(last, int) and current < last else {}


def _balances(evidence: Evidence) -> list[Any]:
    data = expect_dict(decode(evidence), evidence, where="the answer").get("data")
    held = expect_dict(data, evidence, where="data").get("balances")
    return [{"asset": code, "value": value} for code, value in expect_dict(held, evidence, where="data.balances").items()]


def _held(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["value"]["total_amount"], where="total_amount")
    yield "spot", "spot", context.codes.token(row["asset"]), amount


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Ledgers that were never read."""
    found: list[str] = []

    def read(row: Any) -> None:
        stream = f"{LEDGER}/{row['asset']}"
        if stream not in known.cursors:
            found.append(stream)

    gaps = read_list(context, [row for item in answers for row in _balances(item)], read)
    return Scopes(streams=tuple(found), token="", gaps=gaps)  # a cursor, no secret


UNSAID = "unsaid"


def scope_of(payload: Any) -> str:
    """A recorded ledger does not name its currency, but its trades do."""
    rows = payload.get("account_ledger") if isinstance(payload, dict) else None
    for row in rows if isinstance(rows, list) else []:
        trade = row.get("trade") if isinstance(row, dict) else None
        side = trade.get("currency_to_trade") if isinstance(trade, dict) else None
        if isinstance(side, dict) and isinstance(side.get("currency"), str):
            return str(side["currency"])
    return UNSAID


QUIRKS = Quirks(
    parsers={
        LEDGER: history(rows_at("account_ledger"), _entry, _next_page),
        TRADES: history(rows_at("trades"), _trade, _next_page),
    },
    snapshots={"balances": snapshots(Source(path_end="/account", rows_of=_balances, read=_held, tells=(("spot", "spot"),)))},
    scopes=scopes,
    scope_of=scope_of,
)
