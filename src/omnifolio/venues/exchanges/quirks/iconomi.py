"""What is particular to ICONOMI: one list of all that a person did, with what was given and what was got in fields of their own.

Source: api.iconomi.com (User: balance, activity; schema Transaction).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_seconds

WALLET = "main"

_STATUSES: Mapping[str, Status] = {
    "COMPLETED": "confirmed",
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
}


def _activity(context: Context, row: Mapping[str, Any]) -> Claim:
    """A trade bears source and target, money in or out an amount; a fee is beside both."""
    word = str(row["type"])
    kind, sides = _told(context, row, word)
    if row.get("fee_amount") and row.get("fee_ticker"):
        fee = parse_amount(row["fee_amount"], where="fee_amount")
        token = context.codes.token(row["fee_ticker"])
        sides.append(Leg("fee", WALLET, token, -fee, "fee"))
    return told(
        context,
        ref=row["transactionId"],
        at=from_seconds(row["timestamp"]),
        kind=kind,
        legs=sides,
        label=" ".join(filter(None, (word, str(row.get("kind") or "")))),
        status=_STATUSES.get(str(row["status"]), "pending"),
    )


def _told(context: Context, row: Mapping[str, Any], word: str) -> tuple[Kind, list[Leg]]:
    if row.get("source_ticker") and row.get("target_ticker"):
        given, got = (parse_amount(row[name], where=name) for name in ("source_amount", "target_amount"))
        source, target = (context.codes.token(row[name]) for name in ("source_ticker", "target_ticker"))
        return "trade", [Leg("out", WALLET, source, -given), Leg("in", WALLET, target, got)]
    amount, token = parse_amount(row["amount"]), context.codes.token(row["amount_ticker"])
    if word.startswith("deposit"):
        return "deposit", [Leg("amount", WALLET, token, amount)]
    if word.startswith("withdraw"):
        return "withdrawal", [Leg("amount", WALLET, token, -amount, "principal", row.get("address") or None)]
    raise InvalidField(f"type: {word[:24]!r} does not say whether the amount came or went")


def _lists(evidence: Evidence) -> list[Any]:
    """Assets and strategies alike: trades move both without telling which is which."""
    return [*rows_at("assetList")(evidence), *rows_at("daaList")(evidence)]


def _held(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield WALLET, "spot", context.codes.token(row["ticker"]), parse_amount(row["balance"], where="balance")


QUIRKS = Quirks(
    parsers={"activity": history(rows_at("transactions"), _activity)},
    snapshots={
        "balances": snapshots(
            Source(path_end="/user/balance", rows_of=_lists, read=_held, tells=((WALLET, "spot"),)),
        )
    },
)
