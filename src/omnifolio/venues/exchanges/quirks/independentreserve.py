"""What is particular to Independent Reserve: one account a currency, each with a ledger of its own that names its trade.

The ledgers are complete, brokerage and its tax included, so the trades are only understood where a recording holds them: old
ledger rows name no trade, and a fill would count twice.
Source: independentreserve.com/features/api, GetAccounts, GetTransactions, GetTrades (seen 2026-11-27).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Quirks, Scopes, decode, expect_dict, read_list
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

BOOK, TRADES = "transactions", "trades"
TRADES_RANK = 1

_KINDS: Mapping[str, Kind] = {
    "Trade": "trade",
    "Deposit": "deposit",
    "Withdrawal": "withdrawal",
    "ReferralCommission": "referral",
    "Brokerage": "fee",
    "GST": "fee",
}
_OF_TRADES = frozenset({"Trade", "Brokerage", "GST"})
_STATUSES: Mapping[str, Status] = {"Confirmed": "confirmed", "Rejected": "failed", "Failed": "failed", "Cancelled": "cancelled"}


def _token(context: Context, code: Any) -> TokenId:
    """The venue writes `Xbt` and `Aud`. Raises: InvalidField."""
    return context.codes.token(code.upper() if isinstance(code, str) else code)


def _balance(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "spot", "spot", _token(context, row["CurrencyCode"]), parse_amount(row["TotalBalance"], where="TotalBalance")


def _transaction(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of a ledger: a trade has one in each of its two accounts, and rows of their own for what it cost."""
    word, related = str(row["Type"]), row.get("CorrelationId")
    credit, debit = (parse_amount(row.get(name) or "0", where=name) for name in ("Credit", "Debit"))
    kind: Kind = "fee" if word.endswith("Fee") else _KINDS.get(word, "other")
    # Legs of one event are told apart by the row that they came in.
    number, token, amount = _number(row), _token(context, row["CurrencyCode"]), total((credit, -debit))
    leg = Leg(number, "spot", token, amount, "fee" if kind == "fee" else "principal")
    hash_ = row.get("BitcoinTransactionId") or row.get("EthereumTransactionId") or (related if word == "Deposit" else "")
    return told(
        context,
        ref=number,
        name=hash_ or related,
        at=from_iso(row["CreatedTimestampUtc"]),
        kind=kind,
        legs=(leg,),
        label=word,
        status=_STATUSES.get(str(row["Status"]), "pending"),
        shared=(_name_of(context, word, str(related)),) if related and word != "Deposit" else (),
    )


def _number(row: Mapping[str, Any]) -> str:
    """The row's number. Older answers have none: they are named by what they say, the balance after the row among it."""
    if row.get("TransactionGuid"):
        return str(row["TransactionGuid"])
    parts = ("CreatedTimestampUtc", "CurrencyCode", "Type", "Credit", "Debit", "Balance")
    return "/".join(str(row[name]) for name in parts)


def _name_of(context: Context, word: str, related: str) -> str:
    """The name that the rows of one trade, or of one withdrawal and its fee, share."""
    return f"{context.codes.venue}:{TRADES if word in _OF_TRADES else 'requests'}/{related}"


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill; its brokerage is told by the ledger alone."""
    order = str(row["OrderType"])
    sign = 1 if order.endswith("Bid") else -1 if order.endswith("Offer") else 0
    if not sign:
        raise InvalidField("OrderType: expected …Bid or …Offer")
    amount, price = parse_amount(row["VolumeTraded"], where="VolumeTraded"), parse_amount(row["Price"], where="Price")
    legs = (
        Leg("base", "spot", _token(context, row["PrimaryCurrencyCode"]), sign * amount),
        Leg("quote", "spot", _token(context, row["SecondaryCurrencyCode"]), -sign * product(amount, price)),
    )
    ref, at = row["TradeGuid"], from_iso(row["TradeTimestampUtc"])
    return told(context, ref=ref, at=at, kind="trade", legs=legs, label=order, book=TRADES, rank=TRADES_RANK)


def _count(evidence: Evidence) -> Mapping[str, Any]:
    """How many rows there are, where the answer says."""
    count = expect_dict(decode(evidence), evidence, where="the answer").get("TotalItems")
    return {"total": count} if isinstance(count, int) and count >= 0 else {}


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Accounts that were never asked."""
    found: list[str] = []

    def read(row: Any) -> None:
        stream = f"{BOOK}/{row['AccountGuid']}"
        if stream not in known.cursors:
            found.append(stream)

    gaps = read_list(context, [row for item in answers for row in rows_at()(item)], read)
    return Scopes(streams=tuple(found), token="", gaps=gaps)  # a cursor, no secret


def scope_of(payload: Any) -> str:
    """The scope of recorded transactions, which do not name their account."""
    return "recorded"


QUIRKS = Quirks(
    parsers={BOOK: history(rows_at("Data"), _transaction, _count), TRADES: history(rows_at("Data"), _trade, _count)},
    snapshots={
        "balances": snapshots(Source(path_end="/GetAccounts", rows_of=rows_at(), read=_balance, tells=(("spot", "spot"),)))
    },
    scopes=scopes,
    scope_of=scope_of,
)
