"""What is particular to Deribit: one transaction log for each currency is the whole ledger, and cash backs every contract.

A row's `change` is what the cash balance gained or lost, its fee included, so that rows add up to the balance. A spot trade has
a row in each of its two logs; they share the trade's id. Profit that is not settled yet is no cash; it is told with
the positions (see `deribit_positions`).
Source: docs.deribit.com, private/get_transaction_log, private/get_account_summaries, public/get_currencies.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.facts import Claim, Evidence, Kind, Leg
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Quirks, Scopes, decode, expect_dict, expect_list, read_list
from omnifolio.venues.exchanges.quirks.deribit_positions import open_positions
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

LEDGER, WALLET = "ledger", "main"

_KINDS: Mapping[str, Kind] = {
    "trade": "trade",
    "swap": "trade",
    "settlement": "realized_pnl",
    "delivery": "realized_pnl",
    "liquidation": "liquidation",
    "negative_balance_fee": "fee",
}
_BY_SIGN = frozenset({"deposit", "withdrawal", "transfer"})
_OPTION_ENDS = ("-C", "-P")


def _row(context: Context, row: Mapping[str, Any]) -> Claim:
    change, commission = parse_amount(row["change"], where="change"), parse_amount(row.get("commission") or 0, where="commission")
    word, info = str(row["type"]), row.get("info")
    about = info if isinstance(info, dict) else {}
    token = context.codes.token(row["currency"])
    peer = about.get("addr") or about.get("address") if word == "withdrawal" else None
    legs = (
        Leg(f"{row['id']}", WALLET, token, total((change, commission)), "principal", peer),
        Leg(f"{row['id']}:fee", WALLET, token, -commission, "fee"),
    )
    chain, hash_ = context.networks.get(str(row["currency"])), about.get("transaction")
    shared = (f"deribit:trade/{row['trade_id']}",) if row.get("trade_id") else ()
    return told(
        context,
        book=LEDGER,
        ref=row["id"],
        name=row.get("trade_id"),
        at=from_ms(row["timestamp"]),
        kind=_kind(word, str(row.get("instrument_name") or ""), change, moved=legs[0].amount),
        legs=legs,
        label=" ".join(filter(None, (word, row.get("instrument_name")))),
        event=f"{chain}:{hash_}" if chain and hash_ and word in _BY_SIGN else None,
        shared=shared,
    )


def _kind(word: str, instrument: str, change: Decimal, *, moved: Decimal) -> Kind:
    """A row's kind. A trade of futures moves no principal: it costs a fee, or realizes what was won and lost."""
    if word in _BY_SIGN:
        return "deposit" if change > 0 else "withdrawal"
    if word == "trade" and "-" in instrument and not instrument.endswith(_OPTION_ENDS):
        return "realized_pnl" if moved else "fee"
    if word not in _KINDS and "reward" in word:
        return "reward"
    return _KINDS.get(word, "other")


def _logged(evidence: Evidence) -> Mapping[str, Any]:
    result = expect_dict(decode(evidence), evidence, where="the answer").get("result")
    return {"next": str(expect_dict(result, evidence, where="result").get("continuation") or "")}


def _summaries(evidence: Evidence) -> list[Any]:
    """The summaries of all currencies, or the one of a single currency."""
    result = expect_dict(decode(evidence), evidence, where="the answer").get("result")
    found = expect_dict(result, evidence, where="result")
    return [found] if "currency" in found else expect_list(found.get("summaries"), evidence, where="result.summaries")


def _cash(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["balance"], where="balance")
    yield WALLET, "debt" if amount < 0 else "collateral", context.codes.token(row["currency"]), amount


def scopes(context: Context, known: Known, token: str, answers: Any) -> Scopes:
    """The log of every currency that has none yet; those that stay empty are asked again next time."""
    found: list[str] = []

    def read(row: Mapping[str, Any]) -> None:
        stream = f"{LEDGER}/{context.codes.canonical(row['currency'])}"
        if stream not in known.cursors:
            found.append(stream)

    gaps = read_list(context, [row for item in answers for row in rows_at("result")(item)], read)
    return Scopes(streams=tuple(found), token="", keeps_empty=False, gaps=gaps)  # a cursor, no secret


def scope_of(payload: Any) -> str:
    """The currency of recorded rows."""
    result = payload.get("result") if isinstance(payload, dict) else None
    logs = result.get("logs") if isinstance(result, dict) else None
    row = logs[0] if isinstance(logs, list) and logs and isinstance(logs[0], dict) else {}
    return str(row.get("currency") or "")


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: whole, without its envelope, or its rows alone."""
    return [payload, {"result": payload}, {"result": {"logs": payload}}, {"result": {"summaries": payload}}]


QUIRKS = Quirks(
    parsers={LEDGER: history(rows_at("result", "logs"), _row, _logged)},
    snapshots={
        "balances": snapshots(
            Source(
                path_end="/get_account_summaries",
                rows_of=_summaries,
                read=_cash,
                tells=((WALLET, "collateral"), (WALLET, "debt")),
            )
        ),
        "positions": open_positions,
    },
    scopes=scopes,
    scope_of=scope_of,
    forms=forms,
)
