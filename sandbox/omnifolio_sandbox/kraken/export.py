"""Kraken's own CSV exports, ledgers and trades, made from the same history as its API, oldest row first."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

from omnifolio_sandbox.kraken.book import KrakenBook

LEDGER_COLUMNS = (
    "txid", "refid", "time", "type", "subtype", "aclass", "asset", "wallet", "amount", "fee", "balance",
)  # fmt: skip
TRADE_COLUMNS = (
    "txid", "ordertxid", "pair", "time", "type", "ordertype", "price", "cost", "fee", "vol", "margin", "misc",
    "ledgers",
)  # fmt: skip
KINDS = ("ledgers", "trades")


def export(book: KrakenBook, kind: str) -> str:
    """The whole file as text. Ledger times have whole seconds, trade times four more digits, both in UTC."""
    out = io.StringIO()
    columns = LEDGER_COLUMNS if kind == "ledgers" else TRADE_COLUMNS
    writer = csv.DictWriter(out, columns, quoting=csv.QUOTE_ALL, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in reversed(book.ledgers if kind == "ledgers" else book.trades):
        fields = {
            "txid": row.id,
            "wallet": row.wallet,
            **row.body,
            "time": _when(row.body["time"], with_fraction=kind == "trades"),
        }
        if kind == "trades":
            fields["ledgers"] = ",".join(row.body["ledgers"])
        writer.writerow(fields)
    return out.getvalue()


def _when(seconds: Decimal, *, with_fraction: bool) -> str:
    whole, fraction = divmod(int(seconds.scaleb(4)), 10_000)
    moment = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{moment}.{fraction:04d}" if with_fraction else moment
